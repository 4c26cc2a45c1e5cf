"""What sealing and checking the audit trail asks of the outside."""

from collections.abc import Sequence
from typing import Protocol

from domain.audit_trail import AuditDigest, Note


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
