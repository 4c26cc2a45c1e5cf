"""The contract of the stores for what is decided on the way: each decision has an event of its own, which is written
with the change, waits to be sealed, and holds nothing that somebody typed in."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.audit.events import AuditEvent
from domain.errors import NotFound, OnboardingError, Throttled
from domain.scans.notifications import Delivery, DeliveryState
from domain.scans.runs import missed
from domain.scans.scan import Execution, ExecutionStatus, ScanEnd, TriggeredBy
from domain.schedules.schedule import FAILED_REPEATEDLY, Schedule, ScheduleStatus
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import reply_lost
from tests.stores.samples import AT, LATER, STRANGE_IDS, new_id
from tests.stores.test_schedules import ONCE, REFUSED, WEBHOOK, Owner, active_owner

DELIVERED = Delivery(WEBHOOK.kind, WEBHOOK.target, DeliveryState.DELIVERED, LATER)


@pytest.fixture
def owner(stores: Stores) -> Owner:
    return active_owner(stores)


def since(owner: Owner, before: list[AuditEvent]) -> list[AuditEvent]:
    """What the trail has got since; all of it waits to be sealed."""
    new = [event for event in owner.stores.events(owner.tenant_id) if event not in before]
    waiting = {note.event_id for note in owner.stores.chain.waiting(owner.tenant_id, after="", limit=1000)}
    assert {event.event_id for event in new} <= waiting
    return new


def failed(owner: Owner, execution: Execution, event: AuditEvent, *, pause_after: int) -> Schedule | None:
    end = ScanEnd(ExecutionStatus.FAILED, LATER, "credential_refused", problems=(REFUSED,))
    return owner.stores.schedules.release(execution, end, event, pause_after=pause_after)


def test_a_schedule_that_its_failures_pause_has_an_event_that_says_why(owner: Owner):
    schedule = owner.created()
    execution, event = owner.claimed(schedule), owner.event(at=LATER)
    before = owner.stores.events(owner.tenant_id)
    for _ in range(2):
        failed(owner, execution, event, pause_after=1)
    ended, paused = sorted(since(owner, before), key=lambda one: one.action == "schedule.paused")
    assert ended == event
    assert (paused.action, paused.target) == ("schedule.paused", f"schedule:{schedule.schedule_id}")
    assert (paused.at, paused.actor, paused.request_id) == (event.at, event.actor, event.request_id)
    assert paused.details == {"reason": FAILED_REPEATEDLY, "failures": "1", "execution": execution.execution_id}


def test_a_one_time_schedule_that_completes_has_an_event(owner: Owner):
    schedule = owner.created(cadence=ONCE)
    execution = owner.claimed(schedule)
    before = owner.stores.events(owner.tenant_id)
    owner.released(execution, ExecutionStatus.COMPLETED)
    [completed] = [event for event in since(owner, before) if event.action == "schedule.completed"]
    assert completed.target == f"schedule:{schedule.schedule_id}"
    assert completed.details == {"execution": execution.execution_id}


def test_so_has_one_that_was_given_up_as_its_run_began(owner: Owner):
    schedule = owner.created(cadence=ONCE)
    execution = owner.claimed(schedule)
    owner.stores.schedules.replace(missed(schedule), owner.event(at=LATER))
    before = owner.stores.events(owner.tenant_id)
    owner.released(execution, ExecutionStatus.COMPLETED)
    assert "schedule.completed" in [event.action for event in since(owner, before)]


@pytest.mark.parametrize("status", [ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED])
def test_an_end_that_leaves_the_schedule_as_it_is_has_one_event(owner: Owner, status: ExecutionStatus):
    execution = owner.claimed(owner.created(), triggered_by=TriggeredBy.API)
    before = owner.stores.events(owner.tenant_id)
    owner.released(execution, status)
    assert len(since(owner, before)) == 1


def test_a_paused_schedule_is_not_paused_again(owner: Owner):
    schedule = owner.created(status=ScheduleStatus.PAUSED)
    execution = owner.claimed(schedule)
    before = owner.stores.events(owner.tenant_id)
    failed(owner, execution, owner.event(at=LATER), pause_after=1)
    assert [event.action for event in since(owner, before)] != []
    assert "schedule.paused" not in [event.action for event in since(owner, before)]


def test_a_run_that_a_later_claim_closes_has_an_event_of_its_end(owner: Owner):
    schedule = owner.created()
    gone, execution, event = owner.claimed(schedule), owner.execution(schedule), owner.event(at=LATER)
    before = owner.stores.events(owner.tenant_id)
    for _ in range(2):
        owner.stores.schedules.claim(schedule, execution, event, stale=gone.execution_id)
    [ended] = [found for found in since(owner, before) if found != event]
    assert (ended.action, ended.outcome, ended.target) == ("scan.ended", "failed", f"execution:{gone.execution_id}")
    assert ended.details == {"reason": "abandoned", "schedule": schedule.schedule_id}
    assert (ended.at, ended.actor, ended.request_id) == (event.at, event.actor, event.request_id)


def test_a_claim_whose_stale_run_was_closed_meanwhile_is_to_be_tried_again(owner: Owner):
    schedule = owner.created()
    gone = owner.claimed(schedule)
    owner.released(gone, ExecutionStatus.CANCELLED)
    before = owner.stores.events(owner.tenant_id)
    with pytest.raises(Throttled):
        owner.stores.schedules.claim(schedule, owner.execution(schedule), owner.event(), stale=gone.execution_id)
    assert since(owner, before) == []
    assert owner.stores.executions.get(owner.tenant_id, gone.execution_id).status is ExecutionStatus.CANCELLED
    assert owner.stores.schedules.get(owner.tenant_id, schedule.schedule_id).running_execution_id is None


def test_a_delivery_is_written_with_its_event_and_once(owner: Owner):
    execution, event = owner.claimed(owner.created()), owner.event(at=LATER)
    before = owner.stores.events(owner.tenant_id)
    for delivery in (DELIVERED, replace(DELIVERED, state=DeliveryState.FAILED)):
        owner.stores.executions.record_delivery(owner.tenant_id, execution.execution_id, delivery, event)
    assert owner.stores.executions.get(owner.tenant_id, execution.execution_id).deliveries == (DELIVERED,)
    assert since(owner, before) == [event]


def test_a_delivery_of_what_is_missing_or_anothers_is_written_nowhere(owner: Owner, stores: Stores):
    execution, stranger = owner.claimed(owner.created()), active_owner(stores)
    before = stores.events(stranger.tenant_id)
    for execution_id in (execution.execution_id, new_id(), *STRANGE_IDS):
        with pytest.raises(NotFound):
            stores.executions.record_delivery(stranger.tenant_id, execution_id, DELIVERED, stranger.event())
    assert stores.executions.get(owner.tenant_id, execution.execution_id) == execution
    assert stores.events(stranger.tenant_id) == before


def test_deliveries_that_meet_have_an_event_each(owner: Owner):
    execution = owner.claimed(owner.created())
    before = owner.stores.events(owner.tenant_id)

    def record(number: int) -> None:
        delivery = replace(DELIVERED, target=f"https://hooks.example/{number}")
        owner.stores.executions.record_delivery(owner.tenant_id, execution.execution_id, delivery, owner.event())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, range(4)))
    assert len(owner.stores.executions.get(owner.tenant_id, execution.execution_id).deliveries) == 4
    assert len(since(owner, before)) == 4


@pytest.mark.parametrize("step", ["delivery", "takeover", "pause"])
def test_a_lost_reply_leaves_each_event_once(aws: Aws, step: str):
    owner = active_owner(aws.stores)
    schedule = owner.created()
    execution, event = owner.claimed(schedule, started_at=AT), owner.event(at=LATER)
    later, stores = owner.execution(schedule), aws.stores
    steps = {
        "delivery": (
            1,
            lambda: stores.executions.record_delivery(owner.tenant_id, execution.execution_id, DELIVERED, event),
        ),
        "takeover": (2, lambda: stores.schedules.claim(schedule, later, event, stale=execution.execution_id)),
        "pause": (2, lambda: failed(owner, execution, event, pause_after=1)),
    }
    count, take = steps[step]
    before = stores.events(owner.tenant_id)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(OnboardingError):
        take()
    take()
    assert len(since(owner, before)) == count
