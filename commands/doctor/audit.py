"""The audit trail: how long the events wait that are in no digest yet. Whatever is wrong with the sealer, they wait."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from commands.doctor.finding import Finding, fail, ok, warn
from domain.audit.trail import MARGIN, PATIENCE
from domain.timestamps import parse
from stores.audit.chain import NOTES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

THING = "audit trail"
MOST_PAGES = 20
"""Of a megabyte each. So much waits when the sealer has stood still for long, and that is what is said then."""
REMEDY = "See docs/how-to/read-the-audit-trail.md, When it is not sealed."


def waiting(dynamodb: "DynamoDBClient", table: str, *, every: timedelta, now: datetime) -> Iterator[Finding]:
    """`table` is that of the notes, and the sealer runs `every` so often."""
    oldest = min(_written(dynamodb, table), default=None)
    if oldest is None:
        yield ok(THING, "no event waits to be sealed")
        return
    age = now - parse(oldest)
    found = f"the oldest event that is not sealed has waited for {age.total_seconds() / 60:.0f} min"
    if age > PATIENCE:
        yield fail(THING, found, REMEDY)
    elif age > MARGIN + 2 * every:
        yield warn(THING, found, f"Run this again in a few minutes. {REMEDY}")
    else:
        yield ok(THING, found)


def _written(dynamodb: "DynamoDBClient", table: str) -> Iterator[str]:
    """When each event that waits was written. Notes that cannot be read are named by the check of rows."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    for number, page in enumerate(pages, start=1):
        yield from (note.written_at for note in NOTES.all(page["Items"]).things)
        if number == MOST_PAGES:
            return
