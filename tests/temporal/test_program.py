"""How a program that talks to Temporal ends."""

import asyncio
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from temporal.program import PAUSE_SECONDS, run_program

ROOT = Path(__file__).resolve().parents[2]
REPLAYING = """
import json
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from composition.workflow_types import ONBOARDING
from temporal.client import plugin
from temporal.program import run_program

async def replay():
    recorded = json.load(open("tests/workflows/histories/onboard_account.active.json"))
    history = WorkflowHistory.from_json(recorded.pop("workflowId"), recorded)
    await Replayer(workflows=ONBOARDING, plugins=[plugin()]).replay_workflow(history)

run_program(replay())
"""


class Waits:
    """Something that still goes on when the work has ended."""

    ended = False

    async def a_moment(self) -> None:
        await asyncio.sleep(PAUSE_SECONDS / 2)
        self.ended = True

    async def begin(self) -> str:
        self.task = asyncio.create_task(self.a_moment())
        return "done"

    async def fail(self) -> None:
        await self.begin()
        raise LookupError


def test_what_still_goes_on_gets_a_moment():
    waits = Waits()
    assert run_program(waits.begin()) == "done"
    assert waits.ended


def test_also_when_the_work_failed():
    waits = Waits()
    with pytest.raises(LookupError):
        run_program(waits.fail())
    assert waits.ended


@pytest.mark.long
def test_a_short_program_does_not_crash_at_its_end():
    def ends() -> int:
        return subprocess.run([sys.executable, "-c", REPLAYING], cwd=ROOT, capture_output=True, check=False).returncode

    with ThreadPoolExecutor(4) as executor:
        assert Counter(executor.map(lambda _: ends(), range(100))) == {0: 100}
