"""Anchors of the audit trail: the heads of all chains, kept where whoever can write the tables cannot reach.

A chain of digests shows that something in its middle was changed. It does not show that its end, or all of it, was
written anew by somebody who let the sealer sign the forgery. An anchor was written before that, and contradicts it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from domain.audit_trail import AuditDigest, Breach, Fault
from domain.idempotency import canonical

ANCHOR_INTERVAL = timedelta(minutes=10)
"""Anchors are written at most this often."""
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

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the heads, which tells whether anything was sealed since another anchor."""
        return hashlib.sha256(canonical({tenant_id: list(head) for tenant_id, head in self.heads.items()})).hexdigest()


def contradictions(tenant_id: str, digests: Sequence[AuditDigest], anchors: Sequence[Anchor]) -> Iterator[Breach]:
    """Yield each digest that an anchor knows and that is now another one, or is not there. `digests` is the tenant's
    whole chain, read after the anchors were."""
    hashes = {digest.sequence: digest.hash for digest in digests}
    anchored = {anchor.heads[tenant_id] for anchor in anchors if tenant_id in anchor.heads}
    for head in sorted(anchored):
        if hashes.get(head.sequence) != head.hash:
            yield Breach(Fault.REWRITTEN, f"digest {head.sequence}")
