"""When a key was last used: written seldom, and never in anybody's way."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.auth.last_used import MOST_WAITING, KeyUses
from domain.callers.access import Role
from domain.callers.api_keys import ApiKey, new_key
from domain.errors import Unavailable
from domain.timestamps import stamp
from tests.fakes import FakeApiKeyStore, FakeLedger
from tests.patience import PATIENCE_SECONDS

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


class Noting(FakeApiKeyStore):
    """Notes who writes; it can fail, and it can be slow."""

    def __init__(self) -> None:
        super().__init__(FakeLedger())
        self.written: list[tuple[str, str, str]] = []
        self.fails = False
        self.answers = threading.Event()
        self.answers.set()

    def note_use(self, tenant_id: str, key_id: str, *, at: str, noted_before: str) -> None:
        assert self.answers.wait(PATIENCE_SECONDS)
        self.written.append((key_id, at, noted_before))
        if self.fails:
            raise Unavailable


@pytest.fixture
def store() -> Noting:
    return Noting()


def a_key() -> ApiKey:
    return new_key("t", "k", now=NOW, lifetime=timedelta(days=1), role=Role.VIEWER)[1]


def written(store: Noting, count: int) -> list[tuple[str, str, str]]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(store.written) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    return store.written


def test_a_use_is_written_once_an_hour_however_often_there_is_one(store: Noting):
    uses, key = KeyUses(store), a_key()
    for minute in range(125):
        uses.note(key, NOW + timedelta(minutes=minute))
    times = [at for _, at, _ in written(store, 3)]
    assert times == [stamp(NOW + timedelta(hours=hour)) for hour in range(3)]


def test_what_another_process_wrote_counts(store: Noting):
    uses, key = KeyUses(store), replace(a_key(), last_used_at=stamp(NOW - timedelta(minutes=59)))
    uses.note(key, NOW)
    uses.note(key, NOW + timedelta(minutes=2))
    assert written(store, 1) == [
        (key.key_id, stamp(NOW + timedelta(minutes=2)), stamp(NOW - timedelta(minutes=58))),
    ]


def test_a_failure_is_nobodys(store: Noting):
    store.fails = True
    uses, first, second = KeyUses(store), a_key(), a_key()
    uses.note(first, NOW)
    uses.note(second, NOW)
    assert [key_id for key_id, _, _ in written(store, 2)] == [first.key_id, second.key_id]


def test_a_slow_store_holds_nobody_and_the_rest_is_forgotten(store: Noting):
    store.answers.clear()
    uses = KeyUses(store)
    for _ in range(MOST_WAITING + 50):
        uses.note(a_key(), NOW)
    assert len(store.written) < MOST_WAITING
    store.answers.set()
    assert len(written(store, MOST_WAITING)) == MOST_WAITING
