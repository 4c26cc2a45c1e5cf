"""One run of a schedule for each way it can end, played like the onboardings of `scenarios`."""

import contextlib
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace

from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateStage

from domain.errors import CredentialRefused, InvalidInput, OnboardingError, Problem, Unavailable
from domain.onboarding.messages import Cancellation
from domain.scans.scan import CheckStatus, EngineProgress, ExecutionStatus, ScanRequest
from domain.schedules.schedule import Cadence, ChangeKind, Schedule, ScheduleStatus, ScheduleType
from tests.fakes import FakeStores
from tests.fakes_scans import DeafEngine, ScriptedEngine, finding
from tests.rig import ORIGIN, Held, until_set
from tests.scan_rig import PAUSE_AFTER, Run, ScanRig
from workflows.ids import scan_id
from workflows.scans.run_scan import RunScan

Scenario = Callable[[ScanRig], Awaitable[Run]]


async def completed(rig: ScanRig) -> Run:
    """By the built-in engine, with a notification."""
    run = await rig.trigger(rig.stored())
    await run.execute_update(RunScan.admitted, "the run")
    return run


async def completed_elsewhere(rig: ScanRig) -> Run:
    running = EngineProgress(ExecutionStatus.RUNNING, 50)
    elsewhere(rig, running, running)
    return await rig.trigger(rig.stored())


async def completed_by_schedule(rig: ScanRig) -> Run:
    return await _fired(rig, rig.stored())


async def completed_once(rig: ScanRig) -> Run:
    """A one-time schedule completes, and Temporal has to follow."""
    once = Cadence(ScheduleType.ONE_TIME, run_at="2026-11-23T02:00:00.000Z")
    return await _fired(rig, await rig.change(ChangeKind.CREATE, rig.schedule(cadence=once)))


async def completed_after_an_outage(rig: ScanRig) -> Run:
    inside(rig).script.append(Unavailable(retry_after=0.1))
    return await rig.trigger(rig.stored())


async def completed_unnotified(rig: ScanRig) -> Run:
    rig.notifier.script.append(InvalidInput())
    return await rig.trigger(rig.stored())


async def failed(rig: ScanRig) -> Run:
    inside(rig).script.append(CredentialRefused(problems=[Problem("unknown_key", "AWS does not know this key.")]))
    return await rig.trigger(rig.stored())


async def failed_elsewhere(rig: ScanRig) -> Run:
    elsewhere(rig, EngineProgress(ExecutionStatus.FAILED, error_code="out_of_memory"))
    return await rig.trigger(rig.stored())


async def failed_once_too_often(rig: ScanRig) -> Run:
    """The schedule is paused by it, and Temporal has to follow."""
    schedule = await rig.change(ChangeKind.CREATE, rig.schedule())
    row = rig.row(schedule)
    rig.scans.schedule_rows[row.schedule_id] = replace(row, consecutive_failures=PAUSE_AFTER - 1)
    inside(rig).script.append(CredentialRefused())
    return await rig.trigger(schedule)


async def timed_out(rig: ScanRig) -> Run:
    inside(rig).hold = threading.Event()
    return await rig.trigger(rig.stored(), max_seconds=2)


async def timed_out_elsewhere(rig: ScanRig) -> Run:
    elsewhere(rig).hold = threading.Event()
    return await rig.trigger(rig.stored(), max_seconds=2)


async def cancelled(rig: ScanRig) -> Run:
    run = await _held(rig, inside(rig))
    await run.execute_update(RunScan.cancel, Cancellation(ORIGIN))
    return run


async def cancelled_elsewhere(rig: ScanRig) -> Run:
    run = await _held(rig, elsewhere(rig))
    await run.execute_update(RunScan.cancel, Cancellation(ORIGIN))
    return run


async def cancelled_by_operator(rig: ScanRig) -> Run:
    run = await _held(rig, inside(rig))
    await run.cancel()
    return run


async def cancelled_before_it_was_admitted(rig: ScanRig) -> Run:
    """The claim is on its way; the scan never starts."""
    schedule = rig.stored()
    claim = held(rig)
    run = await rig.trigger(schedule)
    await until_set(claim.reached)
    await run.start_update(RunScan.cancel, Cancellation(ORIGIN), wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    claim.let_go()
    return run


async def cancelled_too_late(rig: ScanRig) -> Run:
    """The engine hears of nothing until it has found everything."""
    engine = rig.engines.inside = DeafEngine(hold=threading.Event())
    run = await _held(rig, engine)
    await run.start_update(RunScan.cancel, Cancellation(ORIGIN), wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    assert engine.hold is not None
    engine.hold.set()
    return run


async def left(rig: ScanRig) -> Run:
    """Its schedule is gone."""
    return await rig.trigger(rig.schedule())


async def left_by_schedule(rig: ScanRig) -> Run:
    """The firing crosses with somebody's pause."""
    return await _fired(rig, rig.stored(status=ScheduleStatus.PAUSED))


async def left_without_an_engine(rig: ScanRig) -> Run:
    """The schedule says so, and Temporal has to follow."""
    row = await rig.change(ChangeKind.CREATE, rig.schedule())
    rig.engines.inside = None
    return await _fired(rig, row)


async def nothing_scanned(rig: ScanRig) -> Run:
    inside(rig).found = (finding(CheckStatus.ERROR),)
    return await rig.trigger(rig.stored())


async def left_to_another(rig: ScanRig) -> Run:
    schedule = rig.stored()
    hold = inside(rig).hold = threading.Event()
    first = await rig.trigger(schedule)
    await until_set(inside(rig).reached)
    second = await rig.trigger(schedule)
    await second.execute_update(RunScan.admitted, "the run")
    hold.set()
    await first.result()
    return second


async def taken_over(rig: ScanRig) -> Run:
    """From a run whose workflow was terminated."""
    schedule = rig.stored()
    hold = inside(rig).hold = threading.Event()
    first = await rig.trigger(schedule)
    await until_set(inside(rig).reached)
    await first.terminate()
    hold.set()
    return await rig.trigger(schedule)


async def refused(rig: ScanRig) -> Run:
    return await rig.trigger(rig.stored(), tenant_id="00000000-0000-4000-8000-000000000000")


def inside(rig: ScanRig) -> ScriptedEngine:
    assert rig.engines.inside is not None
    return rig.engines.inside


def elsewhere(rig: ScanRig, *script: OnboardingError | EngineProgress) -> ScriptedEngine:
    """An engine behind a URL; the built-in one then has nothing to do."""
    rig.engines.elsewhere = ScriptedEngine([*script])
    return rig.engines.elsewhere


def hold(rig: ScanRig, method: str) -> None:
    """From the next worker on, the method of the store of schedules waits until it is let go."""
    rig.scans.schedules = Held(rig.scans.schedules, method)  # type: ignore[assignment]


def held(rig: ScanRig) -> Held:
    """What waits there."""
    assert isinstance(rig.scans.schedules, Held)
    return rig.scans.schedules


async def play(scenario: Scenario, client: Client, stores: FakeStores | None = None) -> Run:
    """Play a scenario to the end of its workflow."""
    rig = ScanRig(client, stores or FakeStores())
    if scenario is cancelled_before_it_was_admitted:
        hold(rig, "claim")
    async with rig.worker():
        run = await scenario(rig)
        # A failure is an ending like the others: the history is what counts.
        with contextlib.suppress(WorkflowFailureError):
            await run.result()
    return run


async def _held(rig: ScanRig, engine: ScriptedEngine) -> Run:
    """A run in the middle of its scan."""
    engine.hold = engine.hold or threading.Event()
    run = await rig.trigger(rig.stored())
    await until_set(engine.reached)
    return run


async def _fired(rig: ScanRig, schedule: Schedule) -> Run:
    """As the Temporal Schedule starts it."""
    request = ScanRequest(
        tenant_id=rig.tenant_id,
        schedule_id=schedule.schedule_id,
        origin=ORIGIN,
        spec_version=schedule.spec_version,
        converge_queue=rig.queue,
    )
    workflow_id = f"{scan_id(rig.tenant_id, schedule.schedule_id)}-2026-11-23T02:00:00Z"
    return await rig.client.start_workflow(RunScan.run, request, id=workflow_id, task_queue=rig.queue)


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        completed,
        completed_elsewhere,
        completed_by_schedule,
        completed_once,
        completed_after_an_outage,
        completed_unnotified,
        failed,
        failed_elsewhere,
        failed_once_too_often,
        timed_out,
        timed_out_elsewhere,
        cancelled,
        cancelled_elsewhere,
        cancelled_by_operator,
        cancelled_before_it_was_admitted,
        cancelled_too_late,
        left,
        left_by_schedule,
        left_without_an_engine,
        nothing_scanned,
        left_to_another,
        taken_over,
        refused,
    )
}
