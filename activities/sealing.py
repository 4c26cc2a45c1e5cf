"""Steps that seal the audit trail, one tenant at a time."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import time, timedelta
from itertools import chain
from operator import attrgetter
from typing import Any

from temporalio import activity

from domain.audit.anchors import ANCHOR_INTERVAL, Anchor, Head
from domain.audit.ports import AuditAnchors, AuditChain, AuditSigner
from domain.audit.trail import MARGIN, MOST_EVENTS, AuditDigest, next_digest
from domain.callers.tenants import PLATFORM
from domain.errors import StaleVersion, UnreadableRow
from domain.metrics import AUDIT_EVENTS_SEALED
from domain.pages import MAX_PAGE, every_key
from domain.ports import TenantStore
from domain.timestamps import parse, stamp

MOST_TENANTS = 500
"""Of one look."""
MOST_DIGESTS = 200
"""Of a tenant in one step: the next run goes on, so that one tenant's flood keeps no other one waiting for long."""


@dataclass(frozen=True)
class FindTrails:
    """`at` is the time of the run: whom it has sealed is not found again, so that a second look finds the next ones."""

    at: str


@dataclass(frozen=True)
class SealTrail:
    """`at` is the time of the run: a repeated step seals up to the same moment."""

    tenant_id: str
    at: str


@dataclass(frozen=True)
class Sealed:
    """What one step has sealed."""

    digests: int = 0
    events: int = 0
    late: int = 0
    head: str = ""
    """The hash of the last digest, in a place where who can write the tables cannot change it."""


@dataclass(frozen=True)
class AnchorHeads:
    """`at` is the start of the run."""

    at: str


class SealingActivities:
    def __init__(self, chain: AuditChain, signer: AuditSigner, anchors: AuditAnchors, tenants: TenantStore) -> None:
        self._chain = chain
        self._signer = signer
        self._anchors = anchors
        self._tenants = tenants

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.find_unsealed_trails, self.seal_trail, self.anchor_heads]

    @activity.defn(name="find_unsealed_trails")
    def find_unsealed_trails(self, step: FindTrails) -> list[str]:
        _count(in_time=0, late=0)  # so that they are served before the first event is sealed
        return list(self._chain.tenants(before=_bound(step.at), limit=MOST_TENANTS))

    @activity.defn(name="seal_trail")
    def seal_trail(self, step: SealTrail) -> Sealed:
        """Digests until nothing old enough waits. What a broken-off attempt has sealed waits no more, so a repetition
        goes on from there."""
        sealed = Sealed()
        while sealed.digests < MOST_DIGESTS and (made := self._next(step)):
            activity.heartbeat()
            try:
                self._chain.append(made)
            except StaleVersion:
                activity.logger.info("The trail is being sealed elsewhere.")
                break
            events, late = sealed.events + len(made.events), sealed.late + made.late
            sealed = Sealed(sealed.digests + 1, events, late, head=made.hash)
            if len(made.events) < MOST_EVENTS:
                break  # that was all; no need to ask
        _count(in_time=sealed.events - sealed.late, late=sealed.late)
        return sealed

    @activity.defn(name="anchor_heads")
    def anchor_heads(self, step: AnchorHeads) -> int:
        """Anchor the heads of all chains and return how many there are. Do nothing and return 0 within ten minutes of
        the last anchor, or when nothing was sealed since. The first run of a day always anchors, so that the head of
        a tenant that is idle for years never loses its last anchor."""
        heads = self._heads()
        newest = max((head.sealed_at for head in heads.values()), default="")
        begins_a_day = parse(step.at).time() < time(minute=1)
        # Asking S3 for the last anchor costs forty times as much as a head, and all that is older was anchored.
        if not heads or not (begins_a_day or newest > stamp(parse(step.at) - timedelta(hours=1))):
            return 0
        anchor = Anchor(step.at, {tenant_id: Head(head.sequence, head.hash) for tenant_id, head in heads.items()})
        last = self._anchors.latest(day=step.at[: len("YYYY-MM-DD")])
        if last and (last[1] == anchor.digest or parse(step.at) - parse(last[0]) < ANCHOR_INTERVAL):
            return 0
        self._anchors.add(anchor)
        return len(heads)

    def _heads(self) -> dict[str, AuditDigest]:
        """Of every chain whose end can be read. Whoever makes one unreadable keeps no other one from being anchored."""
        heads: dict[str, AuditDigest] = {}
        tenants = every_key(lambda cursor: self._tenants.page(limit=MAX_PAGE, cursor=cursor), attrgetter("tenant_id"))
        for tenant_id in chain([PLATFORM], tenants):
            activity.heartbeat()
            with suppress(UnreadableRow):
                if last := self._chain.latest(tenant_id):
                    heads[tenant_id] = last
        return heads

    def _next(self, step: SealTrail) -> AuditDigest | None:
        bound = _bound(step.at)
        first = self._chain.waiting(step.tenant_id, after="", limit=MOST_EVENTS + 1)
        old = [event for event in first if event.event_id < bound]
        if not old:
            return None
        here, more = old[:MOST_EVENTS], old[MOST_EVENTS:]
        until = more[0].event_id if more else bound
        last = self._chain.latest(step.tenant_id)
        unsigned = next_digest(last, here, tenant_id=step.tenant_id, until=until, at=step.at)
        return replace(unsigned, signature=self._signer.sign(unsigned.signed))


def _bound(at: str) -> str:
    """What is younger waits: events of the same time may still be on their way."""
    return stamp(parse(at) - MARGIN)


def _count(**sealed: int) -> None:
    counter = activity.metric_meter().create_counter(AUDIT_EVENTS_SEALED.name, AUDIT_EVENTS_SEALED.meaning)
    for arrival, number in sealed.items():
        counter.add(number, {"arrival": arrival})
