"""Signatures: of one place, one key and a month that is not long past."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from domain.commands import CommandKind
from domain.errors import Unavailable
from temporal.signing.signatures import Place, Signer, Way, generation_of
from tests.fakes import FakeCommandKeys

HERE = Place("onboarding", "onboard:t:a", "store_credential", "store-1").label(Way.THERE)
NOVEMBER = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime = NOVEMBER) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class FailingKeys(FakeCommandKeys):
    """Of a KMS that is down after a while."""

    down = False

    def derive(self, month: str) -> bytes:
        if self.down:
            raise Unavailable
        return super().derive(month)


def payload_of(data: bytes = b'{"a": 1}') -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


def signer_of(keys: FakeCommandKeys | None = None, *, now: Clock | None = None, name: str = "alias/k") -> Signer:
    return Signer(keys or FakeCommandKeys(), key_name=name, now=now or Clock())


def accepts(signer: Signer, payload: Payload, label: bytes = HERE) -> bool:
    return signer.accepts([payload], label, kind=CommandKind.ACTIVITY)


def test_the_data_stays_readable_and_names_key_and_month():
    payload = payload_of()
    signer_of().sign(payload, HERE)
    assert payload.data == b'{"a": 1}'
    assert payload.metadata["signature"].startswith(b"1 alias/k 2026-11 ")
    assert generation_of(payload) == 202611


@pytest.mark.parametrize(
    "place",
    [
        Place("another", "onboard:t:a", "store_credential", "store-1"),
        Place("onboarding", "onboard:t:b", "store_credential", "store-1"),
        Place("onboarding", "onboard:t:a", "delete_credential", "store-1"),
        Place("onboarding", "onboard:t:a", "store_credential", "store-2"),
        Place("onboarding", "onboard:t:astore_credential", "", "store-1"),
    ],
)
def test_a_signature_is_good_for_its_place_only(place: Place):
    payload = payload_of()
    signer_of().sign(payload, HERE)
    assert accepts(signer_of(), payload)
    assert not accepts(signer_of(), payload, place.label(Way.THERE))


def test_an_answer_is_never_taken_for_a_command():
    payload, place = payload_of(), Place("onboarding", "onboard:t:a")
    signer_of().sign(payload, place.label(Way.BACK))
    assert not accepts(signer_of(), payload, place.label(Way.THERE))


@given(st.binary(max_size=64), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_no_altered_byte_is_accepted(data: bytes, where: int, by: int):
    payload = payload_of(data + b".")
    signer_of().sign(payload, HERE)
    altered = bytearray(payload.data)
    altered[where % len(altered)] ^= by
    payload.data = bytes(altered)
    assert not accepts(signer_of(), payload)


@given(st.binary(max_size=200))
def test_whatever_stands_for_a_signature_is_refused_and_asks_for_no_key(text: bytes):
    keys, payload = FakeCommandKeys(), payload_of()
    payload.metadata["signature"] = text
    assert not accepts(signer_of(keys), payload)
    assert keys.derived == []


def test_other_metadata_is_signed_too():
    payload = payload_of()
    signer_of().sign(payload, HERE)
    payload.metadata["encoding"] = b"json/protobuf"
    assert not accepts(signer_of(), payload)


def test_a_key_of_somebody_else_signs_nothing():
    payload = payload_of()
    signer_of(FakeCommandKeys(b"the stranger's")).sign(payload, HERE)
    assert not accepts(signer_of(), payload)


@pytest.mark.parametrize(
    ("now", "accepted"),
    [
        (datetime(2026, 10, 31, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 12, 1, tzinfo=UTC), True),
        (datetime(2027, 3, 31, tzinfo=UTC), True),
        (datetime(2027, 4, 1, tzinfo=UTC), False),
        (datetime(2026, 9, 30, tzinfo=UTC), False),
    ],
)
def test_a_signature_outlives_the_longest_onboarding_and_then_ends(now: datetime, accepted: bool):
    payload = payload_of()
    signer_of().sign(payload, HERE)
    assert accepts(signer_of(now=Clock(now)), payload) is accepted


def test_a_key_is_asked_for_once_a_month():
    keys, clock = FakeCommandKeys(), Clock()
    signer = signer_of(keys, now=clock)
    for _ in range(50):
        payload = payload_of()
        signer.sign(payload, HERE)
        assert accepts(signer, payload)
    clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    signer.sign(payload_of(), HERE)
    assert keys.derived == ["2026-11", "2026-12"]


def test_the_last_key_serves_on_while_the_new_one_cannot_be_had():
    keys, clock = FailingKeys(), Clock()
    signer, payload = signer_of(keys, now=clock), payload_of()
    signer.prepare()
    clock.now, keys.down = datetime(2026, 12, 1, tzinfo=UTC), True
    signer.sign(payload, HERE)
    assert accepts(signer, payload)
    assert signer.generation == 202611
    keys.down = False
    clock.now += timedelta(minutes=1)
    assert signer.generation == 202612
