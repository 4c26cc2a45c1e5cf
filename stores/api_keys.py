"""API keys in DynamoDB: their digests."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from domain.api_keys import ApiKey, Role
from domain.audit import AuditEvent
from domain.errors import AlreadyExists
from domain.tenants import PLATFORM
from stores.failures import aws_failures
from stores.items import Row, expressions, from_item
from stores.ledger import Ledger, put
from stores.tables import API_KEYS_BY_ID, TableNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY_ID = re.compile(r"[0-9a-z]{16}", re.ASCII)


class DynamoApiKeyStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._table = names.api_keys
        self._ledger = Ledger(dynamodb, names.audit_events)

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
        if not _KEY_ID.fullmatch(key_id):
            return None
        by_id = expressions({"key_id": key_id}, KeyConditionExpression="#key_id = :key_id")
        items = self._dynamodb.query(TableName=self._table, IndexName=API_KEYS_BY_ID, **by_id)["Items"]
        return _from_row(from_item(items[0])) if items else None

    @aws_failures()
    def administrators(self) -> tuple[ApiKey, ...]:
        request: dict[str, Any] = expressions(
            {"platform": PLATFORM, "administrator": Role.ADMINISTRATOR},
            KeyConditionExpression="#tenant_id = :platform",
            FilterExpression="#role = :administrator",
        )
        pages = self._dynamodb.get_paginator("query").paginate(TableName=self._table, ConsistentRead=True, **request)
        return tuple(_from_row(from_item(item)) for page in pages for item in page["Items"])


def _from_row(row: Row) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        digest=row["digest"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row.get("revoked_at"),
    )
