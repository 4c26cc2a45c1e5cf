"""The digests of the audit trail in DynamoDB, and the notes of events that wait for one."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain.audit.trail import AuditDigest, Note
from domain.callers.tenants import PLATFORM
from domain.errors import StaleVersion
from stores.dynamodb.items import Row, expressions, from_item, is_id
from stores.dynamodb.ledger import delete, put, transact
from stores.dynamodb.structure import structured
from stores.dynamodb.tables import TableNames
from stores.errors import aws_failures
from stores.reading import Reader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DIGITS = 12
"""Of a sequence in its key, which is a text: so it sorts as the numbers do."""
_FIRST = "0"
"""Before every id; DynamoDB takes no empty text as part of a key."""
_MOST_PAGES = 20
"""Of a look for tenants: when one tenant's notes fill them, the others come in turn as these are sealed."""


class DynamoAuditChain:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._digests = names.audit_digests
        self._unsealed = names.audit_unsealed

    @aws_failures()
    def tenants(self, *, before: str, limit: int) -> list[str]:
        found: dict[str, None] = {}
        old = "#event_id < :before"
        only = expressions({"before": before}, FilterExpression=old, ProjectionExpression="#tenant_id")
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._unsealed, ConsistentRead=True, **only)
        for number, page in enumerate(pages, start=1):
            found |= {str(from_item(item)["tenant_id"]): None for item in page["Items"]}
            if len(found) >= limit or number == _MOST_PAGES:
                break
        return list(found)[:limit]

    @aws_failures()
    def waiting(self, tenant_id: str, *, after: str, limit: int) -> list[Note]:
        """Notes that cannot be read are passed over, and those behind them come up: they wait until somebody looks."""
        notes: list[Note] = []
        position: str | None = after or _FIRST
        while position and len(notes) < limit:
            items = self._following(self._unsealed, tenant_id, limit, event_id=position)
            notes += NOTES.all(items).things
            position = str(from_item(items[-1])["event_id"]) if len(items) == limit else None
        return notes[:limit]

    @aws_failures()
    def latest(self, tenant_id: str) -> AuditDigest | None:
        key = expressions({"tenant_id": tenant_id}, KeyConditionExpression="#tenant_id = :tenant_id")
        request: dict[str, Any] = {"TableName": self._digests, "ScanIndexForward": False, "Limit": 1, **key}
        items = self._dynamodb.query(ConsistentRead=True, **request)["Items"] if _is_tenant(tenant_id) else []
        return DIGESTS.one(from_item(items[0])) if items else None

    @aws_failures()
    def append(self, digest: AuditDigest) -> None:
        row = {**asdict(digest), "sequence": _key_of(digest.sequence)}
        writes = [put(self._digests, row, condition="attribute_not_exists(#sequence)", refusal=_stale)]
        for event in digest.events:
            key = {"tenant_id": digest.tenant_id, "event_id": event.event_id}
            condition = "attribute_exists(#event_id)"
            writes.append(delete(self._unsealed, key, condition=condition, refusal=_stale))
        transact(self._dynamodb, *writes)

    @aws_failures()
    def digests(self, tenant_id: str, *, after: int, limit: int) -> list[AuditDigest]:
        rows = self._following(self._digests, tenant_id, limit, sequence=_key_of(after))
        return [DIGESTS.one(from_item(item)) for item in rows]

    def _following(self, table: str, tenant_id: str, limit: int, **after: str) -> list[Any]:
        if not _is_tenant(tenant_id):
            return []
        text = f"#tenant_id = :tenant_id AND #{next(iter(after))} > :{next(iter(after))}"
        condition = expressions({"tenant_id": tenant_id, **after}, KeyConditionExpression=text)
        answer = self._dynamodb.query(TableName=table, Limit=limit, ConsistentRead=True, **condition)
        return list(answer["Items"])


def _is_tenant(tenant_id: str) -> bool:
    return tenant_id == PLATFORM or is_id(tenant_id)


def _key_of(sequence: int) -> str:
    return f"{sequence:0{_DIGITS}}"


def _stale(_: Row | None) -> StaleVersion:
    return StaleVersion()


def _digest(row: Row) -> AuditDigest:
    return structured(AuditDigest, {**row, "sequence": Decimal(row["sequence"])})


def _note(row: Row) -> Note:
    return Note(**vars(structured(_Note, row)))


@dataclass(frozen=True)
class _Note:
    """A `Note` whose types are checked: a row of another form would put `None` into a digest."""

    event_id: str
    fingerprint: str
    written_at: str


DIGESTS = Reader("audit_digests", ("tenant_id", "sequence"), _digest)
NOTES = Reader("audit_unsealed", ("tenant_id", "event_id"), _note)
