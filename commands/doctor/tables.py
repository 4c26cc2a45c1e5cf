"""The DynamoDB tables, compared with their definitions: key, indexes, encryption, protection, recovery, expiry."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from commands.doctor.finding import Finding, fail, sound, warn
from stores.dynamodb.table_setup import TableDefinition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REPAIR = "Run `python cli.py create-tables`: it completes the table."
RENAME = "Nothing can repair a key; name another table in the settings, or move the data and delete this one."
WAIT = "Wait until DynamoDB is done, then run this again."

Described = Mapping[str, Any]


def table(dynamodb: "DynamoDBClient", wanted: TableDefinition) -> Iterator[Finding]:
    thing = f"table {wanted.name}"
    try:
        found: Described = dynamodb.describe_table(TableName=wanted.name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        yield fail(thing, "is missing", "Run `python cli.py create-tables`.")
        return
    problems = [
        *_keys(thing, wanted, found),
        *_protection(thing, found),
        *_recovery(thing, dynamodb, wanted.name),
        *_expiry(thing, dynamodb, wanted),
    ]
    count = len(wanted.indexes)
    indexes = f", {count} index{'es' if count > 1 else ''}" if count else ""
    yield from sound(thing, f"active, encrypted, protected, recoverable{indexes}", problems)


def _keys(thing: str, wanted: TableDefinition, found: Described) -> Iterator[Finding]:
    if _key(found) != wanted.key:
        yield fail(thing, f"its key is {' + '.join(_key(found))}, not {' + '.join(wanted.key)}", RENAME)
    if found["TableStatus"] != "ACTIVE":
        yield warn(thing, f"its state is {found['TableStatus']}", WAIT)
    present = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", [])}
    for index in wanted.indexes:
        if index.name not in present:
            yield fail(thing, f"the index {index.name} is missing", REPAIR)
        elif _key(present[index.name]) != index.key:
            yield fail(thing, f"the index {index.name} has another key", "Delete the index, then run create-tables.")
        elif present[index.name]["IndexStatus"] != "ACTIVE":
            yield warn(thing, f"the index {index.name} is {present[index.name]['IndexStatus']}", WAIT)


def _protection(thing: str, found: Described) -> Iterator[Finding]:
    if found.get("SSEDescription", {}).get("Status") not in ("ENABLED", "UPDATING"):
        yield fail(thing, "is not encrypted with a key of this account", REPAIR)
    if not found.get("DeletionProtectionEnabled"):
        yield fail(thing, "is not protected against deletion", REPAIR)
    if found.get("BillingModeSummary", {}).get("BillingMode") != "PAY_PER_REQUEST":
        yield warn(thing, "is billed by provisioned capacity", "Switch it to on-demand, or watch for throttling.")


def _recovery(thing: str, dynamodb: "DynamoDBClient", name: str) -> Iterator[Finding]:
    backups: Any = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED":
        yield fail(thing, "its point-in-time recovery is off", REPAIR)


def _expiry(thing: str, dynamodb: "DynamoDBClient", wanted: TableDefinition) -> Iterator[Finding]:
    if wanted.expires_by is None:
        return
    expiry = dynamodb.describe_time_to_live(TableName=wanted.name)["TimeToLiveDescription"]
    if expiry.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        yield fail(thing, "its items do not expire", REPAIR)
    elif expiry.get("AttributeName") != wanted.expires_by:
        remedy = "Turn the expiry off, wait an hour as DynamoDB asks, then run create-tables."
        yield fail(thing, f"its items expire by {expiry.get('AttributeName')}, not {wanted.expires_by}", remedy)


def _key(found: Described) -> tuple[str, ...]:
    schema: Sequence[Mapping[str, str]] = found["KeySchema"]
    return tuple(part["AttributeName"] for part in sorted(schema, key=lambda part: part["KeyType"]))
