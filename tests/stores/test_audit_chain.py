"""The contract of AuditChain, and that each change leaves a note of its event."""

from dataclasses import replace

import pytest

from domain.audit.trail import BEGINNING, MOST_EVENTS, AuditDigest, SealedEvent, fingerprint, next_digest
from domain.callers.tenants import PLATFORM
from domain.errors import AlreadyExists, StaleVersion, Throttled, Unavailable
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import answered, error_body, reply_lost
from tests.stores.samples import AT, FOREIGN, LATER, STRANGE_IDS, new_account, new_event, new_id, new_tenant

EVER = "9"
"""Above every event's id."""


def written(stores: Stores, tenant_id: str, count: int) -> list[str]:
    """Records so many events; returns their ids in order."""
    events = [new_event(tenant_id, at=f"2026-11-24T10:00:00.{number:03}Z") for number in range(count)]
    for event in events:
        stores.audit.record(event)
    return [event.event_id for event in events]


def following(stores: Stores, tenant_id: str, count: int = MOST_EVENTS) -> AuditDigest:
    """The next digest, of the first that wait."""
    notes = stores.chain.waiting(tenant_id, after="", limit=count)
    digest = next_digest(stores.chain.latest(tenant_id), notes, tenant_id=tenant_id, until=LATER, at=LATER)
    return replace(digest, signature="AAAA")


def waiting(stores: Stores, tenant_id: str) -> list[str]:
    return [note.event_id for note in stores.chain.waiting(tenant_id, after="", limit=100)]


def test_a_recorded_event_waits_with_its_fingerprint(stores: Stores):
    tenant_id = new_id()
    events = [new_event(tenant_id, at=at) for at in (LATER, AT)]
    for event in events:
        stores.audit.record(event)
        stores.audit.record(event)
    notes = stores.chain.waiting(tenant_id, after="", limit=10)
    assert [(note.event_id, note.fingerprint) for note in notes] == [
        (event.event_id, fingerprint(event)) for event in reversed(events)
    ]
    assert all(note.written_at > AT for note in notes)
    assert stores.events(tenant_id) == list(reversed(events))


def test_the_fingerprint_is_that_of_the_event_that_is_read(stores: Stores):
    tenant_id = new_id()
    for details in ({}, {"codes": "a, b", "empty": "", "ü": "—"}):
        stores.audit.record(replace(new_event(tenant_id), details=details))
    marks = {note.event_id: note.fingerprint for note in stores.chain.waiting(tenant_id, after="", limit=10)}
    assert marks == {event.event_id: fingerprint(event) for event in stores.events(tenant_id)}


def test_each_change_leaves_a_note_and_a_refused_one_leaves_none(stores: Stores):
    tenant = new_tenant()
    made, registered = new_event(tenant.tenant_id, at=AT), new_event(tenant.tenant_id, at=LATER)
    stores.tenants.create(tenant, made)
    account = new_account(tenant.tenant_id)
    stores.accounts.register(account, registered)
    with pytest.raises(AlreadyExists):
        stores.accounts.register(account, new_event(tenant.tenant_id))
    assert waiting(stores, tenant.tenant_id) == [made.event_id, registered.event_id]


def test_tenants_are_listed_once_and_only_while_something_waits(stores: Stores):
    tenant_id = new_id()
    assert tenant_id not in stores.chain.tenants(before=EVER, limit=1000)
    written(stores, tenant_id, 3)
    written(stores, PLATFORM, 1)
    listed = list(stores.chain.tenants(before=EVER, limit=1000))
    assert listed.count(tenant_id) == 1
    assert PLATFORM in listed
    assert len(stores.chain.tenants(before=EVER, limit=1)) == 1
    stores.chain.append(following(stores, tenant_id))
    assert tenant_id not in stores.chain.tenants(before=EVER, limit=1000)


def test_tenants_of_which_only_younger_events_wait_are_not_listed(stores: Stores):
    old, young = new_id(), new_id()
    for tenant_id, at in ((old, AT), (young, LATER)):
        stores.audit.record(new_event(tenant_id, at=at))
    assert {old, young} & set(stores.chain.tenants(before=LATER, limit=1000)) == {old}


def test_a_digest_comes_back_as_it_was_written_and_its_events_wait_no_more(stores: Stores):
    tenant_id = new_id()
    assert stores.chain.latest(tenant_id) is None
    names = written(stores, tenant_id, 5)
    digest = following(stores, tenant_id, 3)
    stores.chain.append(digest)
    assert (digest.sequence, digest.previous, len(digest.events)) == (1, BEGINNING, 3)
    assert stores.chain.latest(tenant_id) == digest
    assert list(stores.chain.digests(tenant_id, after=0, limit=10)) == [digest]
    assert waiting(stores, tenant_id) == names[3:]


def test_a_digest_of_the_most_events_is_one_write(stores: Stores):
    tenant_id = new_id()
    written(stores, tenant_id, MOST_EVENTS + 1)
    stores.chain.append(following(stores, tenant_id))
    assert len(waiting(stores, tenant_id)) == 1
    [digest] = stores.chain.digests(tenant_id, after=0, limit=10)
    assert len(digest.events) == MOST_EVENTS


def test_digests_come_in_order_a_few_at_a_time(stores: Stores):
    tenant_id = new_id()
    written(stores, tenant_id, 12)
    for _ in range(12):
        stores.chain.append(following(stores, tenant_id, 1))
    first = stores.chain.digests(tenant_id, after=0, limit=8)
    rest = stores.chain.digests(tenant_id, after=first[-1].sequence, limit=8)
    assert [digest.sequence for digest in (*first, *rest)] == list(range(1, 13))
    assert list(stores.chain.digests(tenant_id, after=12, limit=8)) == []
    latest = stores.chain.latest(tenant_id)
    assert latest
    assert latest.sequence == 12


def test_notes_come_a_few_at_a_time(stores: Stores):
    tenant_id = new_id()
    names = written(stores, tenant_id, 5)
    first = [note.event_id for note in stores.chain.waiting(tenant_id, after="", limit=3)]
    assert first == names[:3]
    assert [note.event_id for note in stores.chain.waiting(tenant_id, after=first[-1], limit=3)] == names[3:]


def test_a_sequence_is_given_once(stores: Stores):
    tenant_id = new_id()
    names = written(stores, tenant_id, 2)
    first, other = following(stores, tenant_id, 1), following(stores, tenant_id, 2)
    stores.chain.append(first)
    with pytest.raises(StaleVersion):
        stores.chain.append(other)
    assert waiting(stores, tenant_id) == names[1:]
    assert stores.chain.latest(tenant_id) == first


def test_an_event_is_sealed_once(stores: Stores):
    tenant_id = new_id()
    written(stores, tenant_id, 1)
    first = following(stores, tenant_id)
    stores.chain.append(first)
    with pytest.raises(StaleVersion):
        stores.chain.append(replace(first, sequence=2, previous=first.hash))
    assert stores.chain.latest(tenant_id) == first


def test_a_foreign_tenants_notes_and_digests_are_not_seen(stores: Stores):
    tenant_id = new_id()
    written(stores, tenant_id, 2)
    stores.chain.append(following(stores, tenant_id, 1))
    assert waiting(stores, FOREIGN) == []
    assert list(stores.chain.digests(FOREIGN, after=0, limit=10)) == []


@pytest.mark.parametrize("tenant_id", STRANGE_IDS, ids=ascii)
def test_what_can_be_no_tenant_has_nothing(stores: Stores, tenant_id: str):
    assert waiting(stores, tenant_id) == []
    assert stores.chain.latest(tenant_id) is None
    assert list(stores.chain.digests(tenant_id, after=0, limit=10)) == []


# What only AWS does


def test_when_the_reply_is_lost_the_digest_is_there_and_a_repetition_is_told_so(aws: Aws):
    stores, tenant_id = aws.stores, new_id()
    written(stores, tenant_id, 2)
    digest = following(stores, tenant_id)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(Unavailable):
        stores.chain.append(digest)
    assert stores.chain.latest(tenant_id) == digest
    with pytest.raises(StaleVersion):
        stores.chain.append(digest)


def test_contention_is_tried_again(aws: Aws):
    digest = AuditDigest(FOREIGN, 1, LATER, LATER, (SealedEvent("e", "f"),), BEGINNING)
    reasons = ("ConditionalCheckFailed", "TransactionConflict")
    body = error_body("TransactionCanceledException", reasons=reasons)
    with answered(aws.clients.dynamodb, "TransactWriteItems", status=400, body=body), pytest.raises(Throttled):
        aws.stores.chain.append(digest)
