"""The canonical bytes of a request body."""

import json

import pytest
from hypothesis import given

from domain.idempotency import canonical
from tests.strategies import json_values


@given(value=json_values)
def test_the_bytes_are_the_value(value: object):
    assert json.loads(canonical(value)) == value


@given(value=json_values)
def test_white_space_and_spelling_do_not_matter(value: object):
    assert canonical(json.loads(json.dumps(value, indent=3, ensure_ascii=False))) == canonical(value)


def test_the_order_of_keys_does_not_matter():
    assert canonical({"a": 1, "b": {"c": 2, "d": 3}}) == canonical({"b": {"d": 3, "c": 2}, "a": 1})


def test_different_values_have_different_bytes():
    values = [None, False, 0, 0.0, "", [], {}, "0", [0], {"0": 0}, "é", "e\u0301"]
    assert len({canonical(value) for value in values}) == len(values)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_what_is_no_json_has_no_canonical_bytes(value: object):
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)


def test_a_lone_surrogate_has_bytes_too():
    assert canonical("\ud800") == b'"\\ud800"'
