"""A look at stored rows for the operators: which of them cannot be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from stores.audit import chain, events
from stores.dynamodb import account_rows, api_keys, idempotency, schedule_rows, tenants
from stores.dynamodb.adoption import is_claim, rows_of
from stores.dynamodb.items import from_item
from stores.reading import Reader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ROWS = 10_000
"""Of one table in one look."""
MAX_NAMED = 20

READERS: Mapping[str, Reader[Any]] = {
    reader.table: reader
    for reader in (
        tenants.READER,
        account_rows.READER,
        schedule_rows.SCHEDULES,
        schedule_rows.EXECUTIONS,
        schedule_rows.RESULTS,
        api_keys.READER,
        events.READER,
        chain.NOTES,
        chain.DIGESTS,
        idempotency.READER,
    )
}
"""By our name for the table."""


@dataclass(frozen=True)
class Surveyed:
    """What one look at a table found. `named` holds the keys of some of the rows that cannot be read."""

    table: str
    looked_at: int
    unreadable: int
    named: tuple[str, ...]
    complete: bool
    """Whether that was every row."""


def survey(dynamodb: "DynamoDBClient", table: str, reader: Reader[Any], *, most: int = MAX_ROWS) -> Surveyed:
    """Raises what botocore raises."""
    rows = rows_of(dynamodb, table)
    looked_at, unreadable = 0, list[str]()
    for item in islice(rows, most):
        looked_at += 1
        if not is_claim(from_item(item)):
            unreadable += reader.all([item]).unreadable
    complete = next(rows, None) is None
    return Surveyed(table, looked_at, len(unreadable), tuple(unreadable[:MAX_NAMED]), complete)
