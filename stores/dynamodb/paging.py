"""One page of an index, or of a whole table, with a cursor that is bound to its list."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from domain.pages import MAX_PAGE, Page
from stores import cursors
from stores.dynamodb.items import Row, expressions, from_item, to_item
from stores.reading import Reader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Listing:
    """What is listed. `partition` holds the attributes of an index's key, empty for the whole table; `filters` are
    compared after the limit was applied; `position` names the attributes that say where a page ended."""

    table: str
    index: str | None
    partition: Row
    filters: Row
    position: Sequence[str]
    newest_first: bool = False

    @property
    def conditions(self) -> Row:
        return {**self.partition, **self.filters}

    @property
    def scope(self) -> tuple[str, ...]:
        return (self.table, self.index or "", *(f"{name}={value}" for name, value in sorted(self.conditions.items())))


def page_of(
    dynamodb: "DynamoDBClient", listing: Listing, reader: Reader[Thing], *, limit: int, cursor: str | None
) -> Page[Thing]:
    """The rows that can be read, and the keys of the others. Raises InvalidInput for a cursor of another list."""
    if any(isinstance(value, Enum) and value.name == "UNKNOWN" for value in listing.conditions.values()):
        return Page(())  # it stands for many values, and no row holds it
    request = _request(listing) | {"Limit": min(limit, MAX_PAGE)}
    if cursor:
        request["ExclusiveStartKey"] = to_item(_start(listing, cursors.decode(cursor, listing.scope)))
    answer = _asked(dynamodb, listing, request)
    found = reader.all(answer["Items"])
    following = None
    if "LastEvaluatedKey" in answer:
        last = from_item(answer["LastEvaluatedKey"])
        following = cursors.encode(_position([last[name] for name in listing.position]), listing.scope)
    return Page(found.things, following, found.unreadable)


def _asked(dynamodb: "DynamoDBClient", listing: Listing, request: dict[str, Any]) -> Any:
    try:
        return dynamodb.query(**request) if listing.partition else dynamodb.scan(**request)
    except ClientError as error:
        # A forged position of our own making: DynamoDB takes no key of that form.
        if "ExclusiveStartKey" in request and error.response["Error"]["Code"] == "ValidationException":
            raise cursors.refused() from None
        raise


def _position(parts: Sequence[str]) -> str:
    """One text for all parts, whatever a foreign row has in its key."""
    return parts[0] if len(parts) == 1 else json.dumps(parts, separators=(",", ":"), ensure_ascii=False)


def _start(listing: Listing, position: str) -> Row:
    if len(listing.position) == 1:
        return {**listing.partition, listing.position[0]: position}
    try:
        parts = json.loads(position)
    except (ValueError, RecursionError):
        raise cursors.refused() from None
    if not isinstance(parts, list) or len(parts) != len(listing.position):
        raise cursors.refused()
    if not all(isinstance(part, str) and part for part in parts):
        raise cursors.refused()
    return {**listing.partition, **dict(zip(listing.position, parts, strict=True))}


def _request(listing: Listing) -> dict[str, Any]:
    texts = {}
    if listing.partition:
        texts["KeyConditionExpression"] = " AND ".join(f"#{name} = :{name}" for name in listing.partition)
    if listing.filters:
        texts["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in listing.filters)
    request: dict[str, Any] = {"TableName": listing.table}
    if listing.index:
        request["IndexName"] = listing.index
    if listing.newest_first:
        request["ScanIndexForward"] = False
    return request | (expressions(listing.conditions, **texts) if texts else {})
