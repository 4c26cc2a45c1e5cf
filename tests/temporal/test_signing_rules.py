"""What is signed and what is let in, rule by rule: `test_signing` has what holds for any payload."""

import hmac
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure

from domain.commands import CommandKeys, CommandKind, CommandOutcome, UnsignedCommands
from domain.errors import Unavailable
from temporal.signing.signatures import Place, Signer, Way, generation_of, refusal, refuse
from tests.patience import PATIENCE_SECONDS

NOVEMBER = datetime(2026, 11, 15, tzinfo=UTC)
HERE, THERE = b"here", b"there"
LET_IN, REFUSED = CommandOutcome.LET_IN, CommandOutcome.REFUSED


class Keys:
    """Derives by hand; it can be down, and it counts who asks."""

    def __init__(self) -> None:
        self.down = False
        self.asked: list[str] = []

    def derive(self, month: str) -> bytes:
        self.asked.append(month)
        if self.down:
            raise Unavailable
        return f"key of {month}".encode()


class Rig:
    """A signer, its clock, its keys and what it counted."""

    def __init__(self, unsigned: UnsignedCommands = UnsignedCommands.REFUSE, name: str = "alias/k") -> None:
        self.now = NOVEMBER
        self.keys = Keys()
        self.counted: list[tuple[CommandKind, CommandOutcome]] = []
        self.signer = signer_of(self.keys, self, unsigned, name)

    def count(self, kind: CommandKind, outcome: CommandOutcome) -> None:
        self.counted.append((kind, outcome))

    def signed(self, label: bytes = HERE) -> Payload:
        payload = plain()
        self.signer.sign(payload, label)
        return payload

    def lets_in(self, *payloads: Payload, labels: tuple[bytes, ...] = (HERE,)) -> bool:
        return self.signer.accepts(payloads, *labels, kind=CommandKind.UPDATE)


def signer_of(keys: CommandKeys, rig: Rig, unsigned: UnsignedCommands, name: str) -> Signer:
    return Signer(keys, key_name=name, unsigned=unsigned, count=rig.count, now=lambda: rig.now)


def plain() -> Payload:
    return Payload(metadata={"encoding": b"json/plain", "a": b"b"}, data=b"{}")


def with_signature(text: bytes) -> Payload:
    payload = plain()
    payload.metadata["signature"] = text
    return payload


def joined(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">Q", len(part)) + part for part in parts)


def mac(*parts: bytes, month: str = "2026-11") -> bytes:
    return hmac.digest(f"key of {month}".encode(), joined(*parts), "sha256").hex().encode()


# What is signed


@pytest.mark.parametrize(("way", "word"), [(Way.THERE, b"there"), (Way.BACK, b"back")])
def test_a_label_names_the_way_and_the_whole_place(way: Way, word: bytes):
    assert Place("ns", "wf").label(way) == joined(word, b"ns", b"wf", b"", b"")
    assert Place("ns", "wf", "type", "id").label(way) == joined(word, b"ns", b"wf", b"type", b"id")


def test_a_signature_is_over_the_place_the_metadata_and_the_data():
    expected = mac(HERE, b"a", b"b", b"encoding", b"json/plain", b"{}")
    assert Rig().signed().metadata["signature"] == b"1 alias/k 2026-11 " + expected
    again = Rig().signed()
    Rig().signer.sign(again, HERE)  # a signature that is there already is no part of it
    assert again.metadata["signature"].endswith(expected)


def test_only_version_key_and_month_of_ours_are_looked_at():
    good = Rig().signed().metadata["signature"]
    assert Rig().lets_in(with_signature(good))
    for old, new in ((b"1 ", b"2 "), (b"alias/k", b"alias/j"), (b"2026-11", b"2026-10"), (b" 2026", b"  2026")):
        assert not Rig().lets_in(with_signature(good.replace(old, new, 1)))
    assert not Rig(name="alias/j").lets_in(with_signature(good))


def test_what_is_refused_keeps_nothing_but_a_word():
    payload = Rig().signed()
    refuse(payload)
    assert (dict(payload.metadata), payload.data) == ({"encoding": b"refused/unsigned"}, b"")
    assert (refusal().type, refusal().non_retryable) == ("unsigned_command", True)


# What is let in


def test_what_is_signed_is_let_in_and_not_counted():
    rig = Rig()
    assert rig.lets_in(rig.signed(), rig.signed())
    assert rig.counted == []


@pytest.mark.parametrize("others", [0, 1, 2])
def test_what_is_unsigned_is_refused_or_let_in_as_the_operators_say_and_counted(others: int):
    for unsigned, outcome in ((UnsignedCommands.REFUSE, REFUSED), (UnsignedCommands.COUNT, LET_IN)):
        rig = Rig(unsigned)
        payloads = [plain(), *(rig.signed() for _ in range(others))]
        assert rig.lets_in(*payloads) is (outcome is LET_IN)
        assert rig.counted == [(CommandKind.UPDATE, outcome)]
        assert not rig.signer.accepts(payloads, THERE, kind=CommandKind.UPDATE) or others == 0


def test_where_there_is_no_payload_nothing_says_that_it_comes_from_us():
    for unsigned, outcome in ((UnsignedCommands.REFUSE, REFUSED), (UnsignedCommands.COUNT, LET_IN)):
        rig = Rig(unsigned)
        assert rig.lets_in() is (outcome is LET_IN)
        assert rig.counted == [(CommandKind.UPDATE, outcome)]


@pytest.mark.parametrize("unsigned", UnsignedCommands)
def test_a_wrong_signature_is_refused_in_any_case(unsigned: UnsignedCommands):
    rig = Rig(unsigned)
    assert not rig.lets_in(rig.signed(THERE))
    assert not rig.lets_in(rig.signed(), rig.signed(THERE), plain())
    assert rig.counted == [(CommandKind.UPDATE, REFUSED)] * 2
    assert not rig.signer.accepts([rig.signed(THERE)], HERE, kind=CommandKind.UPDATE, counted=False)
    assert len(rig.counted) == 2


def test_one_of_several_places_is_enough():
    rig = Rig()
    assert rig.lets_in(rig.signed(HERE), labels=(HERE, THERE))
    assert rig.lets_in(rig.signed(THERE), labels=(HERE, THERE))
    assert not rig.lets_in(rig.signed(b"elsewhere"), labels=(HERE, THERE))


# Errors


def an_error(
    message: str = "m", kind: str = "t", *, final: bool = True, details: tuple[bytes, ...] = (b"1",)
) -> Failure:
    error = Failure(message=message)
    error.application_failure_info.type = kind
    error.application_failure_info.non_retryable = final
    for detail in details:
        error.application_failure_info.details.payloads.add(data=detail)
    return error


def enveloped(error: Failure) -> Failure:
    outer = Failure()
    outer.activity_failure_info.SetInParent()
    outer.cause.child_workflow_execution_failure_info.SetInParent()
    outer.cause.cause.CopyFrom(error)
    return outer


def timed_out() -> Failure:
    failure = Failure()
    failure.timeout_failure_info.SetInParent()
    return failure


@pytest.mark.parametrize("wrapped", [False, True])
def test_of_an_error_the_message_type_finality_and_details_are_signed(wrapped: bool):
    rig, failure = Rig(), enveloped(an_error()) if wrapped else an_error()
    decisive = failure.cause.cause if wrapped else failure
    decisive.encoded_attributes.metadata["stale"] = b"x"
    rig.signer.sign_failure(failure, HERE)
    attributes = decisive.encoded_attributes
    label = HERE + joined(b"m", b"t", b"\x01", b"1")
    assert attributes.data == b"{}"
    assert dict(attributes.metadata) == {
        "encoding": b"json/plain",
        "signature": b"1 alias/k 2026-11 " + mac(label, b"encoding", b"json/plain", b"{}"),
    }
    assert not wrapped or not failure.HasField("encoded_attributes")
    assert rig.signer.accepts_failure(failure, HERE)
    assert rig.counted == []
    assert not rig.signer.accepts_failure(failure, THERE)
    assert rig.counted == [(CommandKind.RESULT, REFUSED)]
    assert not rig.signer.accepts_failure(failure, THERE, counted=False)
    assert len(rig.counted) == 1


@pytest.mark.parametrize(
    "other",
    [an_error("x"), an_error(kind="x"), an_error(final=False), an_error(details=()), an_error(details=(b"1", b""))],
    ids=["message", "type", "finality", "no details", "more details"],
)
def test_an_error_that_says_something_else_is_refused(other: Failure):
    rig, failure = Rig(UnsignedCommands.COUNT), an_error()
    rig.signer.sign_failure(failure, HERE)
    other = Failure.FromString(other.SerializeToString())
    other.encoded_attributes.CopyFrom(failure.encoded_attributes)
    assert not rig.signer.accepts_failure(other, HERE)
    assert Rig(UnsignedCommands.COUNT).signer.accepts_failure(an_error(), HERE)
    assert not Rig().signer.accepts_failure(an_error(), HERE)


def test_what_the_server_says_itself_has_no_signature():
    empty = Failure()
    empty.activity_failure_info.SetInParent()
    caused = timed_out()
    caused.cause.CopyFrom(an_error())
    for failure in (timed_out(), empty, enveloped(timed_out()), caused):
        before = failure.SerializeToString()
        rig = Rig()
        rig.signer.sign_failure(failure, HERE)
        assert failure.SerializeToString() == before
        assert rig.signer.accepts_failure(failure, HERE)
        assert rig.counted == []


def test_the_cause_of_an_error_of_ours_is_not_what_decides():
    rig, failure = Rig(), an_error()
    failure.cause.CopyFrom(an_error("inner"))
    rig.signer.sign_failure(failure, HERE)
    assert failure.encoded_attributes.metadata["signature"]
    assert not failure.cause.HasField("encoded_attributes")


# Keys


def test_the_keys_of_this_month_and_the_last_are_prepared():
    rig = Rig()
    rig.signer.prepare()
    assert rig.keys.asked == ["2026-11", "2026-10"]


def test_it_is_told_whose_keys_are_lacking():
    rig, october = Rig(), with_signature(b"1 alias/k 2026-10 x")
    assert rig.signer.lacking() == ["2026-11"]
    assert rig.signer.lacking([october, plain(), with_signature(b"1 alias/k 2025-01 x")]) == ["2026-10"]
    rig.signer.prepare()
    assert (rig.signer.lacking(), rig.signer.lacking([october])) == ([], [])
    assert rig.signer.lacking([with_signature(b"1 alias/k 2026-12 x")]) == ["2026-12"]


def december(*, known: bool = True) -> Rig:
    """A new month, whose key cannot be had."""
    rig = Rig()
    if known:
        rig.signer.prepare()
    rig.now, rig.keys.down, rig.keys.asked = datetime(2026, 12, 1, tzinfo=UTC), True, []
    return rig


def test_the_last_key_serves_on_and_the_new_one_is_asked_for_every_thirty_seconds():
    rig = december()
    for seconds, asked in ((0, 1), (0, 1), (29.9, 1), (0.1, 2), (29.9, 2), (0.1, 3)):
        rig.now += timedelta(seconds=seconds)
        assert rig.signer.lacking() == (["2026-12"] if asked > len(rig.keys.asked) else [])
        assert rig.signed().metadata["signature"].startswith(b"1 alias/k 2026-11 ")
        assert rig.keys.asked == ["2026-12"] * asked
    rig.keys.down = False
    assert rig.signer.generation == 202611
    rig.now += timedelta(seconds=30)
    assert rig.signer.generation == 202612


def test_without_a_key_nothing_is_signed_and_the_first_is_taken_as_soon_as_it_can_be_had():
    rig = december(known=False)
    for _ in range(2):
        with pytest.raises(Unavailable):
            _ = rig.signer.generation
    rig.keys.down = False
    assert rig.signer.generation == 202612


def test_another_months_key_that_cannot_be_had_keeps_nobody_from_signing_with_this_months():
    rig = Rig()
    rig.signer.prepare()
    rig.keys.down = True
    with suppress(Unavailable):
        rig.signer.derive(["2026-12"])
    assert rig.signer.generation == 202611


def test_a_key_is_derived_once_however_many_ask():
    asked, going = threading.Event(), threading.Event()

    class SlowKeys(Keys):
        def derive(self, month: str) -> bytes:
            asked.set()
            assert going.wait(PATIENCE_SECONDS)
            return super().derive(month)

    rig = Rig()
    slow = SlowKeys()
    signer = signer_of(slow, rig, UnsignedCommands.REFUSE, "alias/k")
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(signer.derive, ["2026-11"]) for _ in range(4)]
        assert asked.wait(PATIENCE_SECONDS)
        with suppress(TimeoutError):
            waiting[0].result(timeout=0.1)  # the others come to wait meanwhile
        going.set()
        for each in waiting:
            each.result(timeout=PATIENCE_SECONDS)
    assert slow.asked == ["2026-11"]


@pytest.mark.parametrize(
    ("signature", "generation"),
    [
        (b"1 k 2026-11 x", 202611),
        (b"", 0),
        (b"1 k 2026-1 x", 0),
        (b"1 k 2026-111 x", 0),
        (b"1 k abcdef x", 0),
        (b"1 k 2026-11", 0),
        (b"1 k 2026-11 x y", 0),
    ],
)
def test_a_generation_is_the_month_as_a_number(signature: bytes, generation: int):
    assert generation_of(with_signature(signature)) == generation
    assert generation_of(plain()) == 0
