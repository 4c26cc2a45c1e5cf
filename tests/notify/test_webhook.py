"""Webhooks as a receiver sees them."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from domain.errors import InvalidInput, OnboardingError, Throttled, Unavailable
from domain.onboarding.credentials import Secret
from domain.scans.notifications import Channel, ChannelKind, Notification
from notify.webhook import Webhooks
from tests.transport.receiver import HOST, Receiver, running_receiver

CHANNEL = Channel(ChannelKind.WEBHOOK, f"https://{HOST}/scan")
SECRET = Secret("canary-signing-secret")
NOTIFICATION = Notification(
    notification_id="scan.ended:1",
    tenant_id="tenant-1",
    account_id="account-1",
    schedule_id="schedule-1",
    execution_id="execution-1",
    status="completed",
    at="2026-11-25T02:00:00.000Z",
    total_checks=3,
    passed_checks=2,
    failed_checks=1,
)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with running_receiver(tmp_path) as receiver:
        yield receiver


def deliver(receiver: Receiver, signing: Secret | None = SECRET) -> None:
    Webhooks(receiver.client()).deliver(CHANNEL, NOTIFICATION, signing)


def test_a_receiver_can_check_who_sent_it(receiver: Receiver):
    deliver(receiver)
    [(_, _, headers, body)] = receiver.requests
    known = {name: value for name, value in headers.items() if name.startswith("webhook-")}
    assert Webhook(SECRET.reveal().encode()).verify(body, known) == json.loads(body)
    assert json.loads(body)["data"]["execution_id"] == "execution-1"


def test_the_library_of_standard_webhooks_checks_a_secret_in_its_own_form(receiver: Receiver):
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    deliver(receiver, Secret(secret))
    [(_, _, headers, body)] = receiver.requests
    known = {name: value for name, value in headers.items() if name.startswith("webhook-")}
    assert Webhook(secret).verify(body, known) == json.loads(body)


def test_a_secret_of_before_that_only_begins_so_signs_as_it_did(receiver: Receiver):
    deliver(receiver, Secret("whsec_was never base64"))
    [(_, _, headers, body)] = receiver.requests
    known = {name: value for name, value in headers.items() if name.startswith("webhook-")}
    assert Webhook(b"whsec_was never base64").verify(body, known)


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp"])
def test_what_was_altered_on_the_way_is_noticed(receiver: Receiver, header: str):
    deliver(receiver)
    [(_, _, headers, body)] = receiver.requests
    known = {name: value for name, value in headers.items() if name.startswith("webhook-")} | {header: "1"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET.reveal().encode()).verify(body, known)


def test_every_attempt_has_the_same_id(receiver: Receiver):
    deliver(receiver)
    deliver(receiver)
    assert {headers["webhook-id"] for _, _, headers, _ in receiver.requests} == {"scan.ended:1"}


def test_without_a_secret_nothing_is_signed(receiver: Receiver):
    deliver(receiver, None)
    [(_, _, headers, _)] = receiver.requests
    assert "webhook-signature" not in headers


def test_the_secret_is_not_sent(receiver: Receiver):
    deliver(receiver)
    assert SECRET.reveal() not in repr(receiver.requests)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidInput),
        (401, InvalidInput),
        (404, InvalidInput),
        (410, InvalidInput),
        (301, InvalidInput),
        (408, Unavailable),
        (429, Throttled),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_an_answer_says_whether_to_try_again(receiver: Receiver, status: int, error: type[OnboardingError]):
    receiver.replies(status, location="https://127.0.0.1/")
    with pytest.raises(error):
        deliver(receiver)


@pytest.mark.parametrize(
    ("asked", "delay"), [("7", 7), ("99999999", 120), ("soon", None), ("-1", None), ("9" * 400, None)]
)
def test_a_receiver_may_put_us_off_for_a_while(receiver: Receiver, asked: str, delay: float | None):
    receiver.replies(503, retry_after=asked)
    with pytest.raises(Unavailable) as refused:
        deliver(receiver)
    assert refused.value.retry_after == delay


def test_a_certificate_that_does_not_fit_is_the_receivers_trouble(tmp_path: Path):
    with running_receiver(tmp_path, "other.example") as receiver, pytest.raises(Unavailable):
        deliver(receiver)
