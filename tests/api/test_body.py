"""Hostile bodies: whatever is sent, the answer is of the one shape, is no 5xx, and repeats nothing of it."""

import json
import re
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.http.json_body import MAX_BYTES, MAX_DEPTH, strict_json
from domain.errors import MalformedBody
from tests.api.portal import Portal, codes
from tests.strategies import json_values

CANARY = "kanarienvogel"
JSON = {"Content-Type": "application/json"}


async def post(portal: Portal, raw: bytes, **headers: str) -> httpx.Response:
    return await portal.http.post("/tenants", content=raw, headers={**JSON, **headers})


def body_of(text: str) -> bytes:
    return b'{"tenant_name": ' + text.encode() + b"}"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"tenant_name": "a"} x', "not_json"),
        (b"\xff", "not_json"),
        (b'\xef\xbb\xbf{"tenant_name": "a"}', "not_json"),
        ('{"tenant_name": "a"}'.encode("utf-16"), "not_json"),
        (body_of('"a\nb"'), "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b'"a"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"tenant_name": "a", "tenant_name": "b"}', "duplicate_key"),
        (body_of("NaN"), "not_finite"),
        (body_of("-Infinity"), "not_finite"),
        (body_of("1e999"), "not_finite"),
        (body_of("9" * 5_000), "number_too_long"),
        (body_of("[" * 20 + "]" * 20), "too_deep"),
        (body_of("[" + "[]," * 20_000 + "[]]"), "too_many_values"),
        (body_of(r'"a\u0000b"'), "control_character"),
        (body_of(r'"\ud800"'), "control_character"),
        (b'{"tenant_name": "a", "\\u0007": 1}', "control_character"),
    ],
)
async def test_what_is_no_strict_json_is_refused(offline: Portal, raw: bytes, code: str) -> None:
    answer = await post(offline, raw)
    assert (answer.status_code, codes(answer)) == (422, [code])
    assert answer.json()["detail"]["problems"][0]["pointer"] == ""


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "application/jsonp", ""],
)
async def test_another_media_type_is_refused(offline: Portal, media_type: str) -> None:
    answer = await post(offline, b'{"tenant_name": "Acme"}', **{"Content-Type": media_type})
    assert (answer.status_code, answer.json()["detail"]["code"]) == (415, "unsupported_media_type")


async def test_a_charset_of_utf_8_is_fine(offline: Portal) -> None:
    answer = await post(offline, b'{"tenant_name": "Acme"}', **{"Content-Type": "application/json; charset=UTF-8"})
    assert answer.status_code == 201


async def test_a_compressed_body_is_refused(offline: Portal) -> None:
    assert (await post(offline, b"{}", **{"Content-Encoding": "gzip"})).status_code == 415


async def test_a_body_of_the_largest_size_is_read(offline: Portal) -> None:
    raw = b'{"tenant_name": "Acme"}'.ljust(MAX_BYTES)
    assert (await post(offline, raw)).status_code == 201
    answer = await post(offline, raw + b" ")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "payload_too_large")


async def test_a_body_that_does_not_tell_its_size_is_cut_off(offline: Portal) -> None:
    sent: list[bytes] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(b" " * 65_536)
            yield sent[-1]

    answer = await offline.http.post("/tenants", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert len(sent) <= 6


async def test_every_fault_of_a_shape_is_told(offline: Portal) -> None:
    answer = await offline.http.post("/onboarding/aws/validate", json={"credentials": [], CANARY: 1, CANARY + "2": 2})
    problems = answer.json()["detail"]["problems"]
    assert [(p["pointer"], p["code"]) for p in problems] == [
        ("/account_id", "missing"),
        ("/auth_method", "missing"),
        ("/credentials", "wrong_type"),
        ("", "unknown_field"),
    ]
    assert problems[-1]["message"].startswith("2 unknown fields; the fields are: account_id,")
    assert CANARY not in answer.text


async def test_a_text_that_is_far_too_long_is_not_even_looked_at(offline: Portal) -> None:
    """Composing its letters would keep everybody waiting for as long as the square of its length."""
    answer = await offline.http.post("/tenants", json={"tenant_name": "a" + "\u0301\u0327" * 2_000 + "\u200b"})
    assert codes(answer) == ["too_long"]


async def test_a_field_has_one_problem(offline: Portal) -> None:
    body = {"account_id": "x", "onboarding_json": 7}
    assert codes(await offline.http.post("/onboarding/aws/validate-json", json=body)) == ["wrong_type"]


FIELDS = {
    "/tenants": ("tenant_name", "description"),
    "/onboarding/aws/init": ("tenant_id", "account_name", "auth_method"),
    "/onboarding/aws/validate": ("account_id", "auth_method", "credentials", "just_created"),
    "/onboarding/aws/validate-json": ("account_id", "onboarding_json", "just_created"),
    "/onboarding/00000000-0000-4000-8000-000000000000/cancel": ("reason",),
}

Place = Callable[[object], object]

hiding: st.SearchStrategy[Place] = st.sampled_from(
    [
        lambda value: CANARY,
        lambda value: {CANARY: value},
        lambda value: {"role_arn": CANARY, "external_id": CANARY, CANARY: value},
        lambda value: [value, CANARY],
        lambda value: CANARY * 5_000,
        lambda value: {"a": [{"b": {CANARY: CANARY}}]},
        lambda value: f"\u0000{CANARY}",
        lambda value: value,
    ]
)


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes]:
    """A route, and a body with the canary as a value, as a key, in a wrong type, where a choice is made, or cut off."""
    path = draw(st.sampled_from(sorted(FIELDS)))
    names = draw(st.lists(st.sampled_from([*FIELDS[path], CANARY]), unique=True))
    body = {name: draw(hiding)(draw(json_values)) for name in names}
    raw = json.dumps(draw(st.sampled_from([body, [body], CANARY]))).encode()
    return path, raw[: draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile())
@example(("/tenants", b'{"tenant_name": {"' + CANARY.encode() + b'": NaN}}'))
@example(("/tenants", b'{"tenant_name": "\\ud800' + CANARY.encode() + b'"}'))
async def test_nothing_is_echoed_and_nothing_breaks(offline: Portal, sent: tuple[str, bytes]) -> None:
    path, raw = sent
    answer = await offline.http.post(path, content=raw, headers=JSON)
    # 503: a body that is right gets as far as Temporal, which is not there.
    assert answer.status_code in (201, 400, 404, 409, 413, 415, 422, 503)
    if answer.status_code != 201:
        assert CANARY not in answer.text
        assert set(answer.json()["detail"]) == {"code", "message", "errors", "problems"}


@given(json_values.filter(lambda value: not re.search(r"\d{20}", json.dumps(value))))
def test_ordinary_json_is_read_as_it_was_written(value: object) -> None:
    assert strict_json(json.dumps(value).encode()) == value


@given(st.integers(1, 3 * MAX_DEPTH))
def test_the_depth_is_bounded(depth: int) -> None:
    raw = b"[" * depth + b"]" * depth
    if depth <= MAX_DEPTH:
        strict_json(raw)
    else:
        with pytest.raises(MalformedBody):
            strict_json(raw)
