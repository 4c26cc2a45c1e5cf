"""Whatever is done to a sealed trail is found."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

import pytest
from hypothesis import given

from commands.audit.command import read_trail
from domain.audit.events import AuditEvent, Origin, audit_event
from domain.audit.trail import Breach, Fault, SealedEvent, Seen, Trail, breaches, fingerprint
from stores.audit.keys import checker
from tests.fakes_audit import AuditRig, FakeSigner, later
from tests.stores.samples import new_event
from tests.strategies import origins, stamps

Thing = TypeVar("Thing")

TENANT = str(uuid4())
ATTEMPTS = 1000
RIG = AuditRig()
NOW = RIG.lived(TENANT, minutes=60)
SOUND = read_trail(RIG.stored, TENANT)
EVENTS: Mapping[str, AuditEvent] = {event.event_id: event for event in RIG.stores.ledger.of(TENANT)}
SEALED = [event.event_id for digest in SOUND.digests for event in digest.events]
STRANGER = FakeSigner()


def found(trail: Trail) -> list[Breach]:
    return list(breaches(trail, checker([RIG.signer.public]), now=NOW))


def test_a_trail_that_nobody_touched_is_sound():
    assert found(SOUND) == []
    assert len(SOUND.events) == 180
    assert len(SOUND.digests) == 58
    assert len(SOUND.waiting) == 180 - len(SEALED) == 6


# What somebody may do who can write every table


def edit_event(chance: random.Random) -> Trail:
    event = EVENTS[chance.choice(SEALED)]
    changes: list[dict[str, object]] = [
        {"actor": "key:somebody-else"},
        {"action": "thing.deleted"},
        {"target": f"thing:{chance.random()}"},
        {"outcome": "refused"},
        {"details": {}},
        {"details": {**event.details, "more": "1"}},
        {"at": later(event.at, 0.001)},
        {"request_id": ""},
        {"tenant_id": str(uuid4())},
    ]
    return with_events(lambda one: replace(one, **chance.choice(changes)) if one == event else one)  # type: ignore[arg-type]


def edit_event_that_waits(chance: random.Random) -> Trail:
    event_id = chance.choice(sorted(SOUND.waiting))
    return with_events(lambda one: replace(one, actor="nobody") if one.event_id == event_id else one)


def delete_event(chance: random.Random) -> Trail:
    gone = chance.choice(SEALED)
    return replace(SOUND, events=[event for event in SOUND.events if event.event_id != gone])


def insert_event(chance: random.Random) -> Trail:
    """With a time of its own, up to and after the last one."""
    new = new_event(TENANT, at=later(SOUND.events[0].event_id[:24], chance.uniform(0, 3600)))
    return replace(SOUND, events=sorted([*SOUND.events, seen(new)]))


def swap_events(chance: random.Random) -> Trail:
    """Each takes the place of the other."""
    one, other = chance.sample(SEALED, 2)
    places = {one: EVENTS[other], other: EVENTS[one]}
    return with_events(lambda event: replace(places.get(event.event_id, event), event_id=event.event_id))


def swap_lines(chance: random.Random) -> Trail:
    return replace(SOUND, events=swapped(SOUND.events, chance))


def swap_digests(chance: random.Random) -> Trail:
    return replace(SOUND, digests=swapped(SOUND.digests, chance))


def delete_digest(chance: random.Random) -> Trail:
    gone = chance.choice(SOUND.digests)
    return replace(SOUND, digests=[digest for digest in SOUND.digests if digest != gone])


def delete_digest_and_its_events(chance: random.Random) -> Trail:
    gone = chance.choice(SOUND.digests)
    names = {event.event_id for event in gone.events}
    events = [event for event in SOUND.events if event.event_id not in names]
    return replace(SOUND, events=events, digests=[digest for digest in SOUND.digests if digest != gone])


def cut_digests(chance: random.Random) -> Trail:
    """The trail is read as if there never had been more."""
    left = chance.randrange(len(SOUND.digests))
    return replace(SOUND, digests=SOUND.digests[:left], settled=left)


def cut_events(chance: random.Random) -> Trail:
    return replace(SOUND, events=SOUND.events[: chance.randrange(len(SEALED))])


def edit_digest(chance: random.Random) -> Trail:
    digest = chance.choice(SOUND.digests)
    events, signature = digest.events, digest.signature
    changes: list[dict[str, object]] = [
        {"until": later(digest.until[:24], 1)},
        {"sealed_at": later(digest.sealed_at, 1)},
        {"previous": "f" * 64},
        {"events": events[:-1]},
        {"events": tuple(reversed(events))},
        {"events": (*events, SealedEvent(*seen(new_event(TENANT))))},
        {"events": (replace(events[0], late=not events[0].late), *events[1:])},
        {"signature": ""},
        {"signature": signature[:-8] + "AAAAAAA="},
        {"tenant_id": str(uuid4())},
        {"sequence": digest.sequence + 1},
    ]
    return with_digest(digest.sequence, **chance.choice(changes))


def forge_digest(chance: random.Random) -> Trail:
    """An altered event, and a digest that fits it, signed with another key."""
    digest = chance.choice(SOUND.digests)
    event = replace(EVENTS[digest.events[0].event_id], actor="nobody")
    forged = replace(digest, events=(SealedEvent(event.event_id, fingerprint(event)), *digest.events[1:]))
    trail = with_digest(digest.sequence, events=forged.events, signature=STRANGER.sign(forged.signed))
    return replace(trail, events=[seen(event) if s.event_id == event.event_id else s for s in SOUND.events])


TAMPERINGS: Sequence[Callable[[random.Random], Trail]] = (
    *(edit_event, edit_event_that_waits, delete_event, insert_event, swap_events, swap_lines, swap_digests),
    *(delete_digest, delete_digest_and_its_events, cut_digests, cut_events, edit_digest, forge_digest),
)


def seen(event: AuditEvent) -> Seen:
    return Seen(event.event_id, fingerprint(event))


def with_events(change: Callable[[AuditEvent], AuditEvent]) -> Trail:
    return replace(SOUND, events=[seen(change(event)) for event in EVENTS.values()])


def with_digest(number: int, **changes: object) -> Trail:
    digests = [replace(d, **changes) if d.sequence == number else d for d in SOUND.digests]  # type: ignore[arg-type]
    return replace(SOUND, digests=digests)


def swapped(things: Sequence[Thing], chance: random.Random) -> list[Thing]:
    one, other = chance.sample(range(len(things)), 2)
    order = list(things)
    order[one], order[other] = order[other], order[one]
    return order


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: tampering.__name__)
def test_each_of_a_thousand_tamperings_is_found(tampering: Callable[[random.Random], Trail]):
    chance = random.Random(tampering.__name__)
    attempts = -(-ATTEMPTS // len(TAMPERINGS))
    assert [number for number in range(attempts) if not found(tampering(chance))] == []


# What is said of it


def test_it_is_said_which_event_was_altered_deleted_or_added():
    name = SEALED[17]
    altered = with_events(lambda event: replace(event, actor="nobody") if event.event_id == name else event)
    assert found(altered) == [Breach(Fault.ALTERED, f"event {name}")]
    gone = replace(SOUND, events=[event for event in SOUND.events if event.event_id != name])
    assert found(gone) == [Breach(Fault.MISSING, f"event {name}")]
    new = seen(new_event(TENANT, at=later(name[:24], 0.5)))
    added = replace(SOUND, events=sorted([*SOUND.events, new]))
    assert found(added) == [Breach(Fault.ADDED, f"event {new.event_id}")]


def test_it_is_said_which_events_the_missing_end_of_the_chain_held():
    cut = replace(SOUND, digests=SOUND.digests[:50], settled=50)
    lost = [event.event_id for digest in SOUND.digests[50:] for event in digest.events]
    assert found(cut) == [Breach(Fault.CUT, f"event {name}") for name in lost]


def test_digests_that_were_there_when_it_was_begun_to_read_are_missed():
    assert Breach(Fault.BROKEN_CHAIN, "digest 51") in found(replace(SOUND, digests=SOUND.digests[:50]))


def test_a_sealer_that_stands_still_is_found():
    later_on = NOW + timedelta(minutes=20)
    stalled = list(breaches(SOUND, checker([RIG.signer.public]), now=later_on))
    assert stalled == [Breach(Fault.STALLED, f"event {name}") for name in sorted(SOUND.waiting)]


def test_an_event_that_two_digests_hold_is_found():
    digest = replace(SOUND.digests[-1], events=(*SOUND.digests[-1].events, SOUND.digests[0].events[0]))
    signed = replace(digest, signature=RIG.signer.sign(digest.signed))
    assert found(replace(SOUND, digests=[*SOUND.digests[:-1], signed])) == [
        Breach(Fault.SEALED_TWICE, f"event {SEALED[0]}")
    ]


@pytest.mark.parametrize(
    "changes", [{"previous": "f" * 64}, {"previous": SOUND.digests[-2].previous}, {"sequence": 99}]
)
def test_a_digest_with_a_good_signature_that_does_not_go_on_from_the_one_before_is_found(changes: dict[str, object]):
    digest = replace(SOUND.digests[-1], **changes)  # type: ignore[arg-type]
    signed = replace(digest, signature=RIG.signer.sign(digest.signed))
    assert found(replace(SOUND, digests=[*SOUND.digests[:-1], signed])) == [
        Breach(Fault.BROKEN_CHAIN, f"digest {digest.sequence}")
    ]


def test_the_chain_of_another_tenant_does_not_do():
    assert {breach.fault for breach in found(replace(SOUND, tenant_id=str(uuid4())))} == {Fault.BROKEN_CHAIN}


def test_a_late_event_is_no_tampering():
    rig = AuditRig()
    now = rig.lived(TENANT, minutes=10)
    rig.write(TENANT, at=now - timedelta(hours=2), written_at=now)
    before = read_trail(rig.stored, TENANT)
    check = checker([rig.signer.public])
    assert list(breaches(before, check, now=now)) == []
    rig.seal(TENANT, at=now)
    sealed = read_trail(rig.stored, TENANT)
    assert list(breaches(sealed, check, now=now)) == []
    assert sum(digest.late for digest in sealed.digests) == 1


def test_what_comes_while_it_is_read_is_no_tampering():
    """Sealed behind the reader: it did not see the events."""
    meanwhile = replace(SOUND, settled=50, events=[e for e in SOUND.events if e.event_id < SOUND.digests[49].until])
    assert found(meanwhile) == []


@given(origin=origins, at=stamps)
def test_a_fingerprint_changes_with_each_field(origin: Origin, at: str):
    event = audit_event(origin, operation="o", tenant_id=TENANT, action="a.b", target="t:1", at=at, details={"a": "1"})
    changes = {"actor": "x", "request_id": "x", "action": "x", "target": "x", "outcome": "x", "details": {"a": "2"}}
    marks = {fingerprint(replace(event, **{name: value})) for name, value in changes.items()}  # type: ignore[arg-type]
    assert len(marks - {fingerprint(event)}) == len(changes)
