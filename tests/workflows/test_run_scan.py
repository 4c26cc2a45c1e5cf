"""RunScan on the real server: how a run ends, and what is left of it."""

import asyncio
import threading
from dataclasses import replace
from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from domain.audit.events import Origin
from domain.callers.tenants import TenantStatus
from domain.errors import CredentialRefused, Internal, InvalidInput, NotFound, OnboardingError, Problem, Unavailable
from domain.onboarding.messages import Cancellation
from domain.scans.notifications import Channel, ChannelKind, DeliveryState, NotificationSettings
from domain.scans.scan import CheckStatus, EngineProgress, ExecutionStatus, Leaving, ScanRequest, ScanState, TriggeredBy
from domain.schedules.schedule import FAILED_REPEATEDLY, Cadence, ChangeKind, Schedule, ScheduleStatus, ScheduleType
from tests.fakes_scans import DeafEngine, FakeEngines, ScriptedEngine, finding
from tests.patience import PATIENCE_SECONDS
from tests.rig import ORIGIN, code_of, eventually, until_set
from tests.scan_rig import PAUSE_AFTER, WEBHOOK, Run, ScanRig
from tests.stores.samples import new_event
from tests.workflows.scan_scenarios import left_without_an_engine
from workflows.ids import scan_id
from workflows.scans.run_scan import RunScan

GONE = Problem("role_not_assumable", "The role cannot be assumed.", step="identify", remedy="Look at its trust policy.")


@pytest.fixture
def rig(environment: WorkflowEnvironment) -> ScanRig:
    return ScanRig(environment.client)


async def ended(rig: ScanRig, run: Run) -> ExecutionStatus:
    await run.result()
    return rig.execution(run).status


def starts(rig: ScanRig) -> int:
    return [event.action for event in rig.stores.ledger.of(rig.tenant_id)].count("scan.started")


def ends(rig: ScanRig) -> int:
    return [event.action for event in rig.stores.ledger.of(rig.tenant_id)].count("scan.ended")


async def test_a_run_stores_its_findings_closes_its_row_and_lets_the_schedule_go(rig: ScanRig):
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule)
        outcome = await run.result()
    execution, row = rig.execution(run), rig.row(schedule)
    assert (outcome.state, outcome.counts.total) == (ScanState.COMPLETED, 3)
    assert (execution.status, execution.counts.passed, execution.counts.errors) == (ExecutionStatus.COMPLETED, 1, 1)
    assert execution.result_location == rig.scans.results.get(rig.tenant_id, execution.execution_id).location
    assert (row.running_execution_id, row.run_count, row.success_count) == (None, 1, 1)
    assert (starts(rig), ends(rig)) == (1, 1)


async def test_those_whom_it_concerns_are_told_and_the_row_shows_it(rig: ScanRig):
    rig.notifier.script.append(Unavailable(retry_after=0.1))
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule)
        await run.result()
    [(channel, notification, _)] = rig.notifier.delivered
    [delivery] = rig.execution(run).deliveries
    assert (channel, notification.status, notification.total_checks) == (WEBHOOK, "completed", 3)
    assert delivery.state is DeliveryState.DELIVERED


async def test_a_channel_that_can_never_work_is_shown_as_failed(rig: ScanRig):
    rig.notifier.script.append(InvalidInput())
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule)
        await run.result()
    [delivery] = rig.execution(run).deliveries
    assert (delivery.state, delivery.code) == (DeliveryState.FAILED, "invalid_input")


async def test_of_several_channels_the_trail_says_by_number_which_one_did_not_work(rig: ScanRig):
    channels = tuple(Channel(ChannelKind.WEBHOOK, f"https://hooks.example/{name}") for name in "abc")
    rig.notifier.unwilling.add(channels[1].target)
    async with rig.worker():
        run = await rig.trigger(rig.stored(notifications=NotificationSettings(True, True, channels)))
        await run.result()
    events = [event for event in rig.stores.ledger.of(rig.tenant_id) if event.action == "delivery.ended"]
    outcomes = ["delivered", "failed", "delivered"]
    assert [event.outcome for event in sorted(events, key=lambda event: event.details["number"])] == outcomes
    deliveries = rig.execution(run).deliveries
    assert [(each.target, each.state.value) for each in deliveries] == [
        (channel.shown, outcome) for channel, outcome in zip(channels, outcomes, strict=True)
    ]


async def test_a_topic_whose_account_is_not_the_tenants_is_told_nothing(rig: ScanRig):
    rig.active_account("111122223333")
    channels = tuple(
        Channel(ChannelKind.SNS, f"arn:aws:sns:eu-west-1:{of}:scans") for of in (111122223333, 999988887777)
    )
    async with rig.worker():
        run = await rig.trigger(rig.stored(notifications=NotificationSettings(True, True, channels)))
        await run.result()
    assert [channel for channel, _, _ in rig.notifier.delivered] == [channels[0]]
    assert [each.state for each in rig.execution(run).deliveries] == [DeliveryState.DELIVERED, DeliveryState.FAILED]


@pytest.mark.parametrize("wishes", [(False, True), (False, False)])
async def test_nobody_is_told_of_a_success_who_did_not_ask(rig: ScanRig, wishes: tuple[bool, bool]):
    schedule = rig.stored(notifications=NotificationSettings(*wishes, channels=(WEBHOOK,)))
    async with rig.worker():
        run = await rig.trigger(schedule)
        await run.result()
    assert (rig.notifier.delivered, rig.execution(run).deliveries) == ([], ())


async def test_a_cloud_that_is_down_for_a_moment_costs_nothing(rig: ScanRig):
    inside(rig).script.append(Unavailable(retry_after=0.1))
    schedule = rig.stored()
    async with rig.worker():
        assert await ended(rig, await rig.trigger(schedule)) is ExecutionStatus.COMPLETED


async def test_a_credential_that_is_refused_fails_the_run_with_its_code(rig: ScanRig):
    inside(rig).script.append(CredentialRefused(problems=[GONE]))
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule)
        assert await ended(rig, run) is ExecutionStatus.FAILED
    execution = rig.execution(run)
    assert (execution.error_code, execution.problems) == ("credential_refused", (GONE,))
    assert rig.row(schedule).consecutive_failures == 1


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NotFound("The secret is gone."), "The secret is gone."),
        (Internal("It was a KeyError."), Internal.default_message),
    ],
    ids=["our own error", "a bug"],
)
async def test_a_run_that_nothing_can_mend_says_why_in_a_sentence(rig: ScanRig, error: OnboardingError, sentence: str):
    inside(rig).script += [error] * 50
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule, max_seconds=2)
        assert await ended(rig, run) is ExecutionStatus.FAILED
    assert [problem.message for problem in rig.execution(run).problems] == [sentence]


async def test_failures_in_a_row_pause_the_schedule_until_somebody_resumes_it(rig: ScanRig):
    async with rig.worker():
        schedule = await rig.change(ChangeKind.CREATE, rig.schedule())
        for _ in range(PAUSE_AFTER):
            inside(rig).script.append(CredentialRefused(problems=[GONE]))
            await ended(rig, await rig.trigger(schedule))
        paused = rig.row(schedule)
        assert (paused.status, paused.status_reason) == (ScheduleStatus.ERROR, FAILED_REPEATEDLY)
        assert paused.problems == (GONE,)
        await eventually(lambda: is_paused(rig, schedule, True))
        successor = replace(
            paused, status=ScheduleStatus.ACTIVE, status_reason=None, spec_version=paused.spec_version + 1
        )
        resumed = await rig.change(ChangeKind.UPDATE, successor)
        assert (resumed.status, resumed.consecutive_failures) == (ScheduleStatus.ACTIVE, 0)
        await eventually(lambda: is_paused(rig, schedule, False))


async def test_a_second_run_leaves_and_names_the_first(rig: ScanRig):
    schedule, hold = rig.stored(), held(rig)
    async with rig.worker():
        first = await rig.trigger(schedule)
        await until_set(inside(rig).reached)
        second = await rig.trigger(schedule)
        admission = await second.execute_update(RunScan.admitted, "the run")
        hold.set()
        assert await ended(rig, first) is ExecutionStatus.COMPLETED
        assert (await second.result()).state is ScanState.LEFT
    assert (admission.leaving, admission.running_execution_id) == (
        Leaving.RUNNING,
        rig.execution(first).execution_id,
    )
    assert (starts(rig), ends(rig)) == (1, 1)


async def test_a_claim_whose_workflow_was_terminated_is_taken_over(rig: ScanRig):
    schedule, hold = rig.stored(), held(rig)
    async with rig.worker():
        first = await rig.trigger(schedule)
        await until_set(inside(rig).reached)
        await first.terminate()
        hold.set()
        assert await ended(rig, await rig.trigger(schedule)) is ExecutionStatus.COMPLETED
    abandoned = rig.execution(first)
    assert (abandoned.status, abandoned.error_code) == (ExecutionStatus.FAILED, "abandoned")


async def test_a_cancelled_scan_stops_and_its_row_says_so(rig: ScanRig):
    schedule, _ = rig.stored(), held(rig)
    async with rig.worker():
        run = await rig.trigger(schedule)
        await until_set(inside(rig).reached)
        await run.execute_update(RunScan.cancel, Cancellation(ORIGIN))
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await ended(rig, run) is ExecutionStatus.CANCELLED
    row = rig.row(schedule)
    assert (row.running_execution_id, row.success_count, row.failure_count) == (None, 0, 0)
    assert rig.notifier.delivered == []


async def test_a_cancel_that_comes_too_late_is_refused_and_the_row_names_the_scan_s_own_end(rig: ScanRig):
    hold = threading.Event()
    engine = rig.engines.inside = DeafEngine(hold=hold)
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule)
        await until_set(engine.reached)
        canceller = Cancellation(Origin("key:canceller", "request-2"))
        update = await run.start_update(RunScan.cancel, canceller, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        hold.set()
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await update.result()
        assert await ended(rig, run) is ExecutionStatus.COMPLETED
    [event] = [event for event in rig.stores.ledger.of(rig.tenant_id) if event.action == "scan.ended"]
    assert code_of(refused.value) == "conflict"
    assert (event.outcome, event.actor, event.request_id) == ("completed", ORIGIN.actor, ORIGIN.request_id)


async def test_the_built_in_engine_is_to_end_before_the_run_does_also_when_it_starts_late(rig: ScanRig):
    inside(rig).script.append(Unavailable(retry_after=1.0))
    schedule = rig.stored()
    async with rig.worker():
        assert await ended(rig, await rig.trigger(schedule, max_seconds=30)) is ExecutionStatus.COMPLETED
    first, second = inside(rig).max_seconds
    assert second < first - 0.5
    assert 10 < first <= 25


async def test_a_scan_that_takes_too_long_says_so(rig: ScanRig):
    schedule, _ = rig.stored(), held(rig)
    async with rig.worker():
        run = await rig.trigger(schedule, max_seconds=2)
        assert await ended(rig, run) is ExecutionStatus.FAILED
    execution = rig.execution(run)
    assert (execution.error_code, [problem.code for problem in execution.problems]) == ("timed_out", ["timed_out"])
    assert execution.problems[0].remedy


async def test_an_operators_cancel_closes_the_row_too(rig: ScanRig):
    schedule, _ = rig.stored(), held(rig)
    async with rig.worker():
        run = await rig.trigger(schedule)
        await until_set(inside(rig).reached)
        await run.cancel()
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert rig.execution(run).status is ExecutionStatus.CANCELLED


async def test_a_scan_that_has_ended_cannot_be_cancelled(rig: ScanRig):
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule)
        await run.result()
        with pytest.raises(RPCError, match="completed"):
            await run.execute_update(RunScan.cancel, Cancellation(ORIGIN))


class TestWithAnEngineElsewhere:
    @pytest.fixture
    def engine(self, rig: ScanRig) -> ScriptedEngine:
        engine = ScriptedEngine()
        rig.engines = FakeEngines(inside=ScriptedEngine(), elsewhere=engine)
        return engine

    async def test_it_is_asked_polled_and_its_findings_are_stored(self, rig: ScanRig, engine: ScriptedEngine):
        engine.script += [EngineProgress(ExecutionStatus.RUNNING, 10), EngineProgress(ExecutionStatus.RUNNING, 60)]
        schedule = rig.stored()
        async with rig.worker():
            run = await rig.trigger(schedule)
            assert await ended(rig, run) is ExecutionStatus.COMPLETED
        assert [order.execution_id for order in engine.started] == [rig.execution(run).execution_id]
        assert inside(rig).started == []

    async def test_no_history_grows_while_it_is_polled(self, rig: ScanRig, engine: ScriptedEngine):
        engine.script += [EngineProgress(ExecutionStatus.RUNNING)] * 3
        schedule = rig.stored()
        async with rig.worker():
            run = await rig.trigger(schedule)
            await run.result()
            history = await run.fetch_history()
        polls = [
            event
            for event in history.events
            if event.activity_task_scheduled_event_attributes.activity_type.name == "poll_outside_scan"
        ]
        assert len(polls) == 1

    async def test_its_own_failure_is_the_runs(self, rig: ScanRig, engine: ScriptedEngine):
        engine.script.append(EngineProgress(ExecutionStatus.FAILED, error_code="out_of_memory"))
        schedule = rig.stored()
        async with rig.worker():
            run = await rig.trigger(schedule)
            assert await ended(rig, run) is ExecutionStatus.FAILED
        execution = rig.execution(run)
        assert (execution.error_code, [p.code for p in execution.problems]) == ("out_of_memory", ["out_of_memory"])

    async def test_a_cancel_reaches_it(self, rig: ScanRig, engine: ScriptedEngine):
        engine.hold = threading.Event()
        schedule = rig.stored()
        async with rig.worker():
            run = await rig.trigger(schedule)
            await until_set(engine.reached)
            await run.execute_update(RunScan.cancel, Cancellation(ORIGIN))
            assert await ended(rig, run) is ExecutionStatus.CANCELLED
        assert engine.cancelled == [rig.execution(run).execution_id]

    async def test_one_that_took_all_the_time_to_start_is_looked_at_once(self, rig: ScanRig, engine: ScriptedEngine):
        engine.starts_after = 1.5
        schedule = rig.stored()
        async with rig.worker():
            run = await rig.trigger(schedule, max_seconds=1)
            assert await ended(rig, run) is ExecutionStatus.COMPLETED

    async def test_one_that_never_ends_is_stopped_and_the_run_has_failed(self, rig: ScanRig, engine: ScriptedEngine):
        engine.hold = threading.Event()
        schedule = rig.stored()
        async with rig.worker():
            run = await rig.trigger(schedule, max_seconds=2)
            assert await ended(rig, run) is ExecutionStatus.FAILED
        assert rig.execution(run).error_code == "timed_out"
        assert engine.cancelled == [rig.execution(run).execution_id]


class TestARunThatIsNotToBe:
    """It leaves without a row."""

    async def left(self, rig: ScanRig, schedule: Schedule, **changes: object) -> Leaving | None:
        async with rig.worker():
            run = await rig.trigger(schedule, **changes)
            outcome = await run.result()
        assert (outcome.state, starts(rig)) == (ScanState.LEFT, 0)
        return outcome.leaving

    async def test_of_a_schedule_that_was_deleted(self, rig: ScanRig):
        assert await self.left(rig, rig.schedule()) is Leaving.DELETED

    async def test_of_an_older_version(self, rig: ScanRig):
        assert await self.left(rig, rig.stored(spec_version=2), spec_version=1) is Leaving.CHANGED

    @pytest.mark.parametrize(("fired", "leaving"), [("00", None), ("01", Leaving.REPEATED_HOUR)])
    async def test_of_an_hour_that_the_clocks_repeat(self, rig: ScanRig, fired: str, leaving: Leaving | None):
        """On that day in Berlin 02:30 came at 00:30 UTC, and again at 01:30 UTC."""
        nightly = Cadence(ScheduleType.CRON, cron_expression="30 2 * * *", timezone="Europe/Berlin")
        schedule = rig.stored(cadence=nightly)
        request = ScanRequest(rig.tenant_id, schedule.schedule_id, ORIGIN, spec_version=1)
        async with rig.worker():
            outcome = await rig.client.execute_workflow(
                RunScan.run,
                request,
                id=f"{scan_id(rig.tenant_id, schedule.schedule_id)}-2026-10-25T{fired}:30:00Z",
                task_queue=rig.queue,
            )
        assert outcome.leaving is leaving

    async def test_of_a_disabled_tenant(self, rig: ScanRig):
        schedule, tenants = rig.stored(), rig.stores.tenants
        tenant = tenants.get(rig.tenant_id)
        disabled = replace(tenant, status=TenantStatus.DISABLED, version=tenant.version + 1)
        tenants.update(disabled, new_event(rig.tenant_id))
        assert await self.left(rig, schedule) is Leaving.TENANT

    async def test_of_an_account_that_is_not_active(self, rig: ScanRig):
        schedule = rig.stored()
        schedule = replace(schedule, account_id=str(uuid4()))
        rig.scans.schedule_rows[schedule.schedule_id] = schedule
        assert await self.left(rig, schedule) is Leaving.ACCOUNT

    async def test_of_a_cloud_that_nothing_scans(self, rig: ScanRig):
        rig.engines = FakeEngines()
        assert await self.left(rig, rig.stored()) is Leaving.NO_ENGINE


async def test_a_scan_that_decides_nothing_is_no_success(rig: ScanRig):
    inside(rig).found = (finding(CheckStatus.ERROR),)
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule)
        outcome = await run.result()
    execution = rig.execution(run)
    assert (outcome.state, execution.error_code) == (ScanState.FAILED, "nothing_scanned")
    assert (execution.counts.errors, execution.counts.partial) == (1, False)
    assert execution.result_location is not None
    assert rig.row(schedule).failure_count == 1


async def test_a_schedule_that_fires_without_an_engine_says_so_and_stops(rig: ScanRig):
    async with rig.worker():
        outcome = await (await left_without_an_engine(rig)).result()
        [shown] = rig.scans.schedule_rows.values()

        async def stopped() -> bool:
            described = await rig.client.get_schedule_handle(shown.schedule_id).describe()
            return described.schedule.state.paused

        await eventually(stopped)
    assert (outcome.state, outcome.leaving) == (ScanState.LEFT, Leaving.NO_ENGINE)
    assert (shown.status, shown.status_reason) == (ScheduleStatus.ERROR, "no_engine")
    assert [problem.code for problem in shown.problems] == ["no_engine"]
    assert shown.last_skip is not None
    assert shown.last_skip.reason == "no_engine"


async def test_what_somebody_triggers_runs_although_the_schedule_is_paused(rig: ScanRig):
    schedule = rig.stored(status=ScheduleStatus.PAUSED)
    async with rig.worker():
        assert await ended(rig, await rig.trigger(schedule)) is ExecutionStatus.COMPLETED


async def test_a_request_of_another_tenant_is_refused(rig: ScanRig):
    schedule = rig.stored()
    async with rig.worker():
        run = await rig.trigger(schedule, tenant_id=str(uuid4()))
        with pytest.raises(WorkflowFailureError):
            await run.result()
    assert starts(rig) == 0


async def test_a_run_survives_the_loss_of_every_cache(rig: ScanRig):
    schedule = rig.stored()
    async with rig.worker(max_cached_workflows=0):
        assert await ended(rig, await rig.trigger(schedule)) is ExecutionStatus.COMPLETED


async def test_a_worker_that_stops_hands_the_scan_to_the_next(rig: ScanRig):
    schedule, hold = rig.stored(), held(rig)
    async with rig.worker():
        run = await rig.trigger(schedule, triggered_by=TriggeredBy.MANUAL)
        await until_set(inside(rig).reached)
    inside(rig).hold = hold
    hold.set()
    async with rig.worker():
        assert await ended(rig, run) is ExecutionStatus.COMPLETED


def inside(rig: ScanRig) -> ScriptedEngine:
    assert rig.engines.inside is not None
    return rig.engines.inside


def held(rig: ScanRig) -> threading.Event:
    hold = inside(rig).hold = threading.Event()
    return hold


async def is_paused(rig: ScanRig, schedule: Schedule, wanted: bool) -> bool:
    described = await rig.client.get_schedule_handle(schedule.schedule_id).describe()
    return described.schedule.state.paused is wanted
