"""Rows and items, and the expressions between them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import PayloadTooLarge
from stores.dynamodb.items import MAX_ROW_BYTES, assignments, expressions, from_item, is_id, to_item
from tests.stores.samples import STRANGE_IDS
from tests.strategies import ids, texts

values = texts | st.integers(0, 10**6) | st.booleans() | st.dictionaries(texts, texts, max_size=3)
rows = st.dictionaries(st.sampled_from(["status", "name", "owner", "ttl"]), values)


@given(row=rows)
def test_a_row_comes_back_from_its_item(row: dict[str, object]):
    assert from_item(to_item(row)) == row


def test_what_is_none_is_left_out():
    assert from_item(to_item({"reason": None, "attempts": 3})) == {"attempts": Decimal(3)}


def test_a_row_out_of_all_proportion_is_refused():
    with pytest.raises(PayloadTooLarge):
        to_item({"description": "x" * MAX_ROW_BYTES})


@given(text=ids)
def test_a_uuid_is_an_id(text: str):
    assert is_id(text)


@pytest.mark.parametrize("text", STRANGE_IDS, ids=ascii)
def test_nothing_else_is_an_id(text: str):
    assert not is_id(text)


def test_an_expression_brings_its_names_and_values():
    change = {"status": "active", "reason": None}
    request = expressions(
        {**change, "seen": 1},
        UpdateExpression=assignments(change),
        ConditionExpression="#version = :seen",
    )
    assert request == {
        "UpdateExpression": "SET #status = :status",
        "ConditionExpression": "#version = :seen",
        "ExpressionAttributeNames": {"#status": "status", "#version": "version"},
        "ExpressionAttributeValues": {":status": {"S": "active"}, ":seen": {"N": "1"}},
    }
