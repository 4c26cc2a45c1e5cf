"""Writes down what AWS is asked for and what it says that it took."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any

import botocore
from botocore.session import Session

from commands.cost.counts import Count

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PRICED = {"dynamodb", "kms", "secretsmanager"}
PRICED_OPERATIONS = {"PutObject"}
NOT_OURS = ("List", "Scan")
"""The built-in engine lists, and writes nothing, in the customer's account; our processes never list. They scan tables
in sweeps and sealings only, which come at times of their own."""
READS = {"GetItem", "Query", "Scan"}
READ_UNIT_BYTES = 4096
ITEM_OVERHEAD = 100
"""Bytes that DynamoDB adds to a stored item, and to its copy in an index."""


@dataclass
class Meter:
    """`unseen` names tables whose calls are left out."""

    unseen: frozenset[str] = frozenset()
    calls: Counter[str] = field(default_factory=Counter)
    write_units: float = 0
    read_units: float = 0
    table_accesses: int = 0
    _lock: Lock = field(default_factory=Lock)

    def attach(self, session: Session) -> None:
        session.register("before-parameter-build.dynamodb", self._ask_for_capacity)
        session.register("after-call", self._write_down)

    def take(self) -> Count:
        """What was seen since the last time."""
        with self._lock:
            seen = Count(dict(sorted(self.calls.items())), self.write_units, self.read_units, self.table_accesses)
            self.calls, self.write_units, self.read_units, self.table_accesses = Counter(), 0, 0, 0
            return seen

    def _ask_for_capacity(self, **call: Any) -> None:
        if "ReturnConsumedCapacity" in call["model"].input_shape.members:
            call["params"]["ReturnConsumedCapacity"] = "TOTAL"

    def _write_down(self, **call: Any) -> None:
        model, parsed = call["model"], call["parsed"]
        service = model.service_model.service_name
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        priced = service in PRICED or model.name in PRICED_OPERATIONS
        unseen = any(table["TableName"] in self.unseen for table in tables)
        if not priced or unseen or model.name.startswith(NOT_OURS):
            return
        units = sum(table["CapacityUnits"] for table in tables)
        with self._lock:
            self.calls[f"{service}.{model.name}"] += 1
            self.table_accesses += len(tables)
            if model.name in READS:
                self.read_units += units
            else:
                self.write_units += units


@contextmanager
def metered(meter: Meter) -> Iterator[Meter]:
    """Of all sessions that are made in the block, also the isolated ones."""
    botocore.register_initializer(meter.attach)
    try:
        yield meter
    finally:
        botocore.unregister_initializer(meter.attach)


def stored_bytes(dynamodb: "DynamoDBClient", tables: Iterable[str]) -> int:
    """Of all items, and of their copies in indexes, as DynamoDB counts them."""
    total = 0
    for table in tables:
        indexes: Any = dynamodb.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
        keys = [{part["AttributeName"] for part in index["KeySchema"]} for index in indexes]
        for item in dynamodb.scan(TableName=table)["Items"]:
            size, copies = item_bytes(item), 1 + sum(key <= set(item) for key in keys)
            assert size <= READ_UNIT_BYTES, "the emulator takes every item for one unit when it is read"
            total += copies * (size + ITEM_OVERHEAD)
    return total


def item_bytes(item: Mapping[str, Any]) -> int:
    """docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(Decimal(content).as_tuple().digits) // 2 + 2
        case "M":
            return 3 + len(content) + item_bytes(content)
        case "L":
            return 3 + len(content) + sum(_value_bytes(element) for element in content)
        case _:
            return 1
