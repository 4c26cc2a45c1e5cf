"""A workflow that is started past the API, under one tenant's name and for another one's schedule, does nothing."""

from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from domain.schedules.schedule import ChangeKind, ConvergeRequest
from tests.scan_rig import ScanRig
from workflows.ids import converge_id
from workflows.schedules.converge_schedule import ConvergeSchedule


@pytest.mark.parametrize("repair", [True, False], ids=["repair", "change"])
async def test_a_workflow_id_of_another_tenant_than_the_request_is_refused(
    environment: WorkflowEnvironment, repair: bool
):
    rig = ScanRig(environment.client)
    async with rig.worker():
        schedule = await rig.change(ChangeKind.CREATE, rig.schedule())
        before = rig.row(schedule), rig.stores.ledger.of(rig.tenant_id)
        with pytest.raises(WorkflowFailureError):
            await rig.client.execute_workflow(
                ConvergeSchedule.run,
                ConvergeRequest(rig.tenant_id, schedule.schedule_id, repair=repair),
                id=converge_id(str(uuid4()), schedule.schedule_id),
                task_queue=rig.queue,
            )
        assert (rig.row(schedule), rig.stores.ledger.of(rig.tenant_id)) == before
