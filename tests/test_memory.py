"""What a process remembers of values that others choose: as much after 10,000 of them as before."""

import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import boto3
import pytest

from api.auth.authenticator import CACHED_KEYS, KeyRing
from api.auth.issuer_keys import IssuerKeys
from api.http.rate_limits import Windows
from domain.callers.api_keys import new_key_text
from domain.errors import OnboardingError
from domain.scans.notifications import Channel, ChannelKind
from domain.schedules.cadence import problems_of
from domain.schedules.schedule import Cadence, ScheduleType
from notify.sns import SnsTopics
from stores.session import TopicClients
from tests.channels import CHANNELS
from tests.fakes import FakeApiKeyStore, FakeLedger
from tests.notify.test_webhook import NOTIFICATION
from transport.client import GuardedClient
from transport.guard import PublicOnly

VALUES = 10_000


def new_topics() -> TopicClients:
    session = boto3.session.Session("AKIA", "secret", region_name="ap-south-1")
    return TopicClients(session, endpoint_url="http://127.0.0.1:9")


def topic(number: int) -> Channel:
    return Channel(ChannelKind.SNS, f"arn:aws:sns:mars-{number}:111122223333:scans")


def delivered_to_a_region() -> Callable[[int], object]:
    topics = SnsTopics(new_topics())
    return lambda number: topics.deliver(topic(number), NOTIFICATION, None)


def a_region_named() -> Callable[[int], object]:
    return lambda number: CHANNELS.problems(topic(number))


def a_key_sent() -> Callable[[int], object]:
    ring = KeyRing(FakeApiKeyStore(FakeLedger()))
    return lambda number: ring.recognise(new_key_text(f"{number:016}"), "request")


def an_address_that_calls() -> Callable[[int], object]:
    windows = Windows(5, max_counted=1_000)
    return lambda number: windows.hit(f"192.0.2.{number}")


def a_token_of_an_unknown_key() -> Callable[[int], object]:
    keys = IssuerKeys(lambda: {"keys": []})
    return lambda number: keys.find(f"key-{number}")


def a_host_named() -> Callable[[int], object]:
    client = GuardedClient(PublicOnly(lambda host, port: ["10.0.0.1"]))
    return lambda number: client.send("GET", f"https://host-{number}.example/")


def a_time_zone_named() -> Callable[[int], object]:
    def name(number: int) -> object:
        cadence = Cadence(ScheduleType.CRON, cron_expression=f"{number} 2 * * *", timezone=f"Mars/{number}")
        return problems_of(cadence, now=datetime.now(UTC), min_interval_seconds=60)

    return name


@pytest.mark.parametrize(
    "make",
    [
        delivered_to_a_region,
        a_region_named,
        a_key_sent,
        an_address_that_calls,
        a_token_of_an_unknown_key,
        a_host_named,
        a_time_zone_named,
    ],
    ids=lambda make: make.__name__.replace("_", " "),
)
def test_ten_thousand_values_leave_nothing_behind(make: Callable[[], Callable[[int], object]]):
    attempt = make()
    tried = iter(range(3 * VALUES))

    def some(count: int) -> None:
        for _ in range(count):
            with suppress(OnboardingError):
                attempt(next(tried))

    some(CACHED_KEYS + 1_000)
    before = blocks()
    some(VALUES)
    assert blocks() - before < VALUES // 2


def blocks() -> int:
    """How many pieces of memory Python's objects hold: whatever remembers a value holds one at least."""
    gc.collect()
    return sys.getallocatedblocks()
