"""The one place where a change is committed: together with its audit event, and with a note that the event waits to be
sealed, in one transaction.

The event is the receipt. Its id follows from the operation, so when it is there already, the operation was applied
before (the reply was lost, or the activity runs again) and there is nothing left to do.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import ClientError

from domain.audit.events import AuditEvent
from domain.audit.trail import note_of
from domain.errors import Internal, NotFound, OnboardingError, Throttled
from stores.dynamodb.items import Row, assignments, expressions, from_item, to_item
from stores.dynamodb.tables import TableNames

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


def unless_foreign(row: Row | None, tenant_id: str, error: OnboardingError) -> OnboardingError:
    """What a condition that does not hold means to a tenant, to whom another one's row is as good as none."""
    return error if row is not None and row.get("tenant_id") == tenant_id else NotFound()


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
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._names = names

    def commit(self, event: AuditEvent, *writes: Write) -> None:
        """All or nothing. Raises the refusal of the first write whose condition does not hold, Throttled when another
        transaction is at work on the same rows."""
        everything = (*written(self._names, event), *writes)
        reasons = _cancelled(self._dynamodb, everything)
        if reasons and reasons[0]["Code"] != _CONDITION_FAILED:
            _refuse(everything, reasons)


def written(names: TableNames, event: AuditEvent) -> tuple[Write, Write]:
    """An event and its note. A change that decides more than one thing has the further ones among its writes."""
    note = {"tenant_id": event.tenant_id, **note_of(event, now=datetime.now(UTC))._asdict()}
    return _new_event(names.audit_events, asdict(event)), _new_event(names.audit_unsealed, note)


def transact(dynamodb: "DynamoDBClient", *writes: Write) -> None:
    """Without an event: for what is no change. All or nothing, and refused as `commit` is."""
    if reasons := _cancelled(dynamodb, writes):
        _refuse(writes, reasons)


def _new_event(table: str, row: Row) -> Write:
    return put(table, row, condition="attribute_not_exists(#event_id)", refusal=lambda _: Internal())


def _cancelled(dynamodb: "DynamoDBClient", writes: tuple[Write, ...]) -> list[dict[str, Any]]:
    """Why the transaction was cancelled; empty when it was not."""
    requests: Any = [write.request for write in writes]
    try:
        dynamodb.transact_write_items(TransactItems=requests)
    except dynamodb.exceptions.TransactionCanceledException as cancelled:
        return _reasons(cancelled)
    return []


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
