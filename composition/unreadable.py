"""Rows that cannot be read, counted and logged by the process that meets them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import structlog

from domain.metrics import UNREADABLE_ROWS
from stores.dynamodb.tables import TableNames
from stores.reading import watching_unreadable_rows
from telemetry.process import Telemetry

log = structlog.get_logger("stores")


@contextmanager
def telling_unreadable_rows(watched: Telemetry) -> Iterator[None]:
    count = watched.counter_of(UNREADABLE_ROWS, "table", [field.name for field in fields(TableNames)])

    def tell(table: str, key: str) -> None:
        count(table)
        log.warning("row.unreadable", table=table, key=key)

    with watching_unreadable_rows(tell):
        yield
