"""What `make security` rests on: its programs find what is there, and do not call good what they could not see."""

import io
import json
import shutil
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from bench.report import Report, Target
from emulators.failures import StackFailed
from tests.security.__main__ import Program, run
from tests.security.dependencies import judged
from tests.security.secret_scan import ALLOWED, scan
from tests.security.secret_scan import run as scan_the_tree

LOCK = Path("requirements.txt")
NO_SCANNER = shutil.which("kingfisher", path=sysconfig.get_path("scripts")) is None
with_scanner = pytest.mark.skipif(NO_SCANNER, reason="there is no kingfisher-bin for this machine")


def answer(*packages: Mapping[str, object]) -> bytes:
    return json.dumps({"dependencies": packages, "fixes": []}).encode()


def test_packages_that_were_all_judged_are_counted():
    package = {"name": "a", "version": "1", "vulns": []}
    assert judged(LOCK, answer(package, package)) == (2, [])


def test_what_is_known_against_one_is_told():
    package = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}
    assert judged(LOCK, answer(package)) == (1, ["a 1: CVE-1"])


SILENT = {
    "nothing": b"",
    "no JSON": b"No known vulnerabilities found",
    "no packages": b"{}",
    "an empty list": answer(),
    "one left out": answer({"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}),
}


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT.keys())
def test_what_could_not_be_checked_is_no_success(said: bytes):
    with pytest.raises(StackFailed, match="Could not check"):
        judged(LOCK, said)


@with_scanner
async def test_a_secret_in_a_file_is_found(tmp_path: Path):
    # Put together here, so that nobody finds one in this file.
    body = "MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0t\n" * 8
    (tmp_path / "key.pem").write_text(f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{body}-----END RSA {'PRIVATE'} KEY-----\n")
    assert [finding.path for finding in await scan(tmp_path)] == ["key.pem"]


@with_scanner
async def test_neither_the_tree_nor_its_history_has_one():
    assert [target.name for target in await scan_the_tree(quick=True) if not target.met] == []
    assert all(ALLOWED.values())


def program(*targets: Target) -> Program:
    async def found(*, quick: bool) -> Sequence[Target]:
        if not targets:
            raise StackFailed("Could not check.")
        return targets

    return found


MET, MISSED = Target("met", 0, at_most=0), Target("missed", 1, at_most=0)


@pytest.mark.parametrize(
    ("programs", "good", "shown"),
    [
        ({"a": program(MET)}, True, "met"),
        ({"a": program(MET), "b": program(MET, MISSED)}, False, "MISSED"),
        ({"a": program(MET), "b": program()}, False, "NOT MEASURED"),
    ],
    ids=["met", "missed", "not-measured"],
)
async def test_one_that_misses_or_cannot_measure_fails_the_whole(programs: dict[str, Program], good: bool, shown: str):
    console = Console(file=io.StringIO(), record=True, width=120)
    assert await run(programs, quick=True, report=Report(console)) == good
    assert shown in console.export_text()
