"""A sealed audit trail in memory, signed with a real key."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from temporalio.testing import ActivityEnvironment

from activities.sealing import AnchorHeads, FindTrails, Sealed, SealingActivities, SealTrail
from commands.audit.command import Audited
from domain.audit.events import AuditEvent
from domain.audit.ports import AuditChain, AuditSigner
from domain.timestamps import parse, stamp
from tests.fakes import FakeStores
from tests.stores.samples import new_event

BEGAN = datetime(2026, 11, 24, 10, tzinfo=UTC)


class FakeSigner:
    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.public = self._key.public_key()

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self._key.sign(message, ECDSA(SHA256()))).decode()


class AuditRig:
    """Stores, and the sealer's steps over them."""

    def __init__(self) -> None:
        self.stores = FakeStores()
        self.signer = FakeSigner()
        self.steps = self.sealing()

    @property
    def stored(self) -> Audited:
        return Audited(self.stores.audit, self.stores.chain, self.stores.tenants, self.stores.anchors)

    def sealing(self, *, chain: AuditChain | None = None, signer: AuditSigner | None = None) -> SealingActivities:
        stores = self.stores
        return SealingActivities(chain or stores.chain, signer or self.signer, stores.anchors, stores.tenants)

    def anchor(self, *, at: datetime) -> int:
        anchored = ActivityEnvironment().run(self.steps.anchor_heads, AnchorHeads(stamp(at)))
        assert isinstance(anchored, int)
        return anchored

    def write(self, tenant_id: str, *, at: datetime, written_at: datetime | None = None) -> AuditEvent:
        self.stores.ledger.clock = lambda: written_at or at
        event = replace(new_event(tenant_id, at=stamp(at)), details={"number": str(at.minute)})
        self.stores.audit.record(event)
        return event

    def seal(self, tenant_id: str, *, at: datetime) -> Sealed:
        sealed = ActivityEnvironment().run(self.steps.seal_trail, SealTrail(tenant_id, stamp(at)))
        assert isinstance(sealed, Sealed)
        return sealed

    def found(self, *, at: datetime) -> list[str]:
        return list(ActivityEnvironment().run(self.steps.find_unsealed_trails, FindTrails(stamp(at))))

    def lived(self, tenant_id: str, *, minutes: int, events_a_minute: int = 3) -> datetime:
        """A time of the platform, with a run of the sealer each minute. Returns when it ended: the events of the last
        two minutes wait."""
        for minute in range(minutes):
            for number in range(events_a_minute):
                self.write(tenant_id, at=BEGAN + timedelta(minutes=minute, seconds=7 * number))
            self.seal(tenant_id, at=BEGAN + timedelta(minutes=minute + 1))
        return BEGAN + timedelta(minutes=minutes)


def later(text: str, seconds: float) -> str:
    return stamp(parse(text) + timedelta(seconds=seconds))
