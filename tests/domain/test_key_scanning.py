"""The rule for secret scanners that the documentation gives: it finds keys where they leak, and nothing that only looks
like one."""

import json
import re
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

from domain.callers.api_keys import key_id_of, new_key_text
from tests.pages import ROOT, blocks

PAGE = (ROOT / "docs/how-to/manage-keys.md").read_text()
[TEXT] = blocks(PAGE, "toml")
[RULE] = tomllib.loads(TEXT)["rules"]
PATTERN = re.compile(RULE["regex"])
KINGFISHER = shutil.which("kingfisher", path=sysconfig.get_path("scripts"))

LEAKS = {
    "python": 'client = Client("https://api.example.com", key="{}")  # production',
    "shell": "export ONBOARDING_API_KEY={}",
    "header": "curl -H 'Authorization: Bearer {}' https://api.example.com",
    "query": "GET /api/v1/tenants?key={}&limit=5 HTTP/1.1",
    "json": '{{"api_key":"{}","prefix":"tek"}}',
    "yaml": "  apiKey: {}",
    "a sentence": "I used {}, and it did not work.",
}
"""By where somebody puts a key: what stands around it."""


def near_misses(key: str) -> dict[str, str]:
    head, key_id, secret = key.split("_")
    return {
        "another prefix": f"tok_{key_id}_{secret}",
        "a longer prefix": f"x{key}",
        "capitals": key.upper(),
        "a short id": f"{head}_{key_id[1:]}_{secret}",
        "a long id": f"{head}_{key_id}0_{secret}",
        "a short secret": key[:-1],
        "a long secret": f"{key}0",
        "a part of a name": f"{key}_old",
        "another separator": f"{head}-{key_id}-{secret}",
        "the prefix that is shown": f"{head}_{key_id}",
        "a character that no key has": f"{key[:-1]}!",
        "two lines": f"{head}_{key_id}_\n{secret}",
    }


@pytest.mark.parametrize("line", LEAKS.values(), ids=LEAKS.keys())
def test_a_key_in_a_line_is_found_whole(line: str):
    for key in (new_key_text() for _ in range(200)):
        assert PATTERN.findall(line.format(key)) == [key]


@pytest.mark.parametrize("name", near_misses(new_key_text()))
def test_what_only_looks_like_a_key_is_not_found(name: str):
    for line in LEAKS.values():
        assert not PATTERN.search(line.format(near_misses(new_key_text())[name]))


def test_a_find_that_is_no_key_is_told_apart_by_its_checksum():
    key = new_key_text()
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert PATTERN.fullmatch(other)
    assert key_id_of(other) is None


def test_what_lets_a_scanner_skip_a_file_is_in_every_key():
    assert all(keyword in new_key_text() for keyword in RULE["keywords"])


@pytest.mark.skipif(KINGFISHER is None, reason="kingfisher-bin exists for x86_64 only")
def test_a_scanner_with_the_rule_finds_each_leak_and_no_near_miss(tmp_path: Path):
    rule, leaks, others = tmp_path / "rule.toml", tmp_path / "code/leaks", tmp_path / "code/others"
    rule.write_text(TEXT)
    for folder in (leaks, others):
        folder.mkdir(parents=True)
    for name, line in LEAKS.items():
        (leaks / f"{name}.txt").write_text(f"# before\n{line.format(new_key_text())}\n")
    for name, text in near_misses(new_key_text()).items():
        (others / f"{name}.txt").write_text(f'key = "{text}"\n')
    command = [str(KINGFISHER), "scan", str(tmp_path / "code"), "--rules-path", str(rule), "--load-builtins=false"]
    command += ["--no-validate", "--no-update-check", "--format", "json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = json.JSONDecoder().raw_decode(said)[0]["findings"]
    places = {(Path(each["finding"]["path"]).relative_to(tmp_path), each["finding"]["line"]) for each in found}
    assert places == {(Path(f"code/leaks/{name}.txt"), 2) for name in LEAKS}
