"""`make prove`: its verdict is that of its programs, and what a broken one left behind is kept."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.resilience.__main__ import PROGRAMS, run
from tests.resilience.programs import Conditions

ROOT = Path(__file__).resolve().parents[2]


async def holds(conditions: Conditions) -> bool:
    (conditions.folder / "log").write_text("fine")
    return True


async def breaks(conditions: Conditions) -> bool:
    (conditions.folder / "log").write_text("broken")
    return False


def kept(output: str) -> list[Path]:
    return [Path(line.split()[-1].rstrip(".")) for line in output.splitlines() if "are kept in" in line]


async def test_all_invariants_hold_when_each_program_says_so(capsys: pytest.CaptureFixture[str]):
    assert await run({"one": holds, "two": holds}, seed=1, small=True)
    output = capsys.readouterr().out
    assert output.count("held") == 2
    assert kept(output) == []


async def test_one_broken_program_breaks_it_and_the_others_still_run(capsys: pytest.CaptureFixture[str]):
    assert not await run({"one": breaks, "two": holds}, seed=1, small=True)
    output = capsys.readouterr().out
    assert ("BROKEN" in output, "held" in output) == (True, True)
    [folder] = kept(output)
    assert (folder / "log").read_text() == "broken"
    shutil.rmtree(folder)


def test_an_unknown_program_is_refused_by_name():
    command = [sys.executable, "-m", "tests.resilience", "flood"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert ended.returncode == 2
    assert "There is no flood" in ended.stderr
    assert all(name in ended.stderr for name in PROGRAMS)
