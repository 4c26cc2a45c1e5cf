"""The ledger, for what no emulator does: transactions that get into each other's way."""

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from domain.errors import AlreadyExists, Internal, OnboardingError, StaleVersion, Throttled
from stores.dynamodb.ledger import Ledger, put
from stores.dynamodb.tables import TableNames
from tests.stores.faults import answered, error_body
from tests.stores.samples import FOREIGN, new_event

WRITES = [
    put("table", {"id": "1"}, condition="attribute_not_exists(#id)", refusal=lambda _: StaleVersion()),
    put("table", {"id": "2"}, condition="attribute_not_exists(#id)", refusal=lambda _: AlreadyExists()),
]


def commit(dynamodb: DynamoDBClient, *reasons: str) -> None:
    """Commit two writes; the transaction is cancelled for these reasons, the event's own first. Its note that it waits
    comes and goes with the event."""
    body = error_body("TransactionCanceledException", reasons=(reasons[0], "None", *reasons[1:]))
    with answered(dynamodb, "TransactWriteItems", status=400, body=body):
        Ledger(dynamodb, TableNames()).commit(new_event(FOREIGN), *WRITES)


@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        (("None", "ConditionalCheckFailed", "None"), StaleVersion),
        (("None", "None", "ConditionalCheckFailed"), AlreadyExists),
        (("None", "ConditionalCheckFailed", "ConditionalCheckFailed"), StaleVersion),
        (("None", "TransactionConflict", "None"), Throttled),
        (("TransactionConflict", "None", "None"), Throttled),
        (("None", "TransactionConflict", "ConditionalCheckFailed"), Throttled),
        (("None", "None", "ThrottlingError"), Throttled),
        (("None", "ValidationError", "None"), Internal),
    ],
)
def test_a_cancelled_transaction_is_understood(
    dynamodb: DynamoDBClient, reasons: tuple[str, ...], error: type[OnboardingError]
):
    with pytest.raises(error):
        commit(dynamodb, *reasons)


@pytest.mark.parametrize("others", ["None", "ConditionalCheckFailed", "TransactionConflict"])
def test_an_event_that_is_there_already_means_success(dynamodb: DynamoDBClient, others: str):
    commit(dynamodb, "ConditionalCheckFailed", others, others)
