"""What comes to the workflows past the API, for what is another tenant's, does nothing and learns nothing."""

from dataclasses import replace
from uuid import uuid4

import pytest
from temporalio.client import (
    ScheduleHandle,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from domain.onboarding.messages import OnboardingView
from domain.scans.scan import ScanState
from domain.schedules.schedule import ChangeKind, ConvergeRequest, Schedule, ScheduleChange
from tests.rig import AT, ORIGIN, Rig
from tests.scan_rig import ScanRig
from workflows.ids import converge_id, onboarding_id
from workflows.onboarding.onboard_account import OnboardAccount
from workflows.schedules.converge_schedule import ConvergeSchedule


@pytest.fixture
def rig(environment: WorkflowEnvironment) -> ScanRig:
    return ScanRig(environment.client)


def temporal_schedule(rig: ScanRig, schedule: Schedule) -> ScheduleHandle:
    return rig.client.get_schedule_handle(schedule.schedule_id)


async def attempt(
    rig: ScanRig, request: ConvergeRequest, schedule: Schedule, kind: ChangeKind, *, workflow_id: str
) -> bool:
    """Send the change to a workflow of that id. Whether it was refused."""
    change = ScheduleChange(kind, schedule, ORIGIN, change_id=str(uuid4()), at=AT)
    start = WithStartWorkflowOperation(
        ConvergeSchedule.run,
        request,
        id=workflow_id,
        task_queue=rig.queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    try:
        await rig.client.execute_update_with_start_workflow(
            ConvergeSchedule.apply, change, start_workflow_operation=start, id=change.change_id
        )
    except (WorkflowUpdateFailedError, RPCError):
        return True
    return False


WAYS = ("their schedule, my tenant", "my id, their request", "my id and request, their change")


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize("way", WAYS)
async def test_a_change_of_another_tenants_schedule_does_nothing(rig: ScanRig, kind: ChangeKind, way: str):
    stranger = str(uuid4())
    async with rig.worker():
        schedule = await rig.change(ChangeKind.CREATE, rig.schedule())
        theirs = ConvergeRequest(rig.tenant_id, schedule.schedule_id)
        mine, successor = replace(theirs, tenant_id=stranger), replace(schedule, spec_version=2, name="Mine now")
        request, change = {
            WAYS[0]: (mine, replace(successor, tenant_id=stranger)),
            WAYS[1]: (theirs, successor),
            WAYS[2]: (mine, successor),
        }[way]
        before = rig.row(schedule), rig.stores.ledger.of(rig.tenant_id)
        refused = await attempt(rig, request, change, kind, workflow_id=converge_id(stranger, schedule.schedule_id))
        # To delete what is not there is no error, and their schedule is not there for a stranger.
        assert refused == (kind is not ChangeKind.DELETE or way != WAYS[0])
        assert (rig.row(schedule), rig.stores.ledger.of(rig.tenant_id)) == before
        assert (await temporal_schedule(rig, schedule).describe()).info.next_action_times


async def test_a_repair_of_another_tenants_schedule_does_nothing(rig: ScanRig):
    stranger = str(uuid4())
    async with rig.worker():
        schedule = await rig.change(ChangeKind.CREATE, rig.schedule())
        await rig.client.execute_workflow(
            ConvergeSchedule.run,
            ConvergeRequest(stranger, schedule.schedule_id, repair=True),
            id=converge_id(stranger, schedule.schedule_id),
            task_queue=rig.queue,
        )
        assert (await temporal_schedule(rig, schedule).describe()).info.next_action_times


async def test_a_run_of_another_tenants_schedule_is_not_let_in(rig: ScanRig):
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(replace(schedule, tenant_id=str(uuid4())))
        assert (await run.result()).state is ScanState.LEFT
    assert rig.row(schedule).running_execution_id is None
    assert rig.scans.execution_rows == {}


# Queries: what an onboarding says of itself


async def view(rig: Rig, tenant_id: str, account_id: str) -> OnboardingView:
    """As the API asks: by the id that follows from tenant and account."""
    return await rig.client.get_workflow_handle(onboarding_id(tenant_id, account_id)).query(OnboardAccount.view)


async def test_a_query_in_another_tenants_name_finds_nothing(environment: WorkflowEnvironment):
    """So it answers as for an account that there never was."""
    rig, stranger = Rig(environment.client), str(uuid4())
    request = rig.request()
    async with rig.worker():
        onboarding = await rig.start(request)
        await onboarding.execute_update(OnboardAccount.registered, "the row")
        assert (await view(rig, rig.tenant_id, request.account_id)).account_id == request.account_id
        for tenant_id, account_id in ((stranger, request.account_id), (rig.tenant_id, str(uuid4()))):
            with pytest.raises(RPCError) as missing:
                await view(rig, tenant_id, account_id)
            assert missing.value.status is RPCStatusCode.NOT_FOUND
        await rig.cancel(onboarding)
        await onboarding.result()


WRONG_IDS = ("their request, my id", "my request, their id")


@pytest.mark.parametrize("way", WRONG_IDS)
async def test_a_workflow_that_names_two_tenants_answers_no_query_with_anything_of_theirs(
    environment: WorkflowEnvironment, way: str
):
    """Its starter learns what the starter said; their account is not looked at, and nothing is written."""
    rig, mine = Rig(environment.client), str(uuid4())
    theirs = rig.request(account_name="Theirs")
    async with rig.worker():
        onboarding = await rig.start(theirs)
        await onboarding.execute_update(OnboardAccount.registered, "the row")
        before = rig.stores.ledger.all(), rig.account(onboarding)
        request = theirs if way == WRONG_IDS[0] else replace(theirs, tenant_id=mine, account_id=str(uuid4()))
        named = mine if way == WRONG_IDS[0] else rig.tenant_id
        foreign = await rig.start(request, workflow_id=onboarding_id(named, str(uuid4())))
        with pytest.raises(WorkflowFailureError):
            await foreign.result()
        answer = await foreign.query(OnboardAccount.view)
        assert (answer.attempts, answer.history, answer.account_number) == (0, (), None)
        assert (rig.stores.ledger.all(), rig.account(onboarding)) == before
        await rig.cancel(onboarding)
        await onboarding.result()
