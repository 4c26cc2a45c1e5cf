"""The rows themselves: which of them this version cannot read. Only keys are shown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commands.doctor.finding import Finding, ok, warn
from stores.dynamodb.survey import READERS, Surveyed, survey
from stores.dynamodb.tables import TableNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REMEDY = (
    "They are left out of every list. If a newer version wrote them, bring it back; otherwise restore, correct or "
    "delete them by these keys."
)


def rows(dynamodb: "DynamoDBClient", names: TableNames, ours: str) -> Iterator[Finding]:
    """`ours` is our name for the table. A table that is missing is another check's."""
    table = getattr(names, ours)
    thing = f"rows of {table}"
    try:
        found = survey(dynamodb, table, READERS[ours])
    except dynamodb.exceptions.ResourceNotFoundException:
        return
    looked_at = f"{'all' if found.complete else 'the first'} {found.looked_at} rows"
    if found.unreadable:
        yield warn(thing, f"{found.unreadable} of {looked_at} cannot be read: {named(found)}", REMEDY)
    else:
        yield ok(thing, f"{looked_at} can be read")


def named(found: Surveyed) -> str:
    more = found.unreadable - len(found.named)
    return ", ".join(found.named) + (f" and {more} more" if more else "")
