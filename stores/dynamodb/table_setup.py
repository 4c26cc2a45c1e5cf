"""How one DynamoDB table is made, and how one that is there is completed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.errors import PlatformConfig, Unavailable
from domain.setup import SetupFinding, SetupState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ENCRYPTED: dict[str, Any] = {"Enabled": True, "SSEType": "KMS"}
"""Without a key id it is the key that AWS manages for DynamoDB."""
_PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Index:
    """A global secondary index with all attributes. `key` is the partition key and, in most, a sort key."""

    name: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class TableDefinition:
    """Every key attribute is text. `expires_by` names the attribute after which DynamoDB forgets an item."""

    name: str
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    expires_by: str | None = None

    @property
    def attributes(self) -> list[dict[str, str]]:
        names = {name for key in (self.key, *(index.key for index in self.indexes)) for name in key}
        return [{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)]


def create_if_missing(dynamodb: "DynamoDBClient", table: TableDefinition) -> bool:
    """Ask for the table; it may take a while to come. False when it is there."""
    request: dict[str, Any] = {
        "TableName": table.name,
        "KeySchema": _schema(table.key),
        "AttributeDefinitions": table.attributes,
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": _ENCRYPTED,
        "DeletionProtectionEnabled": True,
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [_index(index) for index in table.indexes]
    try:
        dynamodb.create_table(**request)
    except dynamodb.exceptions.ResourceInUseException:
        return False
    return True


def complete(dynamodb: "DynamoDBClient", table: TableDefinition, *, created: bool) -> SetupFinding:
    """Repair what is not as defined, one thing at a time as DynamoDB demands, and say what it was."""
    repaired = [*_repair_table(dynamodb, table), *_repair_surroundings(dynamodb, table)]
    thing = f"table {table.name}"
    if created:
        return SetupFinding(thing, SetupState.CREATED)
    if repaired:
        return SetupFinding(thing, SetupState.REPAIRED, ", ".join(repaired))
    return SetupFinding(thing, SetupState.FOUND)


def _repair_table(dynamodb: "DynamoDBClient", table: TableDefinition) -> Iterator[str]:
    found = _usable(dynamodb, table.name)
    _require_key(f"table {table.name}", found["KeySchema"], table.key)
    present = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", [])}
    for index in table.indexes:
        if index.name in present:
            _require_key(f"index {index.name} of {table.name}", present[index.name]["KeySchema"], index.key)
            continue
        creation = {"GlobalSecondaryIndexUpdates": [{"Create": _index(index)}]}
        _update(dynamodb, table.name, AttributeDefinitions=table.attributes, **creation)
        yield f"index {index.name}"
    if found.get("SSEDescription", {}).get("Status") not in ("ENABLED", "ENABLING", "UPDATING"):
        _update(dynamodb, table.name, SSESpecification=_ENCRYPTED)
        yield "encryption"
    if not found.get("DeletionProtectionEnabled"):
        _update(dynamodb, table.name, DeletionProtectionEnabled=True)
        yield "deletion protection"


def _repair_surroundings(dynamodb: "DynamoDBClient", table: TableDefinition) -> Iterator[str]:
    backups = dynamodb.describe_continuous_backups(TableName=table.name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        _enable_recovery(dynamodb, table.name)
        yield "point-in-time recovery"
    if table.expires_by is None:
        return
    expiry = dynamodb.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    if expiry.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        specification: Any = {"Enabled": True, "AttributeName": table.expires_by}
        dynamodb.update_time_to_live(TableName=table.name, TimeToLiveSpecification=specification)
        yield "expiry of items"


def _enable_recovery(dynamodb: "DynamoDBClient", name: str) -> None:
    """A new table cannot be backed up for its first moments, although it is active."""
    for _ in _looks(name):
        try:
            dynamodb.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        except dynamodb.exceptions.ContinuousBackupsUnavailableException:
            continue
        return


def _update(dynamodb: "DynamoDBClient", name: str, **change: Any) -> None:
    dynamodb.update_table(TableName=name, **change)
    _usable(dynamodb, name)


def _usable(dynamodb: "DynamoDBClient", name: str) -> dict[str, Any]:
    """The description of the table, once it and all of its indexes are active."""
    found: dict[str, Any] = {}
    for _ in _looks(name):
        found = {**dynamodb.describe_table(TableName=name)["Table"]}
        indexes = found.get("GlobalSecondaryIndexes", [])
        if {found["TableStatus"], *(index["IndexStatus"] for index in indexes)} == {"ACTIVE"}:
            break
    return found


def _looks(name: str) -> Iterator[None]:
    """One turn a second, for as long as DynamoDB may reasonably take. Raises Unavailable after the last."""
    for _ in range(_PATIENCE_SECONDS):
        yield
        time.sleep(1)
    raise Unavailable(f"DynamoDB is still at work on the table {name}; run this again when it is active.")


def _require_key(thing: str, found: list[dict[str, str]], key: tuple[str, ...]) -> None:
    if tuple(part["AttributeName"] for part in sorted(found, key=lambda part: part["KeyType"])) != key:
        raise PlatformConfig(f"The {thing} exists with another key; rename one of the two in the settings.")


def _schema(key: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": kind} for n, kind in zip(key, ("HASH", "RANGE"), strict=False)]


def _index(index: Index) -> dict[str, Any]:
    projection = {"ProjectionType": "ALL"}
    return {"IndexName": index.name, "KeySchema": _schema(index.key), "Projection": projection}
