"""Whether a table that is there already is ours. The predecessor's tables have our very names, and its rows another
form: with them every list would be short and every sweep would have something to say."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from domain.accounts import ProviderType, provider_id
from domain.errors import PlatformConfig
from stores.dynamodb.items import Row, from_item, is_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from stores.dynamodb.tables import TableNames

ADOPTED_ROWS = 100
"""How many rows of a table are looked at."""

_CLAIMS = ("name#", "claim#")


def refuse_the_predecessors(dynamodb: "DynamoDBClient", names: "TableNames") -> None:
    """Before tables are adopted. Raises PlatformConfig when one of them holds rows of the system before this one."""
    for name, is_ours in SIGNS.items():
        table = getattr(names, name)
        try:
            rows = [from_item(item) for item in islice(rows_of(dynamodb, table), ADOPTED_ROWS)]
        except dynamodb.exceptions.ResourceNotFoundException:
            continue
        if not all(is_claim(row) or is_ours(row) for row in rows):
            raise PlatformConfig(
                f"The table {table} holds rows that this platform did not write, such as those of its predecessor. "
                "Nothing was changed. They are brought over with `migrate`; until then name other tables in the "
                "DYNAMODB_*_TABLE settings."
            )


def is_claim(row: Row) -> bool:
    """Whether it is no thing but keeps a name or a number for one."""
    keys = (row.get("tenant_id"), row.get("account_id"))
    return "owner" in row and any(str(key).startswith(_CLAIMS) for key in keys)


def rows_of(dynamodb: "DynamoDBClient", table: str) -> Iterator[Mapping[str, Any]]:
    """Every item. Raises what botocore raises."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, PaginationConfig={"PageSize": 100}):
        yield from page["Items"]


def _is_our_provider(row: Row) -> bool:
    """The id follows from tenant and cloud; the predecessor's was random."""
    tenant_id, kind = row.get("tenant_id"), row.get("provider_type")
    if not isinstance(tenant_id, str) or not is_id(tenant_id) or kind not in set(ProviderType):
        return False
    return row.get("provider_id") == provider_id(tenant_id, ProviderType(str(kind)))


def _has(*attributes: str) -> Callable[[Row], bool]:
    """Whether a row has one of what every row of ours has and the predecessor's never had. A row that is damaged
    otherwise is for `doctor` to name."""
    return lambda row: any(name in row for name in attributes)


SIGNS: Mapping[str, Callable[[Row], bool]] = {
    "tenants": _has("version"),
    "providers": _is_our_provider,
    "accounts": _has("version", "external_id"),
    "schedules": _has("spec_version", "cadence"),
    "executions": _has("workflow_id", "counts"),
    "scan_results": _has("counts", "location"),
}
