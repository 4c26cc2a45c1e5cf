"""Record a history of each scenario: `make histories`. A recorded history is a promise: a changed workflow must still
be able to go on from any point of it, so record anew only what no deployed worker can have left behind."""

import asyncio
import json
import re
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from tests.rig import PLUGIN, Rig
from tests.workflows.conftest import TEMPORAL
from tests.workflows.scenarios import SCENARIOS, play
from workflows import search_attributes

HISTORIES = Path(__file__).parent / "histories"


async def main() -> None:
    environment = await WorkflowEnvironment.start_local(
        plugins=[PLUGIN], dev_server_existing_path=TEMPORAL, search_attributes=search_attributes.ALL
    )
    async with environment:
        for name in SCENARIOS:
            onboarding = await play(name, Rig(environment.client))
            history = json.loads((await onboarding.fetch_history()).to_json())
            path = HISTORIES / f"onboard_account.{name}.json"
            path.write_text(json.dumps(_without_machine(history, onboarding.id), indent=1) + "\n")


def _without_machine(history: dict[str, object], workflow_id: str) -> dict[str, object]:
    """Without the names of the machine that recorded it; with the workflow id, which a replay needs."""
    text = re.sub(r'"identity": "[^"]*"', '"identity": "worker"', json.dumps(history))
    text = re.sub(r'"workerInstanceKey": "[^"]*"', '"workerInstanceKey": "worker"', text)
    return {"workflowId": workflow_id, **json.loads(text)}


if __name__ == "__main__":
    asyncio.run(main())
