"""What is wrong with a trail, at each bound: on trails of a few events, made by hand. `test_audit_trail` tampers with a
long one."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.audit.anchors import ANCHOR_INTERVAL, RETENTION_DAYS, Anchor, Head, contradictions
from domain.audit.events import Origin, audit_event
from domain.audit.trail import (
    BEGINNING,
    MARGIN,
    MOST_EVENTS,
    AuditDigest,
    Breach,
    Fault,
    Note,
    SealedEvent,
    Seen,
    Trail,
    breaches,
    fingerprint,
    next_digest,
    note_of,
)
from domain.idempotency import canonical
from domain.timestamps import stamp

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
AT = stamp(NOW)
NOTES = [Note(f"e{number}", f"f{number}", AT) for number in range(1, 7)]


def sealed(*groups: tuple[Sequence[Note], str], tenant_id: str = "t-1") -> list[AuditDigest]:
    """One digest for each group and its end, each signed."""
    digests: list[AuditDigest] = []
    for notes, until in groups:
        last = digests[-1] if digests else None
        made = next_digest(last, notes, tenant_id=tenant_id, until=until, at=AT)
        digests.append(signed(made))
    return digests


def signed(digest: AuditDigest) -> AuditDigest:
    return replace(digest, signature=f"of {digest.hash}")


def is_good(digest: AuditDigest) -> bool:
    return digest.signature == f"of {digest.hash}"


def seen(notes: Sequence[Note]) -> list[Seen]:
    return [Seen(note.event_id, note.fingerprint) for note in notes]


def trail(
    digests: Sequence[AuditDigest], events: Sequence[Seen], waiting: Sequence[Note] = (), settled: int = -1
) -> Trail:
    held = {note.event_id: note for note in waiting}
    return Trail("t-1", len(digests) if settled < 0 else settled, events, held, digests)


def found(tried: Trail, now: datetime = NOW) -> list[tuple[Fault, str]]:
    return [(breach.fault, breach.where) for breach in breaches(tried, is_good, now=now)]


CHAIN = sealed((NOTES[:2], "e3"), (NOTES[2:4], "e5"))
EVENTS = seen(NOTES[:4])
SOUND = trail(CHAIN, EVENTS)


# Digests


def test_a_chain_begins_goes_on_and_says_what_came_late():
    first, second, third = sealed((NOTES[:2], "e3"), (NOTES[2:4], "e5"), ([NOTES[0], NOTES[4]], "e2"))
    assert (first.sequence, first.previous, first.until, first.late) == (1, BEGINNING, "e3", 0)
    assert (second.sequence, second.previous, second.until, second.late) == (2, first.hash, "e5", 0)
    assert first.events == (SealedEvent("e1", "f1"), SealedEvent("e2", "f2"))
    assert (first.tenant_id, first.sealed_at, first.signature) == ("t-1", AT, f"of {first.hash}")
    assert third.until == "e5"
    assert [event.late for event in third.events] == [True, False]
    assert third.late == 1
    assert next_digest(first, [Note("e3", "f", AT)], tenant_id="t-1", until="e4", at=AT).late == 0
    assert BEGINNING == "0" * 64


def test_the_first_digest_of_a_tenant_holds_nothing_late_and_ends_where_it_was_told_to():
    first = next_digest(None, [Note("2026-1", "f", AT)], tenant_id="t-1", until="2026-2", at=AT)
    assert (first.until, first.late, first.signature) == ("2026-2", 0, "")


def test_a_hash_covers_everything_but_the_signature_and_what_is_signed_names_the_place():
    first = CHAIN[0]
    assert replace(first, signature="other").hash == first.hash
    changes: list[dict[str, object]] = [
        {"tenant_id": "t-2"},
        {"sequence": 2},
        {"until": "e4"},
        {"sealed_at": ""},
        {"events": first.events[:1]},
        {"events": (replace(first.events[0], late=True), first.events[1])},
        {"previous": "1" * 64},
    ]
    assert len({replace(first, **change).hash for change in changes} | {first.hash}) == len(changes) + 1  # type: ignore[arg-type]
    assert first.signed == f"threat-engine audit digest\nt-1\n1\n{first.hash}\n".encode()


def test_a_fingerprint_leaves_out_what_is_empty_and_nothing_else():
    event = audit_event(
        Origin("key:1", "r"), operation="o", tenant_id="t-1", action="a.b", target="t:1", at=AT, details={"a": "1"}
    )
    assert len(fingerprint(event)) == 64
    changes: list[dict[str, Any]] = [{name: "x"} for name in ("actor", "request_id", "action", "target", "at")]
    marks = {fingerprint(replace(event, **change)) for change in changes}
    bare = replace(event, details={})
    said = {name: value for name, value in asdict(bare).items() if value}
    assert set(asdict(bare)) - set(said) == {"details"}
    assert fingerprint(bare) == hashlib.sha256(canonical(said)).hexdigest()
    assert len(marks | {fingerprint(event), fingerprint(replace(event, details={}))}) == 7
    assert fingerprint(replace(event, details={})) == fingerprint(replace(event, details={}))
    assert note_of(event, now=NOW) == Note(event.event_id, fingerprint(event), AT)


def test_the_figures_are_those_that_operators_are_promised():
    assert (timedelta(minutes=2), timedelta(minutes=10), 400) == (MARGIN, ANCHOR_INTERVAL, RETENTION_DAYS)
    assert MOST_EVENTS + 1 == 100  # writes at once: a digest, and the notes that it replaces


def test_what_is_wrong_is_said_in_these_words():
    assert [fault.value for fault in Fault] == [
        *("altered", "missing", "added", "cut", "stalled", "reordered", "broken chain", "bad signature"),
        *("sealed twice", "rewritten", "unanchored", "unreadable", "hidden"),
    ]


# Breaches


def test_a_trail_that_nobody_touched_is_sound():
    assert found(SOUND) == []
    assert found(trail([], [])) == []
    assert found(trail(CHAIN, seen(NOTES[:6]), NOTES[4:6])) == []


def test_an_event_is_what_was_sealed_or_waits_to_be():
    assert found(replace(SOUND, events=[*EVENTS[:1], Seen("e2", "x"), *EVENTS[2:]])) == [(Fault.ALTERED, "event e2")]
    waits = trail(CHAIN, [*EVENTS, Seen("e5", "x")], [NOTES[4]])
    assert found(waits) == [(Fault.ALTERED, "event e5")]
    both = trail(CHAIN, EVENTS, [Note("e2", "x", AT)])
    assert found(both) == []  # its note has not gone yet, and the digest is what counts


def test_an_event_that_nothing_knows_was_added_or_the_end_was_cut_off():
    assert found(replace(SOUND, events=[*EVENTS, Seen("e4x", "f")])) == [(Fault.ADDED, "event e4x")]
    assert found(replace(SOUND, events=[*EVENTS, Seen("e5", "f")])) == [(Fault.CUT, "event e5")]
    assert found(trail([], EVENTS[:1])) == [(Fault.CUT, "event e1")]
    assert found(trail([], [Seen("2026-1", "f")])) == [(Fault.CUT, "event 2026-1")]
    late = sealed((NOTES[2:4], "e5"), (NOTES[:1], "e2"))
    assert found(trail(late, [EVENTS[0], Seen("e1x", "f"), *EVENTS[2:]])) == [(Fault.ADDED, "event e1x")]


def test_an_event_that_was_sealed_is_there_once_the_digests_are_settled():
    gone = [EVENTS[0], *EVENTS[2:]]
    assert found(replace(SOUND, events=gone)) == [(Fault.MISSING, "event e2")]
    assert found(replace(SOUND, events=gone, settled=1)) == [(Fault.MISSING, "event e2")]
    assert found(replace(SOUND, events=EVENTS[:3], settled=1)) == []  # sealed behind the reader


def test_an_event_is_sealed_once():
    twice = sealed((NOTES[:2], "e3"), (NOTES[:1], "e3"))
    assert found(trail(twice, EVENTS[:2])) == [(Fault.SEALED_TWICE, "event e1")]
    assert found(trail(twice, EVENTS[1:2])) == [(Fault.MISSING, "event e1"), (Fault.SEALED_TWICE, "event e1")]


def test_events_are_in_order_and_none_stands_twice():
    assert found(replace(SOUND, events=[EVENTS[1], EVENTS[0], *EVENTS[2:]])) == [(Fault.REORDERED, "event e1")]
    assert found(replace(SOUND, events=[EVENTS[0], *EVENTS])) == [(Fault.REORDERED, "event e1")]


@pytest.mark.parametrize(("age", "stalled"), [(15 * 60, False), (15 * 60 + 1, True)])
def test_nothing_waits_longer_than_a_quarter_of_an_hour(age: int, stalled: bool):
    waits = trail(CHAIN, [*EVENTS, Seen("e5", "f5")], [NOTES[4]])
    expected = [(Fault.STALLED, "event e5")] if stalled else []
    assert found(waits, NOW + timedelta(seconds=age)) == expected


def test_a_digest_goes_on_from_the_one_before():
    first, second = CHAIN
    for changes in ({"sequence": 3}, {"previous": "f" * 64}, {"previous": BEGINNING}, {"tenant_id": "t-2"}):
        broken = signed(replace(second, **changes))
        assert found(trail([first, broken], EVENTS, settled=2)) == [(Fault.BROKEN_CHAIN, f"digest {broken.sequence}")]
    other = signed(replace(first, previous="f" * 64))
    assert (Fault.BROKEN_CHAIN, "digest 1") in found(trail([other], EVENTS[:2]))
    again = signed(replace(second, sequence=1))
    assert (Fault.REORDERED, "digest 1") in found(trail([first, again], EVENTS))
    assert found(trail([second, first], EVENTS, settled=1)) == [
        (Fault.BROKEN_CHAIN, "digest 2"),
        (Fault.REORDERED, "digest 1"),
    ]


def test_a_digest_is_signed_also_when_it_is_out_of_its_place():
    first, second = CHAIN
    unsigned = replace(second, signature="")
    assert found(trail([first, unsigned], EVENTS)) == [(Fault.BAD_SIGNATURE, "digest 2")]
    forged = replace(first, sealed_at="", signature=first.signature)
    assert found(trail([forged, second], EVENTS)) == [
        (Fault.BAD_SIGNATURE, "digest 1"),
        (Fault.BROKEN_CHAIN, "digest 2"),
    ]


def test_the_digests_that_were_there_before_are_there():
    assert found(replace(SOUND, settled=3)) == [(Fault.BROKEN_CHAIN, "digest 3")]
    assert found(trail([], [], settled=1)) == [(Fault.BROKEN_CHAIN, "digest 1")]
    assert found(replace(SOUND, settled=1)) == []


# Anchors


def anchored(*heads: tuple[int, str], tenant_id: str = "t-1") -> list[Anchor]:
    return [Anchor(AT, {tenant_id: Head(*head)}) for head in heads]


def contradicted(anchors: Sequence[Anchor], age: int = 0, digests: Sequence[AuditDigest] = CHAIN) -> list[Breach]:
    return list(contradictions("t-1", digests, anchors, now=NOW + timedelta(seconds=age)))


def test_anchors_that_name_the_digests_contradict_nothing():
    first, second = CHAIN
    assert contradicted(anchored((1, first.hash), (2, second.hash)), age=10**6) == []
    assert contradicted([]) == []


def test_a_digest_that_was_written_anew_or_is_gone_is_found_by_its_anchor():
    second = CHAIN[1]
    wrong = anchored((2, "f" * 64), (1, "f" * 64), (2, second.hash))
    assert contradicted(wrong) == [Breach(Fault.REWRITTEN, "digest 1"), Breach(Fault.REWRITTEN, "digest 2")]
    assert contradicted(anchored((3, "f"))) == [Breach(Fault.REWRITTEN, "digest 3")]
    assert contradicted(anchored((1, "f"), tenant_id="t-2")) == []


@pytest.mark.parametrize(("age", "missed"), [(3600, False), (3601, True)])
def test_a_digest_waits_for_its_anchor_for_an_hour(age: int, missed: bool):
    first, second = CHAIN
    expected = [Breach(Fault.UNANCHORED, "digest 1")] if missed else []
    assert contradicted([], age) == expected
    assert contradicted(anchored((1, first.hash)), age) == ([Breach(Fault.UNANCHORED, "digest 2")] if missed else [])
    assert contradicted(anchored((2, second.hash)), age) == []


def test_a_later_anchor_covers_what_came_before():
    assert contradicted(anchored((2, CHAIN[1].hash)), age=10**6) == []


def test_the_mark_of_an_anchor_is_that_of_its_heads():
    one, other = anchored((1, "a"))[0], anchored((1, "b"))[0]
    assert one.digest == Anchor("another time", one.heads).digest != other.digest
    assert (
        Anchor(AT, {"t-1": Head(1, "a"), "t-2": Head(2, "b")}).digest
        == Anchor(AT, {"t-2": Head(2, "b"), "t-1": Head(1, "a")}).digest
    )
    assert (one.unreadable, Anchor(AT, {}, "x").unreadable) == ("", "x")
