"""What sealing and checking the audit trail asks of the outside."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from domain.audit.anchors import Anchor
from domain.audit.trail import AuditDigest, Note


class AuditChain(Protocol):
    """The digests of each tenant, and what waits to be in one. Every read is strongly consistent."""

    def tenants(self, *, before: str, limit: int) -> Sequence[str]:
        """Some tenants of which events with ids below `before` wait, `platform` among them; none when nothing waits."""

    def waiting(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Note]:
        """The first events that wait, in order, with ids above `after`."""

    def latest(self, tenant_id: str) -> AuditDigest | None:
        """The end of the chain."""

    def append(self, digest: AuditDigest) -> None:
        """Write the digest; its events wait no more. Raises StaleVersion, and does nothing, when the chain went on
        meanwhile or one of its events waits no more."""

    def digests(self, tenant_id: str, *, after: int, limit: int) -> Sequence[AuditDigest]:
        """Those that follow the sequence `after`, in order; none at the end."""


class AuditSigner(Protocol):
    def sign(self, message: bytes) -> str:
        """The signature in base64."""


class AuditAnchors(Protocol):
    """The heads of all chains, in a place where nobody can change or remove them."""

    def latest(self, *, day: str) -> tuple[str, str] | None:
        """Return the time and the digest of the last anchor of a day (`YYYY-MM-DD`), or None when it has none."""

    def add(self, anchor: Anchor) -> None:
        """Write an anchor. Adding the same one again changes nothing."""

    def all(self) -> Iterable[Anchor]:
        """Read every anchor that is still kept, also those that somebody has tried to remove. What is none says so."""

    def hidden(self) -> Sequence[str]:
        """Return the names of the anchors that somebody has tried to remove before their time."""
