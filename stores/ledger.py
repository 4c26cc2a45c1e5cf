"""The one place where a change is committed: together with its audit event, in one transaction.

The event is the receipt. Its id follows from the operation, so when it is there already, the operation was applied
before (the reply was lost, or the activity runs again) and there is nothing left to do.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import ClientError

from domain.audit import AuditEvent
from domain.errors import Internal, OnboardingError, Throttled
from stores.items import Row, assignments, expressions, from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Refusal = Callable[[Row | None], OnboardingError]

_CONDITION_FAILED = "ConditionalCheckFailed"
_CONTENTION = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


@dataclass(frozen=True)
class Write:
    """One write of a transaction. `refusal` says what it means that its condition does not hold, given the row that is
    there, None when there is none."""

    request: dict[str, Any]
    refusal: Refusal


def put(table: str, row: Row, *, condition: str, refusal: Refusal, **values: object) -> Write:
    parameters = {"Item": to_item(row), **expressions(values, ConditionExpression=condition)}
    return _write("Put", table, parameters, refusal)


def update(table: str, key: Row, row: Row, *, condition: str, refusal: Refusal, **values: object) -> Write:
    """Sets the attributes of `row` and adds one to the version."""
    texts = {"UpdateExpression": assignments(row) + " ADD #version :one", "ConditionExpression": condition}
    parameters = expressions({**row, "one": 1, **values}, **texts)
    return _write("Update", table, {"Key": to_item(key), **parameters}, refusal)


def put_if_missing(table: str, key: Row, row: Row) -> Write:
    """Each attribute that is there already stays as it is, so there is nothing to refuse."""
    text = "SET " + ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in row)
    parameters = {"Key": to_item(key), **expressions(row, UpdateExpression=text)}
    return _write("Update", table, parameters, lambda _: Internal())


def delete(table: str, key: Row, *, condition: str, refusal: Refusal, **values: object) -> Write:
    parameters = {"Key": to_item(key), **expressions(values, ConditionExpression=condition)}
    return _write("Delete", table, parameters, refusal)


def check(table: str, key: Row, *, condition: str, refusal: Refusal, **values: object) -> Write:
    """Writes nothing; the transaction depends on it."""
    parameters = {"Key": to_item(key), **expressions(values, ConditionExpression=condition)}
    return _write("ConditionCheck", table, parameters, refusal)


def _write(kind: str, table: str, parameters: dict[str, Any], refusal: Refusal) -> Write:
    parameters |= {"TableName": table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return Write({kind: parameters}, refusal)


class Ledger:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def commit(self, event: AuditEvent, *writes: Write) -> None:
        """All or nothing. Raises the refusal of the first write whose condition does not hold, Throttled when another
        transaction is at work on the same rows."""
        receipt = put(
            self._table,
            asdict(event),
            condition="attribute_not_exists(#event_id)",
            refusal=lambda _: Internal(),
        )
        everything = (receipt, *writes)
        requests: Any = [write.request for write in everything]
        try:
            self._dynamodb.transact_write_items(TransactItems=requests)
        except self._dynamodb.exceptions.TransactionCanceledException as cancelled:
            reasons = _reasons(cancelled)
            if reasons[0]["Code"] != _CONDITION_FAILED:
                _refuse(everything, reasons)


def _reasons(cancelled: ClientError) -> list[dict[str, Any]]:
    """One for each write, in their order; botocore's type does not know of them."""
    response: dict[str, Any] = dict(cancelled.response)
    return list(response["CancellationReasons"])


def _refuse(writes: tuple[Write, ...], reasons: list[dict[str, Any]]) -> NoReturn:
    """Contention comes first: with another transaction at work, a condition says nothing about how that one ends."""
    if any(reason["Code"] in _CONTENTION for reason in reasons):
        raise Throttled from None
    for write, reason in zip(writes, reasons, strict=True):
        if reason["Code"] == _CONDITION_FAILED:
            raise write.refusal(from_item(reason["Item"]) if "Item" in reason else None) from None
    raise Internal from None
