"""ConvergeSchedule and Reconcile, each of their ways played like the onboardings of `scenarios`."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError

from domain.commands import RecurringRequest
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from domain.schedules.schedule import Cadence, ChangeKind, ConvergeRequest, Schedule, ScheduleStatus, ScheduleType
from temporal.setup import ensure_namespace, ensure_search_attributes
from tests.fakes import FakeStores
from tests.fakes_scans import ScriptedEngine
from tests.rig import PLUGIN, eventually, until_set
from tests.scan_rig import ScanRig
from tests.workflows.scan_scenarios import held, hold
from workflows import search_attributes
from workflows.ids import converge_id
from workflows.schedules.converge_schedule import ConvergeSchedule
from workflows.upkeep.reconcile import Reconcile, Swept

Handle = WorkflowHandle[ConvergeSchedule, None]
Converging = Callable[[ScanRig], Awaitable[Schedule]]
Sweeping = Callable[[ScanRig], Awaitable[None]]


async def created(rig: ScanRig) -> Schedule:
    """With a signing secret."""
    schedule, change_id = rig.schedule(), str(uuid4())
    context = SealContext(rig.tenant_id, schedule.schedule_id, change_id, SealPurpose.WEBHOOK)
    sealed = rig.stores.sealer.seal(Credential("webhook_secret", {"secret": "0123456789abcdef"}), context)
    return await rig.change(ChangeKind.CREATE, schedule, change_id=change_id, sealed_secret=sealed)


async def changed(rig: ScanRig) -> Schedule:
    row = await _standing(rig)
    return await rig.change(ChangeKind.UPDATE, successor(row, ScheduleStatus.PAUSED))


async def changed_while_it_is_made(rig: ScanRig) -> Schedule:
    """Both changes in one run."""
    making, schedule = held(rig), rig.schedule()
    first = asyncio.create_task(rig.change(ChangeKind.CREATE, schedule))
    await until_set(making.reached)
    second = asyncio.create_task(rig.change(ChangeKind.UPDATE, successor(schedule, ScheduleStatus.PAUSED)))
    await eventually(lambda: _has_accepted(rig, schedule, 2))
    making.let_go()
    await first
    return await second


async def refused(rig: ScanRig) -> Schedule:
    """The caller saw an older version."""
    row = await _standing(rig)
    with contextlib.suppress(WorkflowUpdateFailedError):
        await rig.change(ChangeKind.UPDATE, row)
    return row


async def deleted(rig: ScanRig) -> Schedule:
    return await rig.change(ChangeKind.DELETE, await _standing(rig))


async def repaired(rig: ScanRig) -> Schedule:
    row = rig.stored()
    request = ConvergeRequest(row.tenant_id, row.schedule_id, repair=True)
    workflow_id = converge_id(row.tenant_id, row.schedule_id)
    await rig.client.execute_workflow(ConvergeSchedule.run, request, id=workflow_id, task_queue=rig.queue)
    return row


async def swept(rig: ScanRig) -> None:
    """One of each kind to mend."""
    rig.stored()
    rig.stored(cadence=Cadence(ScheduleType.ONE_TIME, run_at="2026-01-31T02:00:00.000Z"))
    orphan = await _standing(rig)
    del rig.scans.schedule_rows[orphan.schedule_id]
    engine = rig.engines.inside = ScriptedEngine(hold=threading.Event())
    run = await rig.trigger(rig.stored())
    await until_set(engine.reached)
    await run.terminate()
    rig.pending_account()
    await eventually(lambda: _lists(rig, orphan))


async def settled(rig: ScanRig) -> None:
    """The engine was taken away."""
    row = await _standing(rig)
    rig.engines.inside = None
    await eventually(lambda: _lists(rig, row))


async def nothing_to_mend(rig: ScanRig) -> None:
    row = await _standing(rig)
    await eventually(lambda: _lists(rig, row))


def successor(row: Schedule, status: ScheduleStatus) -> Schedule:
    return replace(row, spec_version=row.spec_version + 1, status=status)


async def play_converging(scenario: Converging, client: Client, stores: FakeStores | None = None) -> Handle:
    """Play a scenario to the end of its last workflow."""
    rig = ScanRig(client, stores or FakeStores())
    if scenario is changed_while_it_is_made:
        hold(rig, "create")
    async with rig.worker():
        schedule = await scenario(rig)
        handle = converging(rig, schedule)
        await handle.result()
    return handle


async def play_sweeping(
    scenario: Sweeping, client: Client, stores: FakeStores | None = None
) -> WorkflowHandle[Reconcile, Swept]:
    """In a namespace of its own: a sweep sees every schedule that there is."""
    rig = ScanRig(await _alone(client), stores or FakeStores())
    async with rig.worker():
        await scenario(rig)
        sweep = await rig.client.start_workflow(
            Reconcile.run, RecurringRequest("test"), id=f"reconcile-{uuid4()}", task_queue=rig.queue
        )
        await sweep.result()
    return sweep


def converging(rig: ScanRig, schedule: Schedule) -> Handle:
    workflow_id = converge_id(rig.tenant_id, schedule.schedule_id)
    return rig.client.get_workflow_handle_for(ConvergeSchedule.run, workflow_id)


async def _standing(rig: ScanRig) -> Schedule:
    """A schedule whose making is over."""
    row = await rig.change(ChangeKind.CREATE, rig.schedule())
    await converging(rig, row).result()
    return row


async def _has_accepted(rig: ScanRig, schedule: Schedule, count: int) -> bool:
    history = await converging(rig, schedule).fetch_history()
    accepted = [e for e in history.events if e.HasField("workflow_execution_update_accepted_event_attributes")]
    return len(accepted) == count


async def _lists(rig: ScanRig, schedule: Schedule) -> bool:
    """Visibility follows a moment after the fact."""
    return schedule.schedule_id in await asyncio.to_thread(rig.temporal().listed)


async def _alone(client: Client) -> Client:
    address, namespace = client.service_client.config.target_host, f"sweep-{uuid4()}"
    alone = await Client.connect(address, namespace=namespace, plugins=[PLUGIN])
    await ensure_namespace(alone)
    await ensure_search_attributes(alone, search_attributes.ALL)
    return alone


CONVERGING: dict[str, Converging] = {
    scenario.__name__: scenario for scenario in (created, changed, changed_while_it_is_made, refused, deleted, repaired)
}
SWEEPING: dict[str, Sweeping] = {scenario.__name__: scenario for scenario in (swept, settled, nothing_to_mend)}
