"""The step that tells one channel how a scan ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from domain.accounts import ProviderType
from domain.errors import InvalidInput
from domain.onboarding.credentials import CredentialRef, Secret
from domain.ports import AccountStore, CredentialOpener, CredentialVault
from domain.scans.notifications import Channel, ChannelKind, Notification
from domain.scans.ports import Notifier

WEBHOOK_SECRET = "secret"  # noqa: S105 - the name of the field


@dataclass(frozen=True)
class Deliver:
    channel: Channel
    notification: Notification
    signing: CredentialRef | None = None


class NotificationActivities:
    """The step, over the ports that the worker was given. `webhooks` keeps signing secrets by schedule."""

    def __init__(
        self,
        notifiers: Mapping[ChannelKind, Notifier],
        webhooks: CredentialVault,
        opener: CredentialOpener,
        accounts: AccountStore,
    ) -> None:
        self._notifiers = notifiers
        self._webhooks = webhooks
        self._opener = opener
        self._accounts = accounts

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.deliver_notification]

    @activity.defn(name="deliver_notification")
    def deliver_notification(self, step: Deliver) -> None:
        notifier = self._notifiers.get(step.channel.kind)
        if notifier is None:
            raise InvalidInput("This kind of channel is not on offer here.")
        notification = step.notification
        self._check_owner(step.channel, notification.tenant_id)
        channel = step.channel.opened(
            self._opener, tenant_id=notification.tenant_id, schedule_id=notification.schedule_id
        )
        notifier.deliver(channel, notification, self._secret(step))

    def _check_owner(self, channel: Channel, tenant_id: str) -> None:
        """Once more: the account may have been removed since, and rows of before were never checked."""
        owner = channel.owner_number
        if owner is not None and not self._accounts.holds(tenant_id, ProviderType.AWS, owner):
            raise InvalidInput("The topic is not in an AWS account that this tenant has onboarded.")

    def _secret(self, step: Deliver) -> Secret | None:
        if step.signing is None or step.channel.kind is not ChannelKind.WEBHOOK:
            return None
        notification = step.notification
        stored = self._webhooks.read(notification.tenant_id, notification.schedule_id, step.signing)
        return Secret(stored.reveal(WEBHOOK_SECRET))
