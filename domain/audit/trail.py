"""The sealed audit trail: what a digest holds, and what is wrong when events and digests do not fit together.

Each event is written together with a note that it waits to be sealed, which holds its fingerprint. The sealer turns the
notes of a tenant into digests: each names its events in order, and holds the hash of the digest before it and a
signature. So an event can be in three places: waiting, sealed, or, when somebody has put it there, in neither.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from domain.audit.events import AuditEvent
from domain.idempotency import canonical
from domain.timestamps import stamp

MARGIN = timedelta(minutes=2)
"""An event waits at least so long: until then, one with an earlier time may be on its way."""
PATIENCE = timedelta(minutes=15)
"""Nothing waits so long while the sealer is at work."""
MOST_EVENTS = 99
"""In a digest. It is written together with the removal of their notes, and DynamoDB takes 100 writes at once."""
BEGINNING = "0" * 64
"""In place of the hash before the first digest."""


class Seen(NamedTuple):
    """An event as it was found: millions of these fit into memory."""

    event_id: str
    fingerprint: str


class Note(NamedTuple):
    """That an event waits to be sealed."""

    event_id: str
    fingerprint: str
    written_at: str
    """When it was really written: its own time may be that of a request of long ago."""


def note_of(event: AuditEvent, *, now: datetime) -> Note:
    return Note(event.event_id, fingerprint(event), stamp(now))


@dataclass(frozen=True)
class SealedEvent:
    event_id: str
    fingerprint: str
    """As it was when the event was written."""
    late: bool = False
    """Whether it came when younger ones had been sealed already."""


@dataclass(frozen=True)
class AuditDigest:
    """Some of a tenant's events, sealed. Digests are numbered from 1 and form one chain for each tenant."""

    tenant_id: str
    sequence: int
    until: str
    """Every event with an id below this one is sealed in here or before; one that comes later is late."""
    sealed_at: str
    events: tuple[SealedEvent, ...]
    previous: str
    """The hash of the digest before."""
    signature: str = ""
    """Of `signed`, in base64."""

    @property
    def hash(self) -> str:
        """SHA-256 of everything but the signature."""
        content = {name: value for name, value in asdict(self).items() if name != "signature"}
        return hashlib.sha256(canonical(content)).hexdigest()

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        return f"threat-engine audit digest\n{self.tenant_id}\n{self.sequence}\n{self.hash}\n".encode()

    @property
    def late(self) -> int:
        return sum(event.late for event in self.events)


def fingerprint(event: AuditEvent) -> str:
    """SHA-256 of the event's canonical JSON. What is empty is left out, so that a field that events get one day does
    not change the fingerprints of those before."""
    return hashlib.sha256(canonical({name: value for name, value in asdict(event).items() if value})).hexdigest()


def next_digest(
    last: AuditDigest | None, waiting: Sequence[Note], *, tenant_id: str, until: str, at: str
) -> AuditDigest:
    """Unsigned. `waiting` is in order, and all that waits below `until`."""
    sealed_until = last.until if last else ""
    return AuditDigest(
        tenant_id=tenant_id,
        sequence=last.sequence + 1 if last else 1,
        until=max(until, sealed_until),
        sealed_at=at,
        events=tuple(SealedEvent(e.event_id, e.fingerprint, e.event_id < sealed_until) for e in waiting),
        previous=last.hash if last else BEGINNING,
    )


# What can be wrong


class Fault(StrEnum):
    ALTERED = "altered"
    """The event is not the one that was sealed."""
    MISSING = "missing"
    """The event was sealed and is not there."""
    ADDED = "added"
    """The event is in a sealed time, and no digest holds it."""
    CUT = "cut"
    """The event is younger than the last digest, does not wait to be sealed, and no digest holds it."""
    STALLED = "stalled"
    """The event waits to be sealed for much too long."""
    REORDERED = "reordered"
    """The event or digest is not in its place."""
    BROKEN_CHAIN = "broken chain"
    """The digest does not go on from the one before."""
    BAD_SIGNATURE = "bad signature"
    """The digest was signed by none of the keys, or altered since."""
    SEALED_TWICE = "sealed twice"
    """Two digests hold the event."""
    REWRITTEN = "rewritten"
    """An anchor names another hash for the digest, or the digest is not there any more."""
    UNANCHORED = "unanchored"
    """The digest was sealed more than an hour ago, and no anchor covers it."""
    UNREADABLE = "unreadable"
    """Something stands among the digests or the anchors that is none."""
    HIDDEN = "hidden"
    """Somebody has put a delete marker over the anchor, which stays readable by its version."""


@dataclass(frozen=True)
class Breach:
    fault: Fault
    where: str
    """`event <id>` or `digest <sequence>`."""


@dataclass(frozen=True)
class Trail:
    """All there is of a tenant, read in the order of these fields while the platform was at work: an event that waited
    when `waiting` was read and is sealed since is in `digests`."""

    tenant_id: str
    settled: int
    """The sequence of the last digest before the events were read: events of later ones may have come since."""
    events: Sequence[Seen]
    waiting: Mapping[str, Note]
    """By event id."""
    digests: Sequence[AuditDigest]


def breaches(trail: Trail, signature_is_good: Callable[[AuditDigest], bool], *, now: datetime) -> Iterator[Breach]:
    """Everything that is wrong with a trail."""
    yield from _in_chain(trail, signature_is_good)
    yield from _in_order(trail.events)
    yield from _as_sealed(trail, stale=stamp(now - PATIENCE))
    yield from _not_there(trail)


def _as_sealed(trail: Trail, *, stale: str) -> Iterator[Breach]:
    """Each event is what was sealed, or what waits to be."""
    known = {note.event_id: note.fingerprint for note in trail.waiting.values()}
    known |= {event.event_id: event.fingerprint for digest in trail.digests for event in digest.events}
    until = max((digest.until for digest in trail.digests), default="")
    for event_id, found in trail.events:
        if event_id not in known:
            yield _of_event(Fault.ADDED if event_id < until else Fault.CUT, event_id)
        elif known[event_id] != found:
            yield _of_event(Fault.ALTERED, event_id)
    stalled = [note.event_id for note in trail.waiting.values() if note.written_at < stale]
    yield from (_of_event(Fault.STALLED, event_id) for event_id in stalled)


def _not_there(trail: Trail) -> Iterator[Breach]:
    """Each event that was sealed is there, and was sealed once."""
    found, sealed = {event.event_id for event in trail.events}, set[str]()
    for digest in trail.digests:
        for event in digest.events:
            if event.event_id in sealed:
                yield _of_event(Fault.SEALED_TWICE, event.event_id)
            elif event.event_id not in found and digest.sequence <= trail.settled:
                yield _of_event(Fault.MISSING, event.event_id)
            sealed.add(event.event_id)


def _in_order(events: Sequence[Seen]) -> Iterator[Breach]:
    for before, event in pairwise(events):
        if event.event_id <= before.event_id:
            yield _of_event(Fault.REORDERED, event.event_id)


def _of_event(fault: Fault, event_id: str) -> Breach:
    return Breach(fault, f"event {event_id}")


def _in_chain(trail: Trail, signature_is_good: Callable[[AuditDigest], bool]) -> Iterator[Breach]:
    """Each digest goes on from the one before, and is signed."""
    before, hash_before = 0, BEGINNING
    for digest in trail.digests:
        where = f"digest {digest.sequence}"
        goes_on = digest.sequence == before + 1 and digest.previous == hash_before
        if digest.sequence <= before:
            yield Breach(Fault.REORDERED, where)
        elif not goes_on or digest.tenant_id != trail.tenant_id:
            yield Breach(Fault.BROKEN_CHAIN, where)
        if not signature_is_good(digest):
            yield Breach(Fault.BAD_SIGNATURE, where)
        before, hash_before = digest.sequence, digest.hash
    if before < trail.settled:
        yield Breach(Fault.BROKEN_CHAIN, f"digest {before + 1}")
