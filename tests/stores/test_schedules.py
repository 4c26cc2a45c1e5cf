"""The contract of ScheduleStore and ExecutionStore: the rows of schedules and of their runs change together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.accounts import AccountStatus
from domain.audit.events import AuditEvent
from domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
    OnboardingError,
    Problem,
    ScanRunning,
    StaleVersion,
)
from domain.onboarding.credentials import CredentialRef
from domain.scans.notifications import Channel, ChannelKind, Delivery, DeliveryState, NotificationSettings
from domain.scans.runs import missed
from domain.scans.scan import Counts, Execution, ExecutionStatus, ScanEnd, StoredResult, TriggeredBy
from domain.schedules.schedule import FAILED_REPEATEDLY, Cadence, ScanScope, Schedule, ScheduleStatus, ScheduleType
from stores.dynamodb.items import from_item, to_item
from stores.dynamodb.schedule_rows import execution_from_row, execution_to_row, schedule_from_row, schedule_to_row
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import reply_lost
from tests.stores.samples import (
    AT,
    FOREIGN,
    LATER,
    STRANGE_IDS,
    activation,
    new_account,
    new_event,
    new_id,
    new_tenant,
)

DAILY = Cadence(ScheduleType.CRON, cron_expression="0 2 * * *", timezone="Europe/Berlin")
ONCE = Cadence(ScheduleType.ONE_TIME, run_at=LATER)
WEBHOOK = Channel(ChannelKind.WEBHOOK, "https://hooks.example/scan")
REFUSED = Problem(
    "missing_permissions", "Permissions are missing.", step="permissions", missing_permissions=("iam:GetRole",)
)
RESULT = StoredResult("s3://bucket/key", Counts(3, 1, 1, 1))


@dataclass(frozen=True)
class Owner:
    """A tenant with an active account."""

    stores: Stores
    tenant_id: str
    account_id: str

    def schedule(self, **changes: Any) -> Schedule:
        schedule = Schedule(
            schedule_id=new_id(),
            tenant_id=self.tenant_id,
            account_id=self.account_id,
            provider_type=new_account(self.tenant_id).provider_type,
            name="Nightly",
            cadence=DAILY,
            created_at=AT,
            updated_at=AT,
            created_by="key:test",
            description="Every night",
            scope=ScanScope(("eu-central-1",), ("iam", "s3"), ("rds",)),
            notifications=NotificationSettings(True, True, (WEBHOOK,), CredentialRef("arn:aws:x", "v1")),
        )
        return replace(schedule, **changes)

    def created(self, **changes: Any) -> Schedule:
        return self.stores.schedules.create(self.schedule(**changes), self.event())

    def event(self, *, at: str = AT) -> AuditEvent:
        return new_event(self.tenant_id, at=at)

    def execution(self, schedule: Schedule, *, started_at: str = AT, **changes: Any) -> Execution:
        execution = Execution(
            execution_id=new_id(),
            tenant_id=schedule.tenant_id,
            account_id=schedule.account_id,
            provider_type=schedule.provider_type,
            schedule_id=schedule.schedule_id,
            workflow_id=f"scan:{schedule.tenant_id}:{new_id()}",
            triggered_by=TriggeredBy.SCHEDULER,
            started_at=started_at,
        )
        return replace(execution, **changes)

    def claimed(self, schedule: Schedule, **changes: Any) -> Execution:
        execution = self.execution(schedule, **changes)
        self.stores.schedules.claim(schedule, execution, self.event())
        return execution

    def released(self, execution: Execution, status: ExecutionStatus, *, pause_after: int = 3) -> Schedule | None:
        end = ScanEnd(status, LATER, result=RESULT if status is ExecutionStatus.COMPLETED else None)
        return self.stores.schedules.release(execution, end, self.event(at=LATER), pause_after=pause_after)

    def run(self, schedule: Schedule, status: ExecutionStatus, **changes: Any) -> Schedule | None:
        current = self.stores.schedules.get(schedule.tenant_id, schedule.schedule_id)
        return self.released(self.claimed(current, **changes), status)


def active_owner(stores: Stores) -> Owner:
    tenant = new_tenant()
    stores.tenants.create(tenant, new_event(tenant.tenant_id))
    account = new_account(tenant.tenant_id)
    stores.accounts.register(account, new_event(tenant.tenant_id))
    stores.accounts.activate(tenant.tenant_id, account.account_id, activation(), new_event(tenant.tenant_id))
    return Owner(stores, tenant.tenant_id, account.account_id)


@pytest.fixture
def owner(stores: Stores) -> Owner:
    return active_owner(stores)


def test_what_is_created_is_read_again(owner: Owner):
    schedule = owner.schedule()
    assert owner.stores.schedules.create(schedule, owner.event()) == schedule
    assert owner.stores.schedules.get(owner.tenant_id, schedule.schedule_id) == schedule
    assert owner.stores.schedules.tenant_of(schedule.schedule_id) == owner.tenant_id


def test_channels_are_closed_and_nothing_else_changes(owner: Owner):
    made, closed = owner.created(), Channel(ChannelKind.WEBHOOK, "https://hooks.example/***", "sealed", "change-1")
    told = replace(made.notifications, channels=(closed,))
    owner.stores.schedules.close_channels(replace(made, name="Other", notifications=told), owner.event())
    assert owner.stores.schedules.get(owner.tenant_id, made.schedule_id) == replace(made, notifications=told)
    with pytest.raises(StaleVersion):
        owner.stores.schedules.close_channels(replace(made, spec_version=2), owner.event())
    for foreign in (replace(made, tenant_id=new_id()), replace(made, schedule_id=new_id())):
        with pytest.raises(NotFound):
            owner.stores.schedules.close_channels(foreign, owner.event())


def test_creating_again_with_the_same_event_changes_nothing(owner: Owner):
    schedule, event = owner.schedule(), owner.event()
    first = owner.stores.schedules.create(schedule, event)
    assert owner.stores.schedules.create(replace(schedule, name="Other"), event) == first


def test_an_id_is_used_once(owner: Owner):
    with pytest.raises(AlreadyExists):
        owner.stores.schedules.create(owner.created(), owner.event())


def test_a_schedule_needs_an_active_account_of_its_own_tenant(owner: Owner, stores: Stores):
    pending = new_account(owner.tenant_id)
    stores.accounts.register(pending, owner.event())
    with pytest.raises(Conflict):
        owner.created(account_id=pending.account_id)
    for account_id in (new_id(), active_owner(stores).account_id, *STRANGE_IDS):
        with pytest.raises(NotFound):
            owner.created(account_id=account_id)
    assert stores.accounts.get(owner.tenant_id, owner.account_id).status is AccountStatus.ACTIVE


@pytest.mark.parametrize("schedule_id", [FOREIGN, *STRANGE_IDS], ids=ascii)
def test_an_unknown_schedule_is_not_found(owner: Owner, schedule_id: str):
    with pytest.raises(NotFound):
        owner.stores.schedules.get(owner.tenant_id, schedule_id)
    with pytest.raises(NotFound):
        owner.stores.schedules.tenant_of(schedule_id)


def test_a_successor_replaces_what_is_wished_and_keeps_what_has_happened(owner: Owner):
    schedule = owner.created()
    owner.run(schedule, ExecutionStatus.FAILED)
    execution = owner.claimed(owner.stores.schedules.get(owner.tenant_id, schedule.schedule_id))
    wished = replace(
        schedule,
        name="Weekly",
        cadence=ONCE,
        scope=ScanScope(),
        notifications=NotificationSettings(),
        status=ScheduleStatus.PAUSED,
        spec_version=2,
    )
    found = owner.stores.schedules.replace(wished, owner.event(at=LATER))
    assert (found.name, found.cadence, found.scope, found.notifications) == (
        "Weekly",
        ONCE,
        ScanScope(),
        NotificationSettings(),
    )
    assert (found.running_execution_id, found.run_count, found.failure_count, found.consecutive_failures) == (
        execution.execution_id,
        1,
        1,
        1,
    )
    assert (found.created_at, found.updated_at) == (AT, LATER)


def test_only_the_next_version_is_taken(owner: Owner):
    schedule = owner.created()
    for version in (1, 3):
        with pytest.raises(StaleVersion):
            owner.stores.schedules.replace(replace(schedule, spec_version=version), owner.event())


def test_replacing_again_with_the_same_event_changes_nothing(owner: Owner):
    schedule, event = owner.created(), owner.event()
    first = owner.stores.schedules.replace(replace(schedule, spec_version=2), event)
    assert owner.stores.schedules.replace(replace(schedule, spec_version=2), event) == first


def test_a_schedule_that_is_set_active_again_has_no_failures_in_a_row(owner: Owner):
    schedule = owner.created()
    owner.run(schedule, ExecutionStatus.FAILED)
    paused = owner.stores.schedules.replace(
        replace(schedule, status=ScheduleStatus.PAUSED, spec_version=2), owner.event()
    )
    resumed = replace(paused, status=ScheduleStatus.ACTIVE, spec_version=3)
    assert paused.consecutive_failures == 1
    assert owner.stores.schedules.replace(resumed, owner.event()).consecutive_failures == 0


def test_a_deleted_schedule_is_gone_and_deleting_it_again_is_no_error(owner: Owner):
    schedule, event = owner.created(), owner.event()
    for _ in range(2):
        owner.stores.schedules.delete(owner.tenant_id, schedule.schedule_id, event)
    with pytest.raises(NotFound):
        owner.stores.schedules.get(owner.tenant_id, schedule.schedule_id)
    assert event in owner.stores.events(owner.tenant_id)


def test_another_tenant_cannot_touch_it(owner: Owner, stores: Stores):
    schedule, stranger = owner.created(), active_owner(stores)
    changes: list[Callable[[], object]] = [
        lambda: stores.schedules.get(stranger.tenant_id, schedule.schedule_id),
        lambda: stores.schedules.replace(
            replace(schedule, tenant_id=stranger.tenant_id, spec_version=2), stranger.event()
        ),
        lambda: stranger.claimed(replace(schedule, tenant_id=stranger.tenant_id)),
    ]
    for change in changes:
        with pytest.raises(NotFound):
            change()
    stores.schedules.delete(stranger.tenant_id, schedule.schedule_id, stranger.event())
    assert stores.schedules.get(owner.tenant_id, schedule.schedule_id) == schedule


def test_a_claim_writes_the_execution_and_holds_the_schedule(owner: Owner):
    schedule = owner.created()
    execution = owner.claimed(schedule)
    held = owner.stores.schedules.get(owner.tenant_id, schedule.schedule_id)
    assert owner.stores.executions.get(owner.tenant_id, execution.execution_id) == execution
    assert (held.running_execution_id, held.last_run_at) == (execution.execution_id, AT)


def test_a_second_run_is_refused_and_told_of_the_first(owner: Owner):
    schedule = owner.created()
    first = owner.claimed(schedule)
    with pytest.raises(ScanRunning) as refused:
        owner.claimed(schedule)
    assert refused.value.execution_id == first.execution_id


def test_of_many_claims_at_once_one_holds(owner: Owner):
    schedule = owner.created()

    def attempt(_: int) -> str:
        try:
            return owner.claimed(schedule).execution_id
        except OnboardingError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    held = owner.stores.schedules.get(owner.tenant_id, schedule.schedule_id).running_execution_id
    assert [outcome for outcome in outcomes if outcome == held] == [held]
    assert set(outcomes) - {held} <= {"scan_running", "throttled"}


def test_claiming_again_with_the_same_event_changes_nothing(owner: Owner):
    schedule, event = owner.created(), owner.event()
    execution = owner.execution(schedule)
    for _ in range(2):
        owner.stores.schedules.claim(schedule, execution, event)
    assert owner.stores.executions.get(owner.tenant_id, execution.execution_id) == execution


def test_a_claim_of_an_older_version_is_refused(owner: Owner):
    schedule = owner.created()
    owner.stores.schedules.replace(replace(schedule, spec_version=2), owner.event())
    with pytest.raises(StaleVersion):
        owner.claimed(schedule)


def test_a_stale_claim_is_taken_over_and_its_execution_closed(owner: Owner):
    schedule = owner.created()
    gone = owner.claimed(schedule)
    execution = owner.execution(schedule)
    owner.stores.schedules.claim(schedule, execution, owner.event(), stale=gone.execution_id)
    closed = owner.stores.executions.get(owner.tenant_id, gone.execution_id)
    held = owner.stores.schedules.get(owner.tenant_id, schedule.schedule_id)
    assert (closed.status, closed.error_code) == (ExecutionStatus.FAILED, "abandoned")
    assert [problem.code for problem in closed.problems] == ["abandoned"]
    assert held.running_execution_id == execution.execution_id


def test_a_claim_that_is_not_the_stale_one_stays(owner: Owner):
    schedule = owner.created()
    owner.claimed(schedule)
    with pytest.raises(ScanRunning):
        owner.stores.schedules.claim(schedule, owner.execution(schedule), owner.event(), stale=new_id())


def test_a_release_closes_the_execution_and_counts_the_run(owner: Owner):
    schedule = owner.created()
    execution = owner.claimed(schedule)
    pending = Delivery(WEBHOOK.kind, WEBHOOK.target, DeliveryState.PENDING, LATER)
    end = ScanEnd(ExecutionStatus.COMPLETED, LATER, result=RESULT, deliveries=(pending,))
    after = owner.stores.schedules.release(execution, end, owner.event(at=LATER), pause_after=3)
    closed = owner.stores.executions.get(owner.tenant_id, execution.execution_id)
    assert after is not None
    assert (after.running_execution_id, after.run_count, after.success_count) == (None, 1, 1)
    assert (closed.status, closed.completed_at, closed.counts) == (ExecutionStatus.COMPLETED, LATER, RESULT.counts)
    assert (closed.result_location, closed.deliveries) == (RESULT.location, (pending,))


def test_why_a_run_failed_is_kept_on_both_rows_when_it_pauses_the_schedule(owner: Owner):
    execution = owner.claimed(owner.created())
    end = ScanEnd(ExecutionStatus.FAILED, LATER, "credential_refused", problems=(REFUSED,))
    paused = owner.stores.schedules.release(execution, end, owner.event(at=LATER), pause_after=1)
    assert owner.stores.executions.get(owner.tenant_id, execution.execution_id).problems == (REFUSED,)
    assert paused is not None
    assert (paused.status_reason, paused.problems) == (FAILED_REPEATEDLY, (REFUSED,))
    resumed = replace(paused, status=ScheduleStatus.ACTIVE, status_reason=None, problems=(), spec_version=3)
    assert owner.stores.schedules.replace(resumed, owner.event(at=LATER)).problems == ()


def test_a_run_that_began_as_its_moment_was_given_up_completes_the_schedule(owner: Owner):
    schedule = owner.created(cadence=ONCE)
    execution = owner.claimed(schedule)
    owner.stores.schedules.replace(missed(schedule), owner.event(at=LATER))
    after = owner.released(execution, ExecutionStatus.COMPLETED)
    assert after is not None
    assert (after.status, after.status_reason, after.problems) == (ScheduleStatus.COMPLETED, None, ())


def test_rows_from_before_problems_were_kept_can_be_read(owner: Owner):
    schedule = owner.schedule()
    rows = schedule_to_row(schedule), execution_to_row(owner.execution(schedule))
    old = [from_item(to_item({name: value for name, value in row.items() if name != "problems"})) for row in rows]
    assert (schedule_from_row(old[0]).problems, execution_from_row(old[1]).problems) == ((), ())


def test_releasing_again_with_the_same_event_changes_nothing(owner: Owner):
    execution = owner.claimed(owner.created())
    end, event = ScanEnd(ExecutionStatus.COMPLETED, LATER, result=RESULT), owner.event(at=LATER)
    first = owner.stores.schedules.release(execution, end, event, pause_after=3)
    assert owner.stores.schedules.release(execution, end, event, pause_after=3) == first


def test_an_execution_ends_once(owner: Owner):
    execution = owner.claimed(owner.created())
    owner.released(execution, ExecutionStatus.COMPLETED)
    with pytest.raises(Conflict):
        owner.released(execution, ExecutionStatus.FAILED)
    assert owner.stores.executions.get(owner.tenant_id, execution.execution_id).status is ExecutionStatus.COMPLETED


def test_failures_in_a_row_pause_the_schedule_and_a_success_forgets_them(owner: Owner):
    schedule = owner.created()
    ends = ["failed", "failed", "completed", "failed", "failed", "cancelled", "failed"]
    states = [after for end in ends if (after := owner.run(schedule, ExecutionStatus(end)))]
    after = states[-1]
    assert [state.fires for state in states] == [True] * 6 + [False]
    assert (after.status_reason, after.spec_version, after.consecutive_failures) == (FAILED_REPEATEDLY, 2, 3)
    assert (after.run_count, after.success_count, after.failure_count) == (7, 1, 5)


@pytest.mark.parametrize(
    ("triggered_by", "status"),
    [(TriggeredBy.SCHEDULER, ScheduleStatus.COMPLETED), (TriggeredBy.API, ScheduleStatus.ACTIVE)],
)
def test_a_one_time_schedule_is_completed_by_firing_and_not_by_hand(
    owner: Owner, triggered_by: TriggeredBy, status: ScheduleStatus
):
    schedule = owner.created(cadence=ONCE)
    after = owner.run(schedule, ExecutionStatus.COMPLETED, triggered_by=triggered_by)
    assert after is not None
    assert after.status is status


def test_a_run_ends_although_its_schedule_was_deleted(owner: Owner):
    schedule = owner.created()
    execution = owner.claimed(schedule)
    owner.stores.schedules.delete(owner.tenant_id, schedule.schedule_id, owner.event())
    assert owner.released(execution, ExecutionStatus.COMPLETED) is None
    assert owner.stores.executions.get(owner.tenant_id, execution.execution_id).final


def test_a_delivery_is_shown_by_channel(owner: Owner):
    execution = owner.claimed(owner.created())
    topic = Channel(ChannelKind.SNS, "arn:aws:sns:ap-south-1:111111111111:scans")
    for channel, state in (
        (WEBHOOK, DeliveryState.PENDING),
        (topic, DeliveryState.FAILED),
        (WEBHOOK, DeliveryState.DELIVERED),
    ):
        delivery = Delivery(channel.kind, channel.target, state, AT, "unavailable")
        owner.stores.executions.record_delivery(owner.tenant_id, execution.execution_id, delivery, owner.event())
    found = owner.stores.executions.get(owner.tenant_id, execution.execution_id).deliveries
    assert {(each.kind, each.state) for each in found} == {
        (ChannelKind.WEBHOOK, DeliveryState.DELIVERED),
        (ChannelKind.SNS, DeliveryState.FAILED),
    }


def test_deliveries_that_meet_are_both_kept(owner: Owner):
    execution = owner.claimed(owner.created())
    targets = [f"https://hooks.example/{number}" for number in range(4)]

    def record(target: str) -> None:
        delivery = Delivery(ChannelKind.WEBHOOK, target, DeliveryState.DELIVERED, AT)
        owner.stores.executions.record_delivery(owner.tenant_id, execution.execution_id, delivery, owner.event())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, targets))
    found = owner.stores.executions.get(owner.tenant_id, execution.execution_id).deliveries
    assert sorted(each.target for each in found) == targets


def test_executions_come_newest_first_and_each_once(owner: Owner):
    schedule = owner.created()
    ids: list[str] = []
    for hour in range(7):
        execution = owner.claimed(schedule, started_at=f"2026-11-24T0{hour}:00:00.000Z")
        owner.released(execution, ExecutionStatus.COMPLETED)
        ids.insert(0, execution.execution_id)
    for schedule_id, account_id in ((schedule.schedule_id, None), (None, owner.account_id)):
        found: list[str] = []
        cursor = None
        while True:
            page = owner.stores.executions.page(
                owner.tenant_id, schedule_id=schedule_id, account_id=account_id, limit=3, cursor=cursor
            )
            found += [each.execution_id for each in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert found == ids


def test_another_tenant_sees_no_executions(owner: Owner, stores: Stores):
    schedule, stranger = owner.created(), active_owner(stores)
    execution = owner.claimed(schedule)
    page = stores.executions.page(
        stranger.tenant_id, schedule_id=schedule.schedule_id, account_id=None, limit=10, cursor=None
    )
    assert list(page.items) == []
    with pytest.raises(NotFound):
        stores.executions.get(stranger.tenant_id, execution.execution_id)


def test_schedules_are_listed_by_tenant_account_and_status(owner: Owner, stores: Stores):
    rows = [owner.created() for _ in range(5)]
    paused = [owner.created(status=ScheduleStatus.PAUSED) for _ in range(2)]
    active_owner(stores).created()

    def listed(tenant_id: str | None, account_id: str | None, status: ScheduleStatus | None) -> set[str]:
        found: set[str] = set()
        cursor = None
        while True:
            page = stores.schedules.page(tenant_id, account_id=account_id, status=status, limit=2, cursor=cursor)
            found |= {row.schedule_id for row in page.items}
            if (cursor := page.next_cursor) is None:
                return found

    everything = {row.schedule_id for row in (*rows, *paused)}
    assert listed(owner.tenant_id, None, None) == everything
    assert listed(owner.tenant_id, owner.account_id, None) == everything
    assert listed(owner.tenant_id, owner.account_id, ScheduleStatus.PAUSED) == {row.schedule_id for row in paused}
    assert listed(active_owner(stores).tenant_id, owner.account_id, None) == set()
    assert listed(None, None, None) > everything


@pytest.mark.parametrize("cursor", ["nonsense", "bm9uc2Vuc2U"])
def test_a_cursor_is_one_of_ours(owner: Owner, cursor: str):
    with pytest.raises(InvalidInput):
        owner.stores.schedules.page(owner.tenant_id, account_id=None, status=None, limit=2, cursor=cursor)


def test_a_claim_whose_reply_was_lost_is_the_same_claim(aws: Aws):
    owner = active_owner(aws.stores)
    schedule, event = owner.created(), owner.event()
    execution = owner.execution(schedule)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(OnboardingError):
        aws.stores.schedules.claim(schedule, execution, event)
    aws.stores.schedules.claim(schedule, execution, event)
    held = aws.stores.schedules.get(owner.tenant_id, schedule.schedule_id)
    assert held.running_execution_id == execution.execution_id
