"""The step that tells one channel how a scan ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from domain.credentials import CredentialRef, Secret
from domain.errors import InvalidInput
from domain.notifications import Channel, ChannelKind, Notification
from domain.ports import CredentialVault
from domain.scan_ports import Notifier

WEBHOOK_SECRET = "secret"  # noqa: S105 - the name of the field


@dataclass(frozen=True)
class Deliver:
    channel: Channel
    notification: Notification
    signing: CredentialRef | None = None


class NotificationActivities:
    """The step, over the ports that the worker was given. `webhooks` keeps signing secrets by schedule."""

    def __init__(self, notifiers: Mapping[ChannelKind, Notifier], webhooks: CredentialVault) -> None:
        self._notifiers = notifiers
        self._webhooks = webhooks

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.deliver_notification]

    @activity.defn(name="deliver_notification")
    def deliver_notification(self, step: Deliver) -> None:
        notifier = self._notifiers.get(step.channel.kind)
        if notifier is None:
            raise InvalidInput("This kind of channel is not on offer here.")
        notifier.deliver(step.channel, step.notification, self._secret(step))

    def _secret(self, step: Deliver) -> Secret | None:
        if step.signing is None or step.channel.kind is not ChannelKind.WEBHOOK:
            return None
        notification = step.notification
        stored = self._webhooks.read(notification.tenant_id, notification.schedule_id, step.signing)
        return Secret(stored.reveal(WEBHOOK_SECRET))
