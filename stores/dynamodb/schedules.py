"""Schedules in DynamoDB. The desired state changes with `spec_version`; a run's claim and the counters do not touch it
unless the run changes the status."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from domain.accounts import AccountStatus
from domain.audit.events import AuditEvent
from domain.errors import AlreadyExists, Conflict, NotFound, OnboardingError, StaleVersion, UnreadableRow
from domain.pages import Page
from domain.scans.scan import Execution, ScanEnd
from domain.schedules.schedule import Schedule, ScheduleStatus, Skip
from stores.dynamodb.items import Row, from_item, is_id, to_item
from stores.dynamodb.ledger import Ledger, check, delete, put, update
from stores.dynamodb.paging import Listing, page_of
from stores.dynamodb.runs import RunWrites
from stores.dynamodb.schedule_rows import SCHEDULES, schedule_to_row
from stores.dynamodb.tables import SCHEDULES_BY_ACCOUNT, SCHEDULES_BY_TENANT, TableNames
from stores.errors import aws_failures
from stores.reading import owner_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoScheduleStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._names = names
        self._ledger = Ledger(dynamodb, names)
        self._runs = RunWrites(names)

    @aws_failures()
    def create(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        if not is_id(schedule.account_id) or not is_id(schedule.schedule_id):
            raise NotFound
        account = check(
            self._names.accounts,
            {"account_id": schedule.account_id},
            condition="#tenant_id = :tenant_id AND #status IN (:active, :limited, :degraded)",
            tenant_id=schedule.tenant_id,
            active=AccountStatus.ACTIVE,
            limited=AccountStatus.ACTIVE_LIMITED,
            degraded=AccountStatus.DEGRADED,
            refusal=lambda row: _not_active(row, schedule.tenant_id),
        )
        row = put(
            self._names.schedules,
            schedule_to_row(schedule),
            condition="attribute_not_exists(#schedule_id)",
            refusal=lambda _: AlreadyExists("A schedule with this id exists."),
        )
        self._ledger.commit(event, account, row)
        return self.get(schedule.tenant_id, schedule.schedule_id)

    @aws_failures()
    def get(self, tenant_id: str, schedule_id: str) -> Schedule:
        row = self._row(schedule_id)
        if row.get("tenant_id") != tenant_id:
            raise NotFound
        return SCHEDULES.one(row)

    @aws_failures()
    def tenant_of(self, schedule_id: str) -> str:
        return owner_of(self._row(schedule_id))

    @aws_failures()
    def replace(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        before = self.get(schedule.tenant_id, schedule.schedule_id)
        change: dict[str, object] = {
            "name": schedule.name,
            "description": schedule.description,
            "cadence": asdict(schedule.cadence),
            "scope": asdict(schedule.scope),
            "notifications": asdict(schedule.notifications),
            "status": schedule.status,
            "status_reason": schedule.status_reason or "",
            "problems": [asdict(problem) for problem in schedule.problems],
            "spec_version": schedule.spec_version,
            "updated_at": event.at,
        }
        if schedule.fires and not before.fires:
            change["consecutive_failures"] = 0
        row = update(
            self._names.schedules,
            {"schedule_id": schedule.schedule_id},
            change,
            condition="#tenant_id = :tenant_id AND #spec_version = :seen",
            tenant_id=schedule.tenant_id,
            seen=schedule.spec_version - 1,
            refusal=lambda found: StaleVersion() if found else NotFound(),
        )
        self._ledger.commit(event, row)
        return self.get(schedule.tenant_id, schedule.schedule_id)

    @aws_failures()
    def close_channels(self, schedule: Schedule, event: AuditEvent) -> None:
        self.get(schedule.tenant_id, schedule.schedule_id)
        row = update(
            self._names.schedules,
            {"schedule_id": schedule.schedule_id},
            {"notifications": asdict(schedule.notifications)},
            condition="#tenant_id = :tenant_id AND #spec_version = :seen",
            tenant_id=schedule.tenant_id,
            seen=schedule.spec_version,
            refusal=lambda found: StaleVersion() if found else NotFound(),
        )
        self._ledger.commit(event, row)

    @aws_failures()
    def delete(self, tenant_id: str, schedule_id: str, event: AuditEvent) -> None:
        try:
            found = self._row(schedule_id)
        except NotFound:
            return
        if found.get("tenant_id") != tenant_id:
            return
        row = delete(
            self._names.schedules,
            {"schedule_id": schedule_id},
            condition="attribute_not_exists(#schedule_id) OR #tenant_id = :tenant_id",
            tenant_id=tenant_id,
            refusal=lambda _: NotFound(),
        )
        self._ledger.commit(event, row)

    @aws_failures()
    def claim(self, schedule: Schedule, execution: Execution, event: AuditEvent, *, stale: str | None = None) -> None:
        self._ledger.commit(event, *self._runs.claim(schedule, execution, event, stale=stale))

    @aws_failures()
    def release(self, execution: Execution, end: ScanEnd, event: AuditEvent, *, pause_after: int) -> Schedule | None:
        before = self._found(execution.tenant_id, execution.schedule_id)
        self._ledger.commit(event, *self._runs.release(before, execution, end, event, pause_after=pause_after))
        return self._found(execution.tenant_id, execution.schedule_id)

    @aws_failures()
    def note_skip(self, schedule: Schedule, skip: Skip, event: AuditEvent) -> None:
        row = update(
            self._names.schedules,
            {"schedule_id": schedule.schedule_id},
            {"last_skip": asdict(skip)},
            condition="#tenant_id = :tenant_id",
            tenant_id=schedule.tenant_id,
            refusal=lambda _: NotFound(),
        )
        try:
            self._ledger.commit(event, row)
        except NotFound:
            self._ledger.commit(event)

    @aws_failures()
    def page(
        self,
        tenant_id: str | None,
        *,
        account_id: str | None,
        status: ScheduleStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Schedule]:
        if not all(is_id(wanted) for wanted in (tenant_id, account_id) if wanted is not None):
            return Page(())
        listing = self._listing(tenant_id, account_id, status)
        return page_of(self._dynamodb, listing, SCHEDULES, limit=limit, cursor=cursor)

    def _listing(self, tenant_id: str | None, account_id: str | None, status: ScheduleStatus | None) -> Listing:
        """The account's index is the narrower one; its rows are still held to the tenant."""
        filters: dict[str, object] = {"status": status} if status else {}
        if tenant_id is None:
            return Listing(self._names.schedules, None, {}, filters, ("schedule_id",))
        if account_id is None:
            partition = {"tenant_id": tenant_id}
            return Listing(self._names.schedules, SCHEDULES_BY_TENANT, partition, filters, ("schedule_id",))
        filters["tenant_id"] = tenant_id
        partition = {"account_id": account_id}
        return Listing(self._names.schedules, SCHEDULES_BY_ACCOUNT, partition, filters, ("schedule_id",))

    def _found(self, tenant_id: str, schedule_id: str) -> Schedule | None:
        """None also for a row that cannot be read: what ends is closed all the same, and the sweep lets go of it."""
        try:
            return self.get(tenant_id, schedule_id)
        except (NotFound, UnreadableRow):
            return None

    def _row(self, schedule_id: str) -> Row:
        if not is_id(schedule_id):
            raise NotFound
        key = to_item({"schedule_id": schedule_id})
        answer = self._dynamodb.get_item(TableName=self._names.schedules, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            raise NotFound
        return from_item(answer["Item"])


def _not_active(account: Row | None, tenant_id: str) -> OnboardingError:
    if account is None or account.get("tenant_id") != tenant_id:
        return NotFound()
    return Conflict("The account is not active; onboard it before it is scheduled.")
