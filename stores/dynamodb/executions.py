"""Executions in DynamoDB: read here, and written by the schedule store together with the schedule, but for what became
of their notifications."""

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from domain.audit.events import AuditEvent
from domain.errors import NotFound, StaleVersion, Throttled
from domain.pages import Page
from domain.scans.notifications import Delivery, in_its_place
from domain.scans.scan import Execution
from stores.dynamodb.items import Row, from_item, is_id, to_item
from stores.dynamodb.ledger import Ledger, Write, unless_foreign, update
from stores.dynamodb.paging import Listing, page_of
from stores.dynamodb.schedule_rows import EXECUTIONS
from stores.dynamodb.tables import EXECUTIONS_BY_ACCOUNT, EXECUTIONS_BY_SCHEDULE, TableNames
from stores.errors import aws_failures
from stores.reading import owner_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TRIES = 5
"""Channels of one run are told at the same time, so two deliveries may meet."""


class DynamoExecutionStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._table = names.executions
        self._ledger = Ledger(dynamodb, names)

    @aws_failures()
    def get(self, tenant_id: str, execution_id: str) -> Execution:
        row = self._row(execution_id)
        if row.get("tenant_id") != tenant_id:
            raise NotFound
        return EXECUTIONS.one(row)

    @aws_failures()
    def tenant_of(self, execution_id: str) -> str:
        return owner_of(self._row(execution_id))

    @aws_failures()
    def record_delivery(self, tenant_id: str, execution_id: str, delivery: Delivery, event: AuditEvent) -> None:
        for _ in range(TRIES):
            seen = self.get(tenant_id, execution_id).deliveries
            with suppress(StaleVersion):
                told = in_its_place(seen, delivery)
                self._ledger.commit(event, self._replaced(tenant_id, execution_id, seen, told))
                return
        raise Throttled

    @aws_failures()
    def page(
        self, tenant_id: str, *, schedule_id: str | None, account_id: str | None, limit: int, cursor: str | None
    ) -> Page[Execution]:
        name, index = ("schedule_id", EXECUTIONS_BY_SCHEDULE) if schedule_id else ("account_id", EXECUTIONS_BY_ACCOUNT)
        wanted = schedule_id or account_id or ""
        if not is_id(wanted) or not is_id(tenant_id):
            return Page(())
        position = ("started_at", "execution_id")
        listing = Listing(self._table, index, {name: wanted}, {"tenant_id": tenant_id}, position, newest_first=True)
        return page_of(self._dynamodb, listing, EXECUTIONS, limit=limit, cursor=cursor)

    def _replaced(
        self, tenant_id: str, execution_id: str, seen: tuple[Delivery, ...], deliveries: tuple[Delivery, ...]
    ) -> Write:
        return update(
            self._table,
            {"execution_id": execution_id},
            {"deliveries": [asdict(each) for each in deliveries]},
            condition="#tenant_id = :tenant_id AND #deliveries = :seen",
            tenant_id=tenant_id,
            seen=[asdict(each) for each in seen],
            refusal=lambda row: unless_foreign(row, tenant_id, StaleVersion()),
        )

    def _row(self, execution_id: str) -> Row:
        if not is_id(execution_id):
            raise NotFound
        key = to_item({"execution_id": execution_id})
        answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            raise NotFound
        return from_item(answer["Item"])
