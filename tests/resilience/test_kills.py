"""The programs that kill, with a few deaths each: every invariant holds, and the tables say what happened."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.report import Report
from local.progress import Progress
from tests.resilience import kill_matrix, random_kills
from tests.resilience.programs import Conditions, Program

pytestmark = [pytest.mark.stack]


async def shown(program: Program, folder: Path) -> str:
    """What a program prints when every invariant holds."""
    output = StringIO()
    console = Console(file=output, width=120)
    conditions = Conditions(folder, seed=1, small=True, report=Report(console), progress=Progress(console))
    assert await program(conditions), output.getvalue()
    return output.getvalue()


async def test_a_worker_that_is_killed_within_a_step_leaves_nothing_wrong(tmp_path: Path):
    output = await shown(kill_matrix.run, tmp_path)
    assert "2 kills, 0 invariants broken." in output
    assert output.count("(2)") == 2, "each step was done at its second attempt"


async def test_the_death_of_everything_at_once_loses_and_doubles_nothing(tmp_path: Path):
    output = await shown(random_kills.run, tmp_path)
    assert output.count("met") == 4
