"""Audit events in DynamoDB, for reading. They are written by the ledger only."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from domain.audit import AuditEvent
from domain.pages import MAX_PAGE, Page
from domain.tenants import PLATFORM
from stores import cursors
from stores.failures import aws_failures
from stores.items import Row, expressions, from_item, is_id, to_item
from stores.tables import TableNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAuditStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._table = names.audit_events

    @aws_failures()
    def page(self, tenant_id: str, *, limit: int, cursor: str | None) -> Page[AuditEvent]:
        if tenant_id != PLATFORM and not is_id(tenant_id):
            return Page(())
        scope = ("audit", tenant_id)
        request: dict[str, Any] = expressions(
            {"tenant_id": tenant_id}, KeyConditionExpression="#tenant_id = :tenant_id"
        )
        request |= {"TableName": self._table, "Limit": min(limit, MAX_PAGE), "ConsistentRead": True}
        if cursor:
            start = {"tenant_id": tenant_id, "event_id": cursors.decode(cursor, scope)}
            request["ExclusiveStartKey"] = to_item(start)
        answer = self._dynamodb.query(**request)
        events = [_from_row(from_item(item)) for item in answer["Items"]]
        more = "LastEvaluatedKey" in answer
        return Page(events, cursors.encode(events[-1].event_id, scope) if more else None)


def _from_row(row: Row) -> AuditEvent:
    return AuditEvent(**{field.name: row[field.name] for field in fields(AuditEvent)})
