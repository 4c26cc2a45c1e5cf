"""The issuer's keys: fetched seldom, kept through an outage, and never at the command of a token."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from itertools import islice
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from api.auth.issuer_keys import PAUSE_SECONDS, REFRESH_SECONDS, STALE_SECONDS, WAIT_SECONDS, IssuerKeys, usable
from domain.errors import Unavailable
from domain.json_web_tokens import base64url
from tests.issuer import Issuer, PrivateKey, described, ec_key, rsa_key
from tests.patience import PATIENCE_SECONDS

MINUTES_10 = 600


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Fetched:
    """The issuer as it is asked: it can be down, and it can be slow."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.down = False
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        assert self.answers.wait(PATIENCE_SECONDS)
        if self.down:
            raise Unavailable
        return self.issuer.key_set()

    def wait_for(self, fetches: int) -> None:
        """Until it was asked so often; a moment more shows whether it is asked again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.asked < fetches and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fetched() -> Fetched:
    return Fetched(Issuer())


@pytest.fixture
def keys(fetched: Fetched, clock: Clock) -> IssuerKeys:
    return IssuerKeys(fetched, clock=clock)


def settled(keys: IssuerKeys) -> None:
    """What is fetched in the background has arrived: an unknown key waits for it."""
    keys.find("nobody's")


def test_a_key_is_fetched_once(keys: IssuerKeys, fetched: Fetched):
    for _ in range(100):
        assert keys.find("rsa-1") is not None
        assert keys.find("ec-1") is not None
    assert fetched.asked == 1


def test_a_thousand_unknown_keys_are_two_fetches_at_most(keys: IssuerKeys, fetched: Fetched):
    assert all(keys.find(f"unknown-{number}") is None for number in range(1000))
    assert fetched.asked <= 2


def test_a_thousand_unknown_keys_at_once_are_two_fetches_at_most(keys: IssuerKeys, fetched: Fetched):
    keys.find("rsa-1")
    with ThreadPoolExecutor(40) as threads:
        found = list(threads.map(keys.find, [f"unknown-{number}" for number in range(1000)]))
    assert found == [None] * 1000
    assert fetched.asked <= 2


def test_a_new_key_is_found_as_soon_as_the_pause_is_over(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    fetched.issuer.keys["rsa-2"] = rsa_key("second")
    assert keys.find("rsa-2") is None
    clock.now += PAUSE_SECONDS
    assert keys.find("rsa-2") is not None
    assert fetched.asked == 2


def test_a_key_that_was_withdrawn_is_refused_after_the_next_fetch(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    del fetched.issuer.keys["rsa-1"]
    clock.now += REFRESH_SECONDS + 1
    keys.find("rsa-1")
    settled(keys)
    assert keys.find("rsa-1") is None


def test_a_key_is_fetched_again_after_ten_minutes_and_not_before(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    for seconds, fetches in ((600, 1), (1, 2)):
        clock.now += seconds
        keys.find("rsa-1")
        fetched.wait_for(fetches)
        assert fetched.asked == fetches


def test_a_minute_passes_between_two_fetches(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    for seconds, fetches in ((59, 1), (1, 2)):
        clock.now += seconds
        settled(keys)
        assert fetched.asked == fetches


def test_the_last_keys_are_good_for_a_day(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    fetched.down = True
    clock.now += 24 * 3600
    assert keys.find("rsa-1") is not None
    clock.now += 1
    with pytest.raises(Unavailable) as refused:
        keys.find("rsa-1")
    assert refused.value.retry_after == 60


def test_of_a_flood_of_unknown_keys_eight_wait_and_the_rest_hold_no_thread(keys: IssuerKeys, fetched: Fetched):
    fetched.answers.clear()
    with ThreadPoolExecutor(20) as threads:
        flood = [threads.submit(keys.find, f"unknown-{number}") for number in range(20)]
        quick = list(islice(as_completed(flood, timeout=PATIENCE_SECONDS), 12))
        _, waiting = wait(flood, timeout=0.05)
        fetched.answers.set()
    assert len(waiting) == 8
    assert all(isinstance(each.exception(), Unavailable) for each in quick)
    assert all(each.result() is None for each in waiting)
    assert keys.find("unknown") is None


def test_nobody_waits_longer_for_a_slow_issuer_than_said(fetched: Fetched, clock: Clock):
    assert WAIT_SECONDS == 10
    keys = IssuerKeys(fetched, clock=clock, wait_seconds=0.05)
    fetched.answers.clear()
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(keys.find, "rsa-1")
        try:
            assert isinstance(found.exception(timeout=PATIENCE_SECONDS), Unavailable)
        finally:
            fetched.answers.set()


def test_whoever_has_waited_lets_another_one_wait(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    for number in range(20):
        clock.now += PAUSE_SECONDS
        fetched.issuer.keys[f"new-{number}"] = fetched.issuer.keys["rsa-1"]
        assert keys.find(f"new-{number}") is not None


def test_nobody_with_a_known_key_waits_for_a_slow_issuer(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    fetched.answers.clear()
    clock.now += REFRESH_SECONDS + 1
    for _ in range(100):
        assert keys.find("rsa-1") is not None
    fetched.answers.set()
    settled(keys)
    assert fetched.asked == 2


def test_ten_minutes_without_the_issuer_refuse_no_known_key(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    clock.now += REFRESH_SECONDS
    fetched.down = True
    for _ in range(MINUTES_10):
        clock.now += 1
        assert keys.find("rsa-1") is not None
    assert fetched.asked <= 2 + MINUTES_10 // PAUSE_SECONDS


def test_after_a_day_without_the_issuer_nothing_can_be_said(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    keys.find("rsa-1")
    fetched.down = True
    clock.now += STALE_SECONDS
    assert keys.find("rsa-1") is not None
    clock.now += 1
    with pytest.raises(Unavailable):
        keys.find("rsa-1")


def test_an_issuer_that_is_down_from_the_start_is_asked_again(keys: IssuerKeys, fetched: Fetched, clock: Clock):
    fetched.down = True
    for _ in range(10):
        with pytest.raises(Unavailable):
            keys.find("rsa-1")
    fetched.down = False
    clock.now += PAUSE_SECONDS
    assert keys.find("rsa-1") is not None
    assert fetched.asked == 2


@pytest.mark.parametrize("answer", [{}, {"keys": []}, {"keys": None}, {"keys": [{"kty": "RSA", "kid": "rsa-1"}]}])
def test_an_answer_without_a_key_locks_nobody_out(clock: Clock, answer: dict[str, Any]):
    issuer = Issuer()
    answers = [issuer.key_set(), answer]
    keys = IssuerKeys(lambda: answers.pop(0), clock=clock)
    keys.find("rsa-1")
    clock.now += PAUSE_SECONDS
    settled(keys)
    assert answers == []
    assert keys.find("rsa-1") is not None


def private(key: PrivateKey) -> dict[str, Any]:
    """A whole private key, which anybody who read the set could sign with."""
    made = RSAAlgorithm.to_jwk(key) if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm.to_jwk(key)
    return {**json.loads(made), "kid": "k", "use": "sig"}


RSA = described(rsa_key("issuer"), "k")
EC = described(ec_key("issuer"), "k")
UNUSABLE: dict[str, Callable[[], Any]] = {
    "for encryption": lambda: {**RSA, "use": "enc"},
    "for another algorithm": lambda: {**RSA, "alg": "RS512"},
    "for passwords": lambda: {"kty": "oct", "k": "c2VjcmV0", "kid": "k"},
    "of another curve": lambda: described(ec.generate_private_key(ec.SECP384R1()), "k"),
    "too short": lambda: described(rsa_key("short", 1024), "k"),
    "a bit too short": lambda: {**RSA, "n": base64url((2**2046 + 1).to_bytes(256))},
    "private": lambda: private(rsa_key("issuer")),
    "private, on a curve": lambda: private(ec_key("issuer")),
    "without a name": lambda: {name: value for name, value in RSA.items() if name != "kid"},
    "with a number for a name": lambda: {**RSA, "kid": 7},
    "with a name that is too long": lambda: {**RSA, "kid": "k" * 257},
    "with an empty name": lambda: {**RSA, "kid": ""},
    "without a modulus": lambda: {name: value for name, value in RSA.items() if name != "n"},
    "not on its curve": lambda: {**EC, "x": EC["y"]},
    "no object": lambda: "k",
}


@pytest.mark.parametrize("key", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_key_that_could_not_have_signed_a_token_is_left_out(key: Callable[[], Any]):
    assert usable({"keys": [key(), {**RSA, "kid": "good"}]}).keys() == {"good"}


def test_a_key_that_does_not_say_what_it_is_for_signs():
    plain = {name: value for name, value in RSA.items() if name not in ("use", "alg")}
    assert usable({"keys": [{**plain, "kid": "k" * 256}]}).keys() == {"k" * 256}


@pytest.mark.parametrize("keys", [None, {"kid": "k"}, "keys", 7])
def test_what_is_no_list_of_keys_holds_none(keys: Any):
    assert usable({"keys": keys}) == {}


def test_a_set_of_a_million_keys_is_cut():
    assert len(usable({"keys": [{**RSA, "kid": str(number)} for number in range(500)]})) == 100
