"""Who is told how a scan ended, and what became of the telling."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.credentials import CredentialRef


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"
    SNS = "sns"
    UNKNOWN = "unknown"
    """What a newer version wrote. Nothing is sent there."""


@dataclass(frozen=True)
class Channel:
    """Where a notification goes: an https URL, or the ARN of an SNS topic."""

    kind: ChannelKind
    target: str


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

    @property
    def channel(self) -> Channel:
        return Channel(self.kind, self.target)


def in_its_place(deliveries: Sequence[Delivery], delivery: Delivery) -> tuple[Delivery, ...]:
    """With the entry of the same channel replaced; the order stays that of the schedule's channels."""
    if delivery.channel not in {each.channel for each in deliveries}:
        return (*deliveries, delivery)
    return tuple(delivery if each.channel == delivery.channel else each for each in deliveries)


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
