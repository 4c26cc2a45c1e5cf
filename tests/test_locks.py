"""The lock files: exactly these versions, exactly these files, from no address of anybody's."""

import re

import pytest

from tests.pages import ROOT

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-oracle.txt")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
FLOORS = {"starlette": (1, 0, 1), "h11": (0, 16, 0), "limits": (5, 0, 0)}
"""Below these there are known holes: poisoned paths, smuggled chunks; or counters that are not atomic."""


def requirements(name: str) -> dict[str, str]:
    """The rest of its entry by each requirement's own line."""
    text = re.sub(r" *\\\n *", " ", (ROOT / name).read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {line.partition(" ")[0]: line for line in lines}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_has_one_version_and_the_hashes_of_its_files(name: str):
    found = requirements(name)
    assert len(found) > 50
    assert [line for first, line in found.items() if not re.fullmatch(r"[a-z0-9.\[\]-]+==\S+", first)] == []
    assert [first for first, line in found.items() if not HASH.search(line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_address_and_no_option_leads_elsewhere(name: str):
    text = (ROOT / name).read_text()
    assert re.findall(r"\S*(?:://|git\+|@ file)\S*", text) == []
    assert re.findall(r"^--?\w\S*", text, re.MULTILINE) == []


def test_what_runs_is_part_of_what_is_tested():
    tested = {first for name in LOCKS[1:2] for first in requirements(name)}
    assert set(requirements("requirements.txt")) <= tested


@pytest.mark.parametrize("name", FLOORS)
def test_no_version_with_a_known_hole_is_pinned(name: str):
    [pinned] = [first for first in requirements("requirements.txt") if first.startswith(f"{name}==")]
    assert tuple(int(part) for part in pinned.partition("==")[2].split(".")) >= FLOORS[name]
