"""The event id: the receipt of an operation."""

from typing import Any

import pytest
from hypothesis import given

from domain.audit.events import Origin, audit_event
from tests.strategies import ids, origins, stamps

OPERATION: dict[str, Any] = {
    "operation": "run-1/activate",
    "tenant_id": "t1",
    "action": "account.activated",
    "target": "account:a1",
    "at": "2026-11-24T10:00:00.000Z",
}


@given(first=origins, second=origins)
def test_the_same_operation_has_the_same_id_whoever_repeats_it(first: Origin, second: Origin):
    again = audit_event(second, **OPERATION, outcome="repeated", details={"attempt": "2"})
    assert audit_event(first, **OPERATION).event_id == again.event_id


@pytest.mark.parametrize(
    "change",
    [
        {"operation": "run-2/activate"},
        {"tenant_id": "t2"},
        {"action": "account.closed"},
        {"at": "2026-11-24T10:00:00.001Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_operation_has_another_id(change: dict[str, str]):
    origin = Origin("cli", "r1")
    assert audit_event(origin, **OPERATION).event_id != audit_event(origin, **{**OPERATION, **change}).event_id


@given(first=stamps, second=stamps, tenant_id=ids)
def test_ids_sort_by_time(first: str, second: str, tenant_id: str):
    events = [
        audit_event(Origin("cli", "r1"), **{**OPERATION, "at": at, "tenant_id": tenant_id}) for at in (first, second)
    ]
    if first < second:
        assert events[0].event_id < events[1].event_id


def test_the_event_says_who_asked_and_in_which_request():
    event = audit_event(Origin("key:0123456789abcdef", "r1"), **OPERATION, details={"attempts": "2"})
    assert (event.actor, event.request_id) == ("key:0123456789abcdef", "r1")
    assert (event.outcome, event.details) == ("ok", {"attempts": "2"})


def test_details_of_the_caller_are_copied():
    details = {"attempts": "2"}
    event = audit_event(Origin("cli", "r1"), **OPERATION, details=details)
    details["attempts"] = "3"
    assert event.details == {"attempts": "2"}
