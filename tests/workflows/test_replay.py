"""Every recorded history can still be replayed: a change that breaks a workflow under way fails here."""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from composition.workflow_types import ONBOARDING, SCANS
from temporal.client import plugin
from tests.workflows.record import HISTORIES, SCENARIOS

RECORDED = sorted(HISTORIES.glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path):
    await _replay(read(path))


def test_each_scenario_is_recorded():
    assert {path.stem for path in RECORDED} >= set(SCENARIOS)


async def test_a_history_of_another_workflow_does_not_replay():
    recorded = read(HISTORIES / "onboard_account.active.json")
    for event in recorded["events"]:
        scheduled = event.get("activityTaskScheduledEventAttributes", {})
        if scheduled.get("activityType", {}).get("name") == "activate_account":
            scheduled["activityType"]["name"] = "something_else"
    with pytest.raises(Exception, match="Nondeterminism"):
        await _replay(recorded)


async def _replay(recorded: dict[str, Any]) -> None:
    history = WorkflowHistory.from_json(str(recorded.pop("workflowId")), recorded)
    await Replayer(workflows=[*ONBOARDING, *SCANS], plugins=[plugin()]).replay_workflow(history)
