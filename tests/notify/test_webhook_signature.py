"""What a webhook is sent and how its answer is read, against a client that only remembers."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from domain.errors import InvalidInput, OnboardingError, PlatformConfig, Throttled, Unavailable
from domain.onboarding.credentials import Secret
from domain.scans.notifications import Channel, ChannelKind, Notification
from notify.webhook import Webhooks, signed_headers
from transport.exchange import Reply

CHANNEL = Channel(ChannelKind.WEBHOOK, "https://hooks.example.com/scan")
KEY = bytes(range(32))
WHSEC = "whsec_" + base64.b64encode(KEY).decode()
NOTIFICATION = Notification(
    notification_id="scan.ended:1",
    tenant_id="tenant-1",
    account_id="account-1",
    schedule_id="schedule-1",
    execution_id="execution-1",
    status="completed",
    at="2026-11-25T02:00:00.000Z",
)


class Client:
    """Remembers what it was to send, and answers as it was told."""

    def __init__(self, reply: Reply | Exception) -> None:
        self.reply = reply
        self.sent: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        self.sent.append((method, url, headers, body))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def delivered(reply: Reply | Exception, signing: Secret | None = None) -> tuple[str, str, Mapping[str, str], bytes]:
    client: Any = Client(reply)
    Webhooks(client).deliver(CHANNEL, NOTIFICATION, signing)
    [sent] = client.sent
    return sent  # type: ignore[no-any-return]


def answered(status: int, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


def test_a_notification_is_posted_whole_and_signed():
    method, url, headers, body = delivered(answered(200), Secret(WHSEC))
    assert (method, url) == ("POST", CHANNEL.target)
    assert json.loads(body)["type"] == "scan.ended"
    assert json.loads(body)["timestamp"] == NOTIFICATION.at
    assert json.loads(body)["data"]["execution_id"] == "execution-1"
    assert (headers["content-type"], headers["user-agent"]) == ("application/json", "threat-engine")
    assert headers["content-length"] == str(len(body))
    assert Webhook(WHSEC).verify(body, dict(headers)) == json.loads(body)


@pytest.mark.parametrize(
    ("secret", "key"), [(WHSEC, KEY), ("canary-secret", b"canary-secret"), ("whsec_no base64", b"whsec_no base64")]
)
def test_each_form_of_a_secret_signs_with_its_own_bytes(secret: str, key: bytes):
    headers = signed_headers("m-1", b"{}", Secret(secret))
    assert Webhook(key).verify(b"{}", headers) == {}
    assert headers["webhook-id"] == "m-1"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert secret not in repr(headers)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body"])
def test_id_time_and_body_are_signed_together(changed: str):
    headers, body = signed_headers("m-1", b"{}", Secret(WHSEC)), b"{}"
    if changed == "body":
        body = b"[]"
    else:
        headers[changed] = str(int(headers["webhook-timestamp"]) - 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(WHSEC).verify(body, headers)


def test_without_a_secret_nothing_is_signed():
    assert set(signed_headers("m-1", b"{}", None)) == {"webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((200, None), (204, None), (299, None)),
        *((199, InvalidInput), (300, InvalidInput), (301, InvalidInput), (400, InvalidInput), (401, InvalidInput)),
        *(
            (407, InvalidInput),
            (410, InvalidInput),
            (424, InvalidInput),
            (426, InvalidInput),
            (430, InvalidInput),
            (499, InvalidInput),
        ),
        *((408, Unavailable), (409, Unavailable), (425, Unavailable), (500, Unavailable), (503, Unavailable)),
        (429, Throttled),
    ],
)
def test_an_answer_says_whether_to_try_again(status: int, error: type[OnboardingError] | None):
    if error is None:
        delivered(answered(status))
        return
    with pytest.raises(OnboardingError) as refused:
        delivered(answered(status))
    assert type(refused.value) is error
    assert getattr(refused.value, "retry_after", None) is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "delay"),
    [("7", 7), ("120", 120), ("121", 120), ("9" * 9, 120), ("9" * 10, None), ("soon", None), ("-1", None), ("", None)],
)
def test_a_receiver_may_put_us_off_for_two_minutes(status: int, asked: str, delay: float | None):
    with pytest.raises((Throttled, Unavailable)) as refused:
        delivered(answered(status, retry_after=asked))
    assert refused.value.retry_after == delay


def test_a_certificate_that_does_not_fit_is_the_receivers():
    with pytest.raises(Unavailable, match="certificate"):
        delivered(PlatformConfig())
