"""`make bench` from outside, in its quick form."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.stack]


def printed(*subjects: str) -> str:
    """What a benchmark prints that runs to its end and judges nothing."""
    command = [sys.executable, "-m", "bench", "--quick", *subjects]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not judged" in done.stdout
    assert "MISSED" not in done.stdout
    return done.stdout


def test_onboardings_and_what_one_takes_are_in_tables():
    tables = printed("onboarding", "costs")
    for lane in ("(a) no-op", "(b) ours, memory", "(c) ours, MiniStack"):
        assert tables.count(lane) == 2, "at one and at four in flight"
    for line in ("11 actions (*)", "worker kms.Decrypt"):
        assert line in tables
    assert "NOT JUSTIFIED" not in tables


@pytest.mark.long
def test_requests_and_memory_are_in_tables():
    tables = printed("api", "soak")
    for line in ("list     1,000", "list   100,000", "memory of the API, late / early"):
        assert line in tables
