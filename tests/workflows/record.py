"""Record a history of each scenario without one: `make histories`. A recorded history is a promise: a changed workflow
must still be able to go on from any point of it. Only one that no deployed worker can have left behind may be removed,
to be recorded anew."""

import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.client import Client, WorkflowHandle

from temporal.program import run_program
from tests.rig import PLUGIN, Rig
from tests.servers import temporal_client
from tests.workflows import probe_scenarios, scan_scenarios, scenarios, schedule_scenarios, seal_scenarios

HISTORIES = Path(__file__).parent / "histories"

Play = Callable[[Client], Awaitable[WorkflowHandle[Any, Any]]]


async def _onboarding(name: str, client: Client) -> WorkflowHandle[Any, Any]:
    return await scenarios.play(name, Rig(client))


SCENARIOS: dict[str, Play] = {
    **{f"onboard_account.{name}": partial(_onboarding, name) for name in scenarios.SCENARIOS},
    **{f"probe_credential.{name}": partial(probe_scenarios.play, name) for name in probe_scenarios.SCENARIOS},
    **{f"seal_audits.{name}": partial(seal_scenarios.play, name) for name in seal_scenarios.SCENARIOS},
    **{f"run_scan.{name}": partial(scan_scenarios.play, run) for name, run in scan_scenarios.SCENARIOS.items()},
    **{
        f"converge_schedule.{name}": partial(schedule_scenarios.play_converging, converging)
        for name, converging in schedule_scenarios.CONVERGING.items()
    },
    **{
        f"reconcile.{name}": partial(schedule_scenarios.play_sweeping, sweeping)
        for name, sweeping in schedule_scenarios.SWEEPING.items()
    },
}
"""By the name of the file of the workflow, and what happens to it."""


async def main() -> None:
    with TemporaryDirectory() as folder:
        async with temporal_client(Path(folder), plugins=[PLUGIN]) as client:
            await record(client)


async def record(client: Client) -> None:
    for name, play in SCENARIOS.items():
        path = HISTORIES / f"{name}.json"
        if not path.exists():
            workflow = await play(client)
            history = json.loads((await workflow.fetch_history()).to_json())
            path.write_text(json.dumps(_without_machine(history, workflow.id), indent=1) + "\n")


def _without_machine(history: dict[str, object], workflow_id: str) -> dict[str, object]:
    """Without the names of the machine that recorded it; with the workflow id, which a replay needs."""
    text = re.sub(r'"identity": "[^"]*"', '"identity": "worker"', json.dumps(history))
    text = re.sub(r'"workerInstanceKey": "[^"]*"', '"workerInstanceKey": "worker"', text)
    return {"workflowId": workflow_id, **json.loads(text)}


if __name__ == "__main__":
    run_program(main())
