"""The benchmark of schedules from outside, in its quick form."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.schedule_costs import rows_read
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.stack
@pytest.mark.long
def test_it_runs_and_prints_its_tables():
    command = [sys.executable, "-m", "bench", "--quick", "schedules"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("started, s after the due time", "beside the crowd", "create         60", "list          120"):
        assert line in done.stdout
    assert "schedules that did not fire exactly once          0.00" in done.stdout
    assert "not judged" in done.stdout


def test_a_page_reads_as_many_rows_in_a_long_list_as_in_a_short_one():
    assert rows_read(10_000) == rows_read(100)
