"""API keys in DynamoDB: their digests."""

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from domain.audit.events import AuditEvent
from domain.callers.access import Role, Scope
from domain.callers.api_keys import LAST_ADMINISTRATOR, ApiKey, is_key_id
from domain.callers.tenants import PLATFORM
from domain.errors import AlreadyExists, Conflict, NotFound, StaleVersion
from domain.pages import Page
from stores.dynamodb.items import Row, assignments, expressions, from_item, is_id, to_item
from stores.dynamodb.ledger import Ledger, Write, check, put, update
from stores.dynamodb.paging import Listing, page_of
from stores.dynamodb.structure import structured
from stores.dynamodb.tables import API_KEYS_BY_ID, TableNames
from stores.errors import aws_failures
from stores.reading import Reader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FIRST_ROLE = "administrator"
"""The only role that there once was: it may do everything, for every tenant. Rows that say so remain."""


class DynamoApiKeyStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._table = names.api_keys
        self._ledger = Ledger(dynamodb, names)

    @aws_failures()
    def add(self, key: ApiKey, event: AuditEvent) -> None:
        row = put(
            self._table,
            asdict(key),
            condition="attribute_not_exists(#key_id)",
            refusal=lambda _: AlreadyExists("A key with this id exists."),
        )
        self._ledger.commit(event, row)

    @aws_failures()
    def find(self, key_id: str) -> ApiKey | None:
        """By the index, which follows the table with a delay of well under a second."""
        if not is_key_id(key_id):
            return None
        by_id = expressions({"key_id": key_id}, KeyConditionExpression="#key_id = :key_id")
        items = self._dynamodb.query(TableName=self._table, IndexName=API_KEYS_BY_ID, **by_id)["Items"]
        return READER.one(from_item(items[0])) if items else None

    @aws_failures()
    def get(self, tenant_id: str, key_id: str) -> ApiKey:
        if not is_key_id(key_id) or not _is_owner(tenant_id):
            raise NotFound
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(tenant_id, key_id), ConsistentRead=True)
        if "Item" not in answer:
            raise NotFound
        return READER.one(from_item(answer["Item"]))

    @aws_failures()
    def page(self, tenant_id: str, *, limit: int, cursor: str | None) -> Page[ApiKey]:
        if not _is_owner(tenant_id):
            return Page(())
        listing = Listing(self._table, None, partition={"tenant_id": tenant_id}, filters={}, position=("key_id",))
        return page_of(self._dynamodb, listing, READER, limit=limit, cursor=cursor)

    @aws_failures()
    def revoke(self, tenant_id: str, key_id: str, event: AuditEvent, *, remaining: ApiKey | None = None) -> ApiKey:
        if self.get(tenant_id, key_id).revoked_at is None:
            row = update(
                self._table,
                {"tenant_id": tenant_id, "key_id": key_id},
                {"revoked_at": event.at},
                condition="attribute_exists(#key_id) AND attribute_not_exists(#revoked_at)",
                refusal=lambda found: StaleVersion() if found else NotFound(),
            )
            checks = [self._stays(remaining)] if remaining else []
            with suppress(StaleVersion):  # somebody else was faster
                self._ledger.commit(event, row, *checks)
        return self.get(tenant_id, key_id)

    def _stays(self, key: ApiKey) -> Write:
        """Two that revoke each other's key at the same moment: one of them is refused."""
        return check(
            self._table,
            {"tenant_id": key.tenant_id, "key_id": key.key_id},
            condition="attribute_exists(#key_id) AND attribute_not_exists(#revoked_at)",
            refusal=lambda _: Conflict(LAST_ADMINISTRATOR),
        )

    @aws_failures()
    def note_use(self, tenant_id: str, key_id: str, *, at: str, noted_before: str) -> None:
        change = {"last_used_at": at}
        older = "(attribute_not_exists(#last_used_at) OR #last_used_at < :noted_before)"
        request = expressions(
            {**change, "noted_before": noted_before},
            UpdateExpression=assignments(change),
            ConditionExpression=f"attribute_exists(#key_id) AND {older}",
        )
        with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
            self._dynamodb.update_item(TableName=self._table, Key=_key(tenant_id, key_id), **request)

    @aws_failures()
    def administrators(self) -> tuple[ApiKey, ...]:
        request: dict[str, Any] = expressions({"platform": PLATFORM}, KeyConditionExpression="#tenant_id = :platform")
        pages = self._dynamodb.get_paginator("query").paginate(TableName=self._table, ConsistentRead=True, **request)
        keys = READER.all(item for page in pages for item in page["Items"]).things
        return tuple(key for key in keys if key.platform and Scope.KEYS_ADMIN in key.held)


def _is_owner(tenant_id: str) -> bool:
    return tenant_id == PLATFORM or is_id(tenant_id)


def _key(tenant_id: str, key_id: str) -> Any:
    return to_item({"tenant_id": tenant_id, "key_id": key_id})


def _from_row(row: Row) -> ApiKey:
    """A scope that this version does not know allows nothing. A role that it does not know makes the row unreadable,
    and so the key useless."""
    first, known = row.get("role") == FIRST_ROLE, set(Scope)
    platform = row.get("tenant_id") == PLATFORM and (first or row.get("platform") is True)
    change = {"scopes": [scope for scope in row.get("scopes") or [] if scope in known], "platform": platform}
    if first:
        change["role"] = Role.ADMIN.value
    return structured(ApiKey, {**row, **change})


READER = Reader("api_keys", ("tenant_id", "key_id"), _from_row)
