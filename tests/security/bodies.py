"""Hostile bodies: from a seed, for a route's own example, each with the canary somewhere in it."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

CANARY = "kanarienvogel7f3a"
"""In no text of ours."""

Body = Mapping[str, Any]
Maker = Callable[[Random, Body], bytes]


def _one(random: Random, body: Body, value: Any) -> dict[str, Any]:
    """The body with one field replaced; with an unknown field when it has none."""
    name = random.choice([*body]) if body else CANARY
    return {**body, name: value}


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _as_value(random: Random, body: Body) -> bytes:
    return _dumped(_one(random, body, CANARY))


def _as_key(random: Random, body: Body) -> bytes:
    return _dumped({**body, random.choice([CANARY, f"{CANARY}\u202e", f"__{CANARY}__"]): random.choice([1, CANARY])})


def _as_key_inside(random: Random, body: Body) -> bytes:
    return _dumped(_one(random, body, {CANARY: {CANARY: CANARY}, "role_arn": CANARY}))


def _in_a_wrong_type(random: Random, body: Body) -> bytes:
    values: list[Any] = [[CANARY], {CANARY: 1}, [[{"a": CANARY}]], None, True, -1, 1.5, [], {}]
    return _dumped({**_one(random, body, random.choice(values)), "description": CANARY})


def _cut(random: Random, body: Body) -> bytes:
    raw = _dumped({**body, "a": CANARY})
    return raw[: random.randrange(1, len(raw))]


def _with_bytes_between(random: Random, body: Body) -> bytes:
    raw = bytearray(_as_value(random, body))
    raw.insert(random.randrange(len(raw)), random.choice([0, 0x1F, 0x7F, 0x80, 0xC0, 0xFF]))
    return bytes(raw)


def _not_finite(random: Random, body: Body) -> bytes:
    number = random.choice(["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
    return b'{"' + CANARY.encode() + b'": ' + number.encode() + b"}"


def _half_a_pair(random: Random, body: Body) -> bytes:
    half = random.choice([r"\ud800", r"\udfff", r"\udc00\ud800"])
    return json.dumps(_one(random, body, "@")).replace("@", half + CANARY).encode()


def _deep(random: Random, body: Body) -> bytes:
    depth = random.choice([15, 16, 17, 100, 5_000, 100_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return b'{"' + CANARY.encode() + b'": ' + opening * depth + b"1" + closing * depth + b"}"


def _huge_text(random: Random, body: Body) -> bytes:
    return _dumped(_one(random, body, CANARY * random.choice([10, 1_000, 15_000, 20_000])))


def _huge_number(random: Random, body: Body) -> bytes:
    digits = random.choice([19, 20, 5_000, 200_000])
    return _dumped({**body, CANARY: "@"}).replace(b'"@"', b"9" * digits)


def _many_keys(random: Random, body: Body) -> bytes:
    return _dumped({**body, **{f"{CANARY}{number}": number for number in range(random.choice([10, 1_000, 9_000]))}})


def _twice(random: Random, body: Body) -> bytes:
    raw = _as_value(random, body)
    return raw[:-1] + b", " + raw[1:]


def _unusual_text(random: Random, body: Body) -> bytes:
    odd = ["\u202e", "\u200b", "\ufeff", "\U0001f9ff", "\u0000", "\u0085", "A\u030a", "\uffff", "\r\n", "${jndi:x}"]
    odd += ["<script>", "' OR 1=1 --", "{{7*7}}", "../../etc/passwd", "%00", "=cmd|' /C calc'!A0"]
    text = "".join(random.choices(odd, k=4)) + CANARY
    return _dumped(_one(random, body, text))


def _no_object(random: Random, body: Body) -> bytes:
    return _dumped(random.choice([CANARY, [CANARY], [dict(body)], [], 0, None, True, {CANARY: None}]))


def _no_json(random: Random, body: Body) -> bytes:
    return random.choice(
        [
            CANARY.encode(),
            f"a={CANARY}".encode(),
            f"<a>{CANARY}</a>".encode(),
            CANARY.encode("utf-16"),
            b"\xef\xbb\xbf" + _as_value(random, body),
            b"",
            b"{" + CANARY.encode() + b": 1}",
            b"// " + CANARY.encode() + b"\n{}",
        ]
    )


MAKERS: tuple[Maker, ...] = (
    *(_as_value, _as_key, _as_key_inside, _in_a_wrong_type, _cut, _with_bytes_between, _not_finite, _half_a_pair),
    *(_deep, _huge_text, _huge_number, _many_keys, _twice, _unusual_text, _no_object, _no_json),
)

MEDIA_TYPES = ("application/json",) * 9 + (f"text/{CANARY}",)


def hostile(random: Random, body: Body) -> tuple[bytes, dict[bytes, bytes]]:
    """A body and the headers it goes with."""
    headers = {b"Content-Type": random.choice(MEDIA_TYPES).encode()}
    if random.random() < 0.3:
        headers[b"Idempotency-Key"] = random.choice([CANARY, CANARY * 30, f"{CANARY} é"]).encode()
    return random.choice(MAKERS)(random, body), headers
