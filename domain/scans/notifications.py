"""Who is told how a scan ended, and what became of the telling."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from domain.errors import SealBroken
from domain.onboarding.credentials import Credential, CredentialRef, SealContext, SealPurpose
from domain.ports import CredentialOpener, CredentialSealer

WEBHOOK_SECRET, WEBHOOK_ADDRESS = "webhook_secret", "webhook_address"
"""Types of what is sealed for a schedule's webhooks: one cannot be opened in the place of the other."""

MASK = "***"
SIGNING_PREFIX = "whsec_"
"""Of a secret in the form of Standard Webhooks: the key itself follows in base64."""
SIGNING_BYTES = range(24, 65)


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"
    SNS = "sns"
    UNKNOWN = "unknown"
    """What a newer version wrote. Nothing is sent there."""


@dataclass(frozen=True)
class Channel:
    """Where a notification goes: an https URL, or the ARN of an SNS topic. A URL may have a token in its path or query,
    so it is sealed before it is stored or sent through Temporal; `target` then ends after the host."""

    kind: ChannelKind
    target: str
    sealed: str | None = None
    """The whole URL, sealed with the purpose `address` for the schedule and the change that named it."""
    sealed_by: str = ""
    """The id of that change."""

    @property
    def owner_number(self) -> str | None:
        """The AWS account that a topic is in; None for what is in no account."""
        return self.target.split(":")[4] if self.kind is ChannelKind.SNS else None

    @property
    def is_open(self) -> bool:
        """Whether it names in the clear what is to be sealed."""
        return self.kind is ChannelKind.WEBHOOK and self.sealed is None

    @property
    def shown(self) -> str:
        """The target for every eye."""
        return masked(self.target) if self.kind is ChannelKind.WEBHOOK else self.target

    def closed(self, sealer: CredentialSealer, *, tenant_id: str, schedule_id: str, change_id: str) -> "Channel":
        """As it is stored."""
        if not self.is_open:
            return self
        context = SealContext(tenant_id, schedule_id, change_id, SealPurpose.ADDRESS)
        sealed = sealer.seal(Credential(WEBHOOK_ADDRESS, {"url": self.target}), context)
        return Channel(self.kind, self.shown, sealed, change_id)

    def opened(self, opener: CredentialOpener, *, tenant_id: str, schedule_id: str) -> "Channel":
        """With its target in full. Raises SealBroken."""
        if self.sealed is None:
            return self
        context = SealContext(tenant_id, schedule_id, self.sealed_by, SealPurpose.ADDRESS)
        credential = opener.open(self.sealed, context)
        if credential.credential_type != WEBHOOK_ADDRESS:
            raise SealBroken
        return Channel(self.kind, credential.reveal("url"))


def masked(url: str) -> str:
    """A URL without what comes after its host: there may be a token in it."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return f"https://{host or MASK}/{MASK}"


def signing_key(secret: str) -> bytes:
    """What a signing secret signs with: what follows `whsec_`, decoded, or its own bytes without that prefix. Raises
    ValueError for one with the prefix that cannot be decoded."""
    if not secret.startswith(SIGNING_PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("The secret is not in base64.") from None
    if len(key) not in SIGNING_BYTES:
        raise ValueError("The secret has another length.")
    return key


@dataclass(frozen=True)
class NotificationSettings:
    on_success: bool = False
    on_failure: bool = True
    channels: tuple[Channel, ...] = ()
    signing: CredentialRef | None = None
    """The stored secret that signs what a webhook is sent. The secret itself is write-only."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """What a newer version wrote."""


@dataclass(frozen=True)
class Delivery:
    """One notification to one channel, as the execution's row shows it."""

    kind: ChannelKind
    target: str
    state: DeliveryState
    at: str
    code: str | None = None
    """Why it failed."""
    number: int = 0
    """Which of the schedule's channels, from 1; 0 in rows of before."""

    @property
    def shown(self) -> str:
        """The target for every eye: rows of before have an address in full."""
        return Channel(self.kind, self.target).shown


def in_its_place(deliveries: Sequence[Delivery], delivery: Delivery) -> tuple[Delivery, ...]:
    """With the entry of the same channel replaced; the order stays that of the schedule's channels."""

    def same(known: Delivery) -> tuple[bool, ...]:
        """The surest sign first: addresses on one host look alike."""
        numbered = known.number > 0 and known.number == delivery.number
        alike = known.number == 0 and known.kind is delivery.kind
        return numbered, alike and known.target == delivery.target, alike and known.shown == delivery.target

    found = max(range(len(deliveries)), key=lambda index: same(deliveries[index]), default=None)
    if found is None or not any(same(deliveries[found])):
        return (*deliveries, delivery)
    return (*deliveries[:found], delivery, *deliveries[found + 1 :])


@dataclass(frozen=True)
class Notification:
    """What is told. `notification_id` is the same for every attempt, so that a receiver can drop a repeat."""

    notification_id: str
    tenant_id: str
    account_id: str
    schedule_id: str
    execution_id: str
    status: str
    at: str
    total_checks: int = 0
    passed_checks: int = 0
    failed_checks: int = 0
    error_code: str | None = None
