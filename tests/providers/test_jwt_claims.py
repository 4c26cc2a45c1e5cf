"""What a token says about itself, and what is no token."""

import base64
import json

import pytest

from providers.jwt_claims import claims_of


def encoded(claims: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("claims", [{"tid": "a"}, {"tid": "ab"}, {"tid": "abc"}, {"tid": "\u00e4", "n": [1]}], ids=repr)
def test_the_claims_of_a_token_are_read_whatever_their_length(claims: dict[str, object]):
    assert claims_of(f"{encoded({'alg': 'RS256'})}.{encoded(claims)}.c2ln") == claims


GOOD = encoded({"tid": "a"})


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        f"a.{GOOD}",
        f"a.{GOOD}.b.c",
        f"a.{GOOD}.b\r\nX-Header: 1",
        f"a.{GOOD}.b\n",
        f"\u00e4.{GOOD}.b",
        f"a.{GOOD}.b c",
        f"a.{GOOD}=.b",
        "a.!!!!.b",
        "a.AAAA.b",
        f"a.{encoded(['tid'])}.b",
        f"a.{encoded('tid')}.b",
        "a." + base64.urlsafe_b64encode(b"[" * 3000).decode() + ".b",
        f"a.{GOOD}a.b",
    ],
    ids=lambda token: ascii(token)[:40],
)
def test_what_is_no_token_or_could_not_go_into_a_header_has_no_claims(token: str):
    assert claims_of(token) == {}
