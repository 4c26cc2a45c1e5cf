"""Tenants in DynamoDB. A claim item keeps each name unique, whatever its upper and lower case."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from domain.audit.events import AuditEvent, for_platform
from domain.callers.tenants import Tenant
from domain.errors import AlreadyExists, NotFound, StaleVersion
from domain.names import folded
from domain.pages import MAX_PAGE, Page
from stores import cursors
from stores.dynamodb.items import Row, expressions, from_item, is_id, to_item
from stores.dynamodb.ledger import Ledger, Write, delete, put, update, written
from stores.dynamodb.structure import structured
from stores.dynamodb.tables import TableNames
from stores.errors import aws_failures
from stores.reading import Reader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CLAIM = "name#"
"""Begins the key of an item that keeps a name for its tenant."""

_SCOPE = ("tenants",)


class DynamoTenantStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._names = names
        self._table = names.tenants
        self._ledger = Ledger(dynamodb, names)

    @aws_failures()
    def create(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        row = put(
            self._table,
            asdict(tenant),
            condition="attribute_not_exists(#tenant_id)",
            refusal=lambda _: AlreadyExists("A tenant with this id exists."),
        )
        self._ledger.commit(event, row, self._claim(tenant), *written(self._names, for_platform(event)))
        return self.get(tenant.tenant_id)

    @aws_failures()
    def get(self, tenant_id: str) -> Tenant:
        if not is_id(tenant_id):
            raise NotFound
        key = to_item({"tenant_id": tenant_id})
        answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            raise NotFound
        return READER.one(from_item(answer["Item"]))

    @aws_failures()
    def update(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        current = self.get(tenant.tenant_id)
        changed = replace(tenant, updated_at=event.at)
        self._ledger.commit(event, self._successor(changed), *self._renaming(current, changed))
        return self.get(tenant.tenant_id)

    @aws_failures()
    def page(self, *, limit: int, cursor: str | None) -> Page[Tenant]:
        """The cursor names the last tenant given. Claim items lie between the tenants, so a page can be short; it is
        empty at the end only."""
        request: dict[str, Any] = expressions(
            {"claims": CLAIM}, FilterExpression="NOT begins_with(#tenant_id, :claims)"
        )
        request |= {"TableName": self._table, "Limit": min(limit, MAX_PAGE)}
        if cursor:
            request["ExclusiveStartKey"] = to_item({"tenant_id": cursors.decode(cursor, _SCOPE)})
        while True:
            answer = self._dynamodb.scan(**request)
            found = READER.all(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return Page(found.things, unreadable=found.unreadable)
            if answer["Items"]:
                last = str(from_item(answer["Items"][-1])["tenant_id"])
                return Page(found.things, cursors.encode(last, _SCOPE), found.unreadable)
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _successor(self, tenant: Tenant) -> Write:
        kept = ("tenant_id", "created_at", "version")
        return update(
            self._table,
            {"tenant_id": tenant.tenant_id},
            {name: value for name, value in asdict(tenant).items() if name not in kept},
            condition="#version = :replaced",
            replaced=tenant.version - 1,
            refusal=lambda row: StaleVersion() if row else NotFound(),
        )

    def _renaming(self, current: Tenant, changed: Tenant) -> tuple[Write, ...]:
        """Move the claim. That `current` is what is being replaced, the version of the row sees to."""
        if _claim_key(current) == _claim_key(changed):
            return ()
        return (*(self._released(key, current) for key in _claims_of(current)), self._claim(changed))

    def _released(self, key: str, tenant: Tenant) -> Write:
        return delete(
            self._table,
            {"tenant_id": key},
            condition="attribute_not_exists(#owner) OR #owner = :owner",
            owner=tenant.tenant_id,
            refusal=lambda _: StaleVersion(),
        )

    def _claim(self, tenant: Tenant) -> Write:
        return put(
            self._table,
            {**_claim_key(tenant), "owner": tenant.tenant_id},
            condition="attribute_not_exists(#tenant_id)",
            refusal=lambda _: AlreadyExists(),
        )


def _claim_key(tenant: Tenant) -> Row:
    return {"tenant_id": f"{CLAIM}{folded(tenant.tenant_name)}"}


def _claims_of(tenant: Tenant) -> set[str]:
    """The claims that a tenant may hold. Before names were folded, only their case was left out of account."""
    return {str(_claim_key(tenant)["tenant_id"]), f"{CLAIM}{tenant.tenant_name.casefold()}"}


def _from_row(row: Row) -> Tenant:
    return structured(Tenant, row, later=("description",))


READER = Reader("tenants", ("tenant_id",), _from_row)
