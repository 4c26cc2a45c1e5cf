"""Who a caller is, from what it sent: by the parts that recognise it, without a request."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from fastapi.security import HTTPAuthorizationCredentials
from starlette.requests import Request

from api.auth.access_tokens import Bearing
from api.auth.authenticator import BEARER, HEADER, Caller, Doorman, KeyRing, sent_text
from domain.audit.events import Origin
from domain.callers.access import Role, Scope
from domain.callers.api_keys import ApiKey, digest_of, key_id_of, new_key_text
from domain.callers.tenants import PLATFORM
from domain.errors import Unauthenticated

TEXT = new_key_text()
KEY = ApiKey(
    key_id_of(TEXT) or "",
    "tenant-1",
    "ci",
    digest_of(TEXT),
    Role.VIEWER,
    "2026-01-01T00:00:00.000Z",
    "2999-01-01T00:00:00.000Z",
)
TOKEN = "e30.e30.e30"


class Keys:
    def __init__(self, key: ApiKey | None = KEY) -> None:
        self.key = key
        self.asked: list[str] = []

    def find(self, key_id: str) -> ApiKey | None:
        self.asked.append(key_id)
        return self.key


class Uses:
    def __init__(self) -> None:
        self.noted: list[str] = []

    def note(self, key: ApiKey, now: datetime) -> None:
        self.noted.append(key.key_id)


class Tokens:
    def __init__(self, tenant_id: str | None = "tenant-2") -> None:
        self.tenant_id = tenant_id
        self.seen: list[str] = []

    def verify(self, text: str) -> Bearing:
        self.seen.append(text)
        platform, scopes = self.tenant_id is None, frozenset({Scope.KEYS_ADMIN})
        return Bearing("anna", self.tenant_id, platform, scopes, "2026-12-01T00:00:00.000Z")


def ring(keys: Keys, clock: Iterator[float] | None = None, uses: Uses | None = None) -> KeyRing:
    parts: Any = {"keys": keys, "uses": uses, "clock": (lambda: next(clock)) if clock else lambda: 0.0}
    return KeyRing(**parts)


def doorman(keys: Keys, tokens: Tokens | None) -> Doorman:
    return Doorman(ring(keys), tokens)  # type: ignore[arg-type]


def bearer(text: str) -> HTTPAuthorizationCredentials:
    return HTTPAuthorizationCredentials(scheme="Bearer", credentials=text)


def test_a_key_makes_a_caller_of_its_tenant():
    uses = Uses()
    caller = ring(Keys(), uses=uses).recognise(TEXT, "r-1")
    assert caller == Caller(
        f"key:{KEY.key_id}",
        "tenant-1",
        False,
        scopes=KEY.held,
        request_id="r-1",
        key_id=KEY.key_id,
        role=Role.VIEWER,
        expires_at=KEY.expires_at,
    )
    assert caller.origin == Origin(f"key:{KEY.key_id}", "r-1")
    assert uses.noted == [KEY.key_id]


def test_a_key_of_the_platform_makes_a_caller_of_no_tenant():
    caller = ring(Keys(replace(KEY, tenant_id=PLATFORM, platform=True))).recognise(TEXT, "r")
    assert (caller.tenant_id, caller.platform) == (None, True)


@pytest.mark.parametrize(
    "key",
    [
        None,
        replace(KEY, digest=digest_of("other")),
        replace(KEY, revoked_at=KEY.created_at),
        replace(KEY, expires_at=KEY.created_at),
    ],
    ids=["unknown", "wrong", "revoked", "expired"],
)
def test_a_key_that_is_not_valid_is_refused_and_its_use_not_noted(key: ApiKey | None):
    uses, keys = Uses(), Keys(key)
    with pytest.raises(Unauthenticated):
        ring(keys, uses=uses).recognise(TEXT, "r")
    assert (uses.noted, keys.asked) == ([], [KEY.key_id])


def test_what_is_no_key_of_ours_is_never_looked_up():
    keys = Keys()
    for text in ("", "x", TEXT[:-1], TOKEN):
        with pytest.raises(Unauthenticated):
            ring(keys).recognise(text, "r")
    assert keys.asked == []


def test_a_key_is_looked_up_again_after_four_seconds():
    keys = Keys()
    known = ring(keys, clock=iter([1000.0, 1003.9, 1004.0, 1007.9, 1008.0]))
    for looked_up in (1, 1, 2, 2, 3):
        known.recognise(TEXT, "r")
        assert len(keys.asked) == looked_up
    keys.key = None
    with pytest.raises(Unauthenticated):
        ring(keys).recognise(TEXT, "r")


def test_a_thousand_and_twenty_four_keys_are_kept():
    keys, texts = Keys(None), [new_key_text() for _ in range(1025)]
    known = ring(keys)

    def come(several: list[str]) -> int:
        before = len(keys.asked)
        for text in several:
            with pytest.raises(Unauthenticated):
                known.recognise(text, "r")
        return len(keys.asked) - before

    assert come(texts[:1024]) == 1024
    assert come(texts[:1024]) == 0
    assert come(texts[1024:]) == 1
    assert come(texts[:1]) == 1


@pytest.mark.parametrize(("tenant_id", "platform"), list(product(["", None, "tenant-1"], [False, True])))
def test_a_caller_is_of_one_tenant_or_of_the_platform(tenant_id: str | None, platform: bool):
    def made() -> Caller:
        return Caller("key:1", tenant_id, platform, scopes=frozenset(), request_id="r")

    if platform is not bool(tenant_id):
        assert (made().tenant_id, made().expires_at) == (tenant_id, "")
    else:
        with pytest.raises(ValueError, match="either for one tenant or for the platform"):
            made()


def test_a_token_makes_a_caller_of_what_it_bears():
    found = doorman(Keys(), Tokens()).recognise(bearer(TOKEN), None, "r-2")
    scopes = frozenset({Scope.KEYS_ADMIN})
    assert found == Caller(
        "oidc:anna", "tenant-2", False, scopes=scopes, request_id="r-2", expires_at="2026-12-01T00:00:00.000Z"
    )
    platform = doorman(Keys(), Tokens(None)).recognise(bearer(TOKEN), None, "r")
    assert (platform.tenant_id, platform.platform) == (None, True)


def test_a_token_is_looked_at_only_where_an_issuer_is_trusted_and_in_its_own_header():
    for tokens, sent, header in ((None, bearer(TOKEN), None), (Tokens(), None, TOKEN), (Tokens(), bearer("a.b"), None)):
        with pytest.raises(Unauthenticated):
            doorman(Keys(), tokens).recognise(sent, header, "r")
        assert tokens is None or tokens.seen == []
    with pytest.raises(Unauthenticated):
        doorman(Keys(), Tokens()).recognise(bearer("a.b.c.d"), None, "r")


@pytest.mark.parametrize("tokens", [None, Tokens()], ids=["without an issuer", "with one"])
def test_a_key_is_taken_from_either_header(tokens: Tokens | None):
    for sent, header in ((bearer(TEXT), None), (None, TEXT), (bearer(TEXT), TEXT)):
        assert doorman(Keys(), tokens).recognise(sent, header, "r").key_id == KEY.key_id


def test_one_text_is_sent_and_two_that_differ_are_a_mistake():
    assert (sent_text(bearer("a"), None), sent_text(None, "b"), sent_text(bearer("c"), "c")) == ("a", "b", "c")
    assert (sent_text(bearer(""), None), sent_text(None, "")) == ("", "")
    for sent, header in ((None, None), (bearer("a"), "b"), (bearer("a"), ""), (bearer(""), "b")):
        with pytest.raises(Unauthenticated):
            sent_text(sent, header)


async def test_what_is_not_sent_is_left_to_the_doorman():
    nothing = Request({"type": "http", "headers": []})
    assert (await BEARER(nothing), await HEADER(nothing)) == (None, None)
    keyed = Request({"type": "http", "headers": [(b"x-api-key", b"k"), (b"authorization", b"Bearer t")]})
    assert (await BEARER(keyed), await HEADER(keyed)) == (bearer("t"), "k")
    assert (BEARER.scheme_name, HEADER.scheme_name) == ("bearer", "api_key")
