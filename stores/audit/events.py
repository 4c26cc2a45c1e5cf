"""Audit events in DynamoDB. They are written by the ledger, and changed by nobody."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from domain.audit.events import EVERYTHING, AuditEvent, AuditFilter
from domain.callers.tenants import PLATFORM
from domain.pages import MAX_PAGE, Page
from stores import cursors
from stores.dynamodb.items import Row, expressions, from_item, is_id, to_item
from stores.dynamodb.ledger import Ledger
from stores.dynamodb.structure import structured
from stores.dynamodb.tables import TableNames
from stores.errors import aws_failures
from stores.reading import Reader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_EXACT = ("action", "actor", "target")
_FIRST = "0"
"""Before every id; DynamoDB takes no empty text as part of a key."""


class DynamoAuditStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._table = names.audit_events
        self._ledger = Ledger(dynamodb, names)

    @aws_failures()
    def record(self, event: AuditEvent) -> None:
        self._ledger.commit(event)

    @aws_failures()
    def page(
        self, tenant_id: str, wanted: AuditFilter = EVERYTHING, *, limit: int, cursor: str | None
    ) -> Page[AuditEvent]:
        if tenant_id != PLATFORM and not is_id(tenant_id):
            return Page(())
        scope = ("audit", tenant_id, *(f"{name}={value}" for name, value in asdict(wanted).items() if value))
        request = _request(tenant_id, wanted)
        request |= {"TableName": self._table, "Limit": min(limit, MAX_PAGE), "ConsistentRead": True}
        if cursor:
            start = {"tenant_id": tenant_id, "event_id": cursors.decode(cursor, scope)}
            request["ExclusiveStartKey"] = to_item(start)
        answer = self._dynamodb.query(**request)
        found = READER.all(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return Page(found.things, unreadable=found.unreadable)
        last = from_item(answer["LastEvaluatedKey"])
        return Page(found.things, cursors.encode(last["event_id"], scope), found.unreadable)


def _request(tenant_id: str, wanted: AuditFilter) -> dict[str, Any]:
    """An id begins with its time, so the moments are bounds of the key; the rest is compared after the limit."""
    values, key = {"tenant_id": tenant_id, "since": wanted.since or _FIRST}, "#tenant_id = :tenant_id AND "
    if wanted.until is None:
        key += "#event_id >= :since"
    else:
        # Both bounds of BETWEEN are within it, and no id is a bare moment.
        values["until"], key = max(wanted.until, values["since"]), key + "#event_id BETWEEN :since AND :until"
    exact = {name: value for name in _EXACT if (value := getattr(wanted, name)) is not None}
    texts = {"KeyConditionExpression": key}
    if exact:
        texts["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in exact)
    return expressions({**values, **exact}, **texts)


def _from_row(row: Row) -> AuditEvent:
    return structured(AuditEvent, row)


READER = Reader("audit_events", ("tenant_id", "event_id"), _from_row)
