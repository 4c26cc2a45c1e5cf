"""Anchors of the audit trail: the heads of all chains, kept where whoever can write the tables cannot reach.

A chain of digests shows that something in its middle was changed. It does not show that its end, or all of it, was
written anew by somebody who let the sealer sign the forgery. An anchor was written before that, and contradicts it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.audit.trail import AuditDigest, Breach, Fault
from domain.idempotency import canonical
from domain.timestamps import stamp

ANCHOR_INTERVAL = timedelta(minutes=10)
"""Anchors are written at most this often."""
ANCHOR_PATIENCE = timedelta(hours=1)
"""No digest waits so long for its anchor while the sealer is at work."""
RETENTION_DAYS = 400
"""No anchor can be changed or removed earlier, by anybody."""


class Head(NamedTuple):
    """The last digest of a tenant's chain at some moment."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class Anchor:
    """The heads of all chains at one moment, by tenant."""

    at: str
    heads: Mapping[str, Head]
    unreadable: str = ""
    """The name of an object that is none of ours and cannot be removed either. Then there are no heads."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the heads, which tells whether anything was sealed since another anchor."""
        return hashlib.sha256(canonical({tenant_id: list(head) for tenant_id, head in self.heads.items()})).hexdigest()


def contradictions(
    tenant_id: str, digests: Sequence[AuditDigest], anchors: Sequence[Anchor], *, now: datetime
) -> Iterator[Breach]:
    """Yield each digest that an anchor knows and that is now another one, or is not there; and the first that no anchor
    knows, nor a later one, although it is old. `digests` is the tenant's whole chain, read after the anchors were."""
    hashes = {digest.sequence: digest.hash for digest in digests}
    anchored = {anchor.heads[tenant_id] for anchor in anchors if tenant_id in anchor.heads}
    for head in sorted(anchored):
        if hashes.get(head.sequence) != head.hash:
            yield Breach(Fault.REWRITTEN, f"digest {head.sequence}")
    covered, old = max((head.sequence for head in anchored), default=0), stamp(now - ANCHOR_PATIENCE)
    for digest in digests:
        if digest.sequence > covered and digest.sealed_at < old:
            yield Breach(Fault.UNANCHORED, f"digest {digest.sequence}")
            return
