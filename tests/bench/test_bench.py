"""`make bench` from outside, in its quick form."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def test_the_benchmark_runs_and_prints_its_tables():
    command = [sys.executable, "-m", "bench", "--quick", "onboarding", "api", "soak", "costs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for lane in ("(a) no-op", "(b) ours, memory", "(c) ours, MiniStack"):
        assert done.stdout.count(lane) == 2, "at one and at four in flight"
    for line in ("list     1,000", "list   100,000", "memory of the API, late / early", "worker kms.Decrypt"):
        assert line in done.stdout
    assert "not judged" in done.stdout
    assert "MISSED" not in done.stdout
    assert "11 actions (*)" in done.stdout
    assert "NOT JUSTIFIED" not in done.stdout
