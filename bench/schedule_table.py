"""The schedules of one tenant, served as DynamoDB serves them: a page costs what it reads. See `bench.table`."""

from bisect import bisect_right
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from bench.scan_ports import schedule_of
from stores import cursors
from stores.dynamodb.items import to_item
from stores.dynamodb.schedule_rows import schedule_to_row
from stores.dynamodb.tables import SCHEDULES_BY_TENANT, TableNames

Item = dict[str, Any]


@cache
def schedule_ids(count: int) -> tuple[str, ...]:
    """The ids of so many schedules; those of fewer are among them."""
    return tuple(sorted(str(uuid5(NAMESPACE_OID, f"schedule-{number}")) for number in range(count)))


def cursor(tenant_id: str, schedule_id: str) -> str:
    """As the list of a tenant's schedules gives it after that schedule."""
    scope = (TableNames().schedules, SCHEDULES_BY_TENANT, f"tenant_id={tenant_id}")
    return cursors.encode(schedule_id, scope)


class IndexedSchedules:
    """As much of a DynamoDB client as listing schedules needs. It counts what it is asked for."""

    def __init__(self, tenant_id: str, rows: int) -> None:
        self._tenant_id = tenant_id
        self._ids = schedule_ids(rows)
        self._row: Item = dict(to_item(schedule_to_row(schedule_of(tenant_id, self._ids[0]))))
        self.items_read = 0

    def query(self, *, Limit: int, ExclusiveStartKey: Item | None = None, **_: object) -> Item:  # noqa: N803
        after = bisect_right(self._ids, ExclusiveStartKey["schedule_id"]["S"]) if ExclusiveStartKey else 0
        found = self._ids[after : after + Limit]
        self.items_read += len(found)
        items = [{**self._row, "schedule_id": {"S": schedule_id}} for schedule_id in found]
        more = after + Limit < len(self._ids)
        return {"Items": items, **({"LastEvaluatedKey": items[-1]} if more else {})}
