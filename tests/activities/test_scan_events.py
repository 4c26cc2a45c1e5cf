"""What the steps of a run say to the audit trail: each once, however often the step is taken, and in our own words."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.scans import AdmitScan, CloseScan, RecordDelivery, ScanActivities, ScanPorts
from domain.audit.events import AuditEvent, Origin
from domain.errors import Unavailable
from domain.scans.notifications import ChannelKind, Delivery, DeliveryState
from domain.scans.scan import Execution, ExecutionStatus, Leaving, ScanEnd, ScanPlan, ScanRequest, TriggeredBy
from domain.schedules.schedule import Cadence, Schedule, ScheduleStatus, ScheduleType
from tests.fakes_scans import FakeEngines, FakeRuns, ScriptedEngine
from tests.rig import ORIGIN
from tests.stores.samples import AT, LATER, new_event, new_id, new_tenant
from tests.stores.test_isolation import Everything, Owned, furnish, order

HOOK = "https://hooks.example/scan?token=canary-in-the-address"
SCHEDULER = Origin("scheduler", "the schedule")


@dataclass
class Runs:
    """One tenant with a schedule that a run holds, and the steps."""

    everything: Everything = field(default_factory=Everything)
    runs: FakeRuns = field(default_factory=FakeRuns)
    thing: Owned = field(init=False)

    def __post_init__(self) -> None:
        tenant = new_tenant()
        self.everything.core.tenants.create(tenant, new_event(tenant.tenant_id))
        self.thing = furnish(self.everything, tenant.tenant_id)
        core, scans = self.everything.core, self.everything.scans
        engines = FakeEngines(inside=ScriptedEngine())
        ports = ScanPorts(
            scans.schedules, scans.executions, core.tenants, core.accounts, core.audit, engines, self.runs
        )
        self.steps = ScanActivities(ports, pause_after=3)

    @property
    def events(self) -> list[AuditEvent]:
        return list(self.everything.core.ledger.of(self.thing.tenant_id))

    def taken(self, step: str, given: Any, *, activity_id: str = "1", times: int = 2) -> list[AuditEvent]:
        """What the trail has got by it."""
        before = self.events
        for _ in range(times):
            environment = ActivityEnvironment()
            environment.info = replace(environment.info, workflow_id="scan:t:s-2026", activity_id=activity_id)
            environment.run(getattr(self.steps, step), given)
        return [event for event in self.events if event not in before]

    def request(self, **changes: Any) -> ScanRequest:
        request = ScanRequest(self.thing.tenant_id, self.thing.schedule.schedule_id, SCHEDULER, spec_version=1)
        return replace(request, **changes)

    def changed(self, **changes: Any) -> Schedule:
        rows, schedule_id = self.everything.scans.schedule_rows, self.thing.schedule.schedule_id
        rows[schedule_id] = replace(rows[schedule_id], **changes)
        return rows[schedule_id]

    def ended(self, code: str | None) -> AuditEvent:
        execution, tenant_id = self.thing.execution, self.thing.tenant_id
        plan = ScanPlan(
            order(tenant_id, self.thing.account_id, execution.execution_id), AT, self.thing.ref, "te-1", in_process=True
        )
        end = ScanEnd(ExecutionStatus.FAILED if code else ExecutionStatus.COMPLETED, LATER, code)
        request = self.request(triggered_by=TriggeredBy.API)
        [event] = self.taken("close_scan", CloseScan(plan, request, ORIGIN, end))
        return event


@pytest.fixture
def runs() -> Runs:
    return Runs()


def test_a_scheduled_run_that_is_left_out_says_why_and_to_whom_it_left(runs: Runs):
    [left] = runs.taken("admit_scan", AdmitScan(runs.request(), new_id(), LATER, nominal(runs)))
    assert (left.action, left.outcome, left.at) == ("scan.left", "left", LATER)
    assert (left.actor, left.request_id) == (SCHEDULER.actor, SCHEDULER.request_id)
    assert left.target == f"schedule:{runs.thing.schedule.schedule_id}"
    assert left.details == {"reason": Leaving.RUNNING, "execution": runs.thing.execution.execution_id}


@pytest.mark.parametrize(
    ("changes", "leaving"),
    [({"status": ScheduleStatus.PAUSED}, Leaving.PAUSED), ({"spec_version": 2}, Leaving.CHANGED)],
    ids=["paused", "changed"],
)
def test_so_does_one_whose_schedule_is_not_what_it_was(runs: Runs, changes: dict[str, Any], leaving: Leaving):
    runs.changed(running_execution_id=None, **changes)
    [left] = runs.taken("admit_scan", AdmitScan(runs.request(), new_id(), LATER, nominal(runs)))
    assert left.details == {"reason": leaving}


@pytest.mark.parametrize("triggered_by", [TriggeredBy.API, TriggeredBy.MANUAL])
def test_who_triggered_a_run_is_answered_and_the_trail_is_not(runs: Runs, triggered_by: TriggeredBy):
    request = runs.request(triggered_by=triggered_by)
    assert runs.taken("admit_scan", AdmitScan(request, new_id(), LATER)) == []


def test_while_the_trail_cannot_be_written_no_run_is_left_out(runs: Runs):
    runs.everything.core.ledger.down = True
    with pytest.raises(Unavailable):
        runs.taken("admit_scan", AdmitScan(runs.request(), new_id(), LATER, nominal(runs)))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (None, None),
        ("credential_refused", "credential_refused"),
        ("unavailable", "unavailable"),
        ("timed_out", "timed_out"),
        ("engine_failed", "engine_failed"),
        ("akia_canary_of_an_engine", "engine_failed"),
    ],
)
def test_the_end_of_a_run_says_why_it_failed_in_a_word_of_ours(runs: Runs, code: str | None, reason: str | None):
    event = runs.ended(code)
    assert event.action == "scan.ended"
    assert event.details.get("reason") == reason
    assert event.details["schedule"] == runs.thing.schedule.schedule_id


def test_what_an_engine_said_stays_on_the_execution(runs: Runs):
    runs.ended("akia_canary_of_an_engine")
    assert kept(runs).error_code == "akia_canary_of_an_engine"


@pytest.mark.parametrize(("state", "code"), [(DeliveryState.DELIVERED, None), (DeliveryState.FAILED, "unavailable")])
def test_a_notification_says_how_it_ended_and_not_to_whom(runs: Runs, state: DeliveryState, code: str | None):
    execution_id = runs.thing.execution.execution_id
    delivery = Delivery(ChannelKind.WEBHOOK, HOOK, state, LATER, code)
    [event] = runs.taken("record_delivery", RecordDelivery(runs.thing.tenant_id, execution_id, delivery, 2))
    assert (event.action, event.outcome, event.target) == ("delivery.ended", state.value, f"execution:{execution_id}")
    assert (event.actor, event.at) == ("system", LATER)
    assert event.details == {"channel": "webhook", "number": "2"} | ({"reason": code} if code else {})
    assert "canary" not in repr(event)
    assert kept(runs).deliveries == (delivery,)


def test_two_notifications_of_one_moment_are_two_events(runs: Runs):
    execution_id = runs.thing.execution.execution_id
    found = []
    for number in ("1", "2"):
        delivery = Delivery(ChannelKind.WEBHOOK, f"{HOOK}{number}", DeliveryState.DELIVERED, LATER)
        step = RecordDelivery(runs.thing.tenant_id, execution_id, delivery)
        found += runs.taken("record_delivery", step, activity_id=number)
    assert len({event.event_id for event in found}) == 2
    assert len(kept(runs).deliveries) == 2


def test_a_run_that_takes_over_says_what_it_closed(runs: Runs):
    gone = runs.thing.execution
    runs.runs.gone.add(gone.workflow_id)
    events = runs.taken("admit_scan", AdmitScan(runs.request(), new_id(), LATER, nominal(runs)))
    assert {(event.action, event.target == f"execution:{gone.execution_id}") for event in events} == {
        ("scan.started", False),
        ("scan.ended", True),
    }
    assert len(events) == 2


def nominal(runs: Runs) -> str:
    """A moment at which the schedule fires: the row is an hourly one that has not run."""
    hourly = Cadence(ScheduleType.CRON, cron_expression="0 * * * *")
    row = runs.changed(cadence=hourly, created_at="2025-01-01T00:00:00.000Z", last_run_at=None)
    assert row.cadence is hourly
    return f"{LATER[:13]}:00:00Z"


@pytest.mark.parametrize(
    "moment", [None, "whenever", "2026-11-24T10:30:00Z", "2026-11-24T10:00:01Z", "2026-11-24T12:00:00Z"]
)
def test_a_firing_at_a_time_that_is_not_the_schedules_is_left_out(runs: Runs, moment: str | None):
    nominal(runs)
    runs.changed(running_execution_id=None)
    [left] = runs.taken("admit_scan", AdmitScan(runs.request(), new_id(), LATER, moment))
    assert left.details == {"reason": Leaving.NOT_DUE}


def test_a_firing_before_the_last_run_is_left_out(runs: Runs):
    due = nominal(runs)
    runs.changed(running_execution_id=None, last_run_at=LATER)
    [left] = runs.taken("admit_scan", AdmitScan(runs.request(), new_id(), LATER, due))
    assert left.details == {"reason": Leaving.NOT_DUE}


def test_a_run_that_has_ended_does_not_run_again(runs: Runs):
    runs.ended(None)
    step = AdmitScan(runs.request(triggered_by=TriggeredBy.API), runs.thing.execution.execution_id, LATER)
    assert runs.taken("admit_scan", step) == []
    environment = ActivityEnvironment()
    assert environment.run(runs.steps.admit_scan, step).leaving is Leaving.ENDED


def kept(runs: Runs) -> Execution:
    return runs.everything.scans.executions.get(runs.thing.tenant_id, runs.thing.execution.execution_id)
