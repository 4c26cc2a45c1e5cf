"""Webhooks, in the form of the Standard Webhooks specification 1.0 (standardwebhooks.com): the id, the time and the
body are signed together, so that a receiver can check who sends and drop what it has had."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import asdict

from domain.errors import InvalidInput, PlatformConfig, Throttled, Unavailable
from domain.onboarding.credentials import Secret
from domain.scans.notifications import Channel, Notification, signing_key
from transport.client import GuardedClient
from transport.exchange import Reply

AGENT = "threat-engine"
TRY_AGAIN = frozenset({408, 409, 425})
MOST_SECONDS = 120
"""How long a receiver may put us off."""


class Webhooks:
    """The `Notifier` of webhooks."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def deliver(self, channel: Channel, notification: Notification, signing: Secret | None) -> None:
        body = json.dumps({"type": "scan.ended", "timestamp": notification.at, "data": asdict(notification)}).encode()
        headers = {"content-type": "application/json", "user-agent": AGENT, "content-length": str(len(body))}
        headers |= signed_headers(notification.notification_id, body, signing)
        try:
            reply = self._client.send("POST", channel.target, headers=headers, body=body)
        except PlatformConfig:
            raise Unavailable("The receiver's certificate cannot be trusted.") from None
        _judge(reply)


def signed_headers(message_id: str, body: bytes, signing: Secret | None) -> dict[str, str]:
    """The time is that of the attempt: a receiver refuses what is old."""
    at = str(int(time.time()))
    headers = {"webhook-id": message_id, "webhook-timestamp": at}
    if signing is not None:
        signed = f"{message_id}.{at}.".encode() + body
        digest = hmac.new(_key_of(signing.reveal()), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def _key_of(secret: str) -> bytes:
    """A secret of before may have the prefix of Standard Webhooks and not its form: it signs as it did."""
    try:
        return signing_key(secret)
    except ValueError:
        return secret.encode()


def _judge(reply: Reply) -> None:
    if 200 <= reply.status < 300:
        return
    if reply.status == 429:
        raise Throttled(retry_after=_asked(reply))
    if reply.status in TRY_AGAIN or reply.status >= 500:
        raise Unavailable(retry_after=_asked(reply))
    raise InvalidInput(f"The receiver refused the notification with status {reply.status}.")


def _asked(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return min(float(text), MOST_SECONDS) if text.isdecimal() and len(text) < 10 else None
