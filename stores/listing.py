"""One page of an index, or of a whole table, with a cursor that is bound to its list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from domain.pages import MAX_PAGE, Page
from stores import cursors
from stores.items import Row, expressions, from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = TypeVar("Item")

_BETWEEN = "/"


@dataclass(frozen=True)
class Listing:
    """What is listed. `partition` is the one attribute of an index's partition, empty for the whole table; `filters`
    are compared after the limit was applied; `position` names the attributes that say where a page ended."""

    table: str
    index: str | None
    partition: Row
    filters: Row
    position: Sequence[str]
    newest_first: bool = False

    @property
    def scope(self) -> tuple[str, ...]:
        conditions = {**self.partition, **self.filters}
        return (self.table, self.index or "", *(f"{name}={value}" for name, value in sorted(conditions.items())))


def page_of(
    dynamodb: "DynamoDBClient", listing: Listing, read: Callable[[Row], Item], *, limit: int, cursor: str | None
) -> Page[Item]:
    """Raises InvalidInput for a cursor of another list."""
    request = _request(listing) | {"Limit": min(limit, MAX_PAGE)}
    if cursor:
        parts = cursors.decode(cursor, listing.scope).split(_BETWEEN)
        start = {**listing.partition, **dict(zip(listing.position, parts, strict=True))}
        request["ExclusiveStartKey"] = to_item(start)
    answer: Any = dynamodb.query(**request) if listing.partition else dynamodb.scan(**request)
    items = [read(from_item(item)) for item in answer["Items"]]
    if "LastEvaluatedKey" not in answer:
        return Page(items)
    last = from_item(answer["LastEvaluatedKey"])
    return Page(items, cursors.encode(_BETWEEN.join(last[name] for name in listing.position), listing.scope))


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
    return request | (expressions({**listing.partition, **listing.filters}, **texts) if texts else {})
