"""Who gets in: every route but health wants a key, and tells nothing about a wrong one."""

from dataclasses import replace
from random import Random
from string import ascii_lowercase, digits

import pytest
from temporalio.client import Client

from api.auth.authenticator import CACHE_SECONDS, Caller, KeyRing
from domain.callers.access import Role
from domain.callers.api_keys import ApiKey, digest_of, key_id_of, new_key_text
from domain.callers.tenants import PLATFORM
from domain.errors import Unauthenticated
from tests.api.portal import FAR, Portal, add_key
from tests.api.routes import ID, PUBLIC, calls
from tests.fakes import FakeApiKeyStore, FakeLedger
from tests.rig import AT, Rig

KEY_CHARACTERS = digits + ascii_lowercase
PAST = "2026-01-01T00:00:00.000Z"


async def test_anonymous(offline: Portal) -> None:
    """No route but health does anything, or reads a body, without a key."""
    del offline.http.headers["Authorization"]
    for call in calls(offline.app):
        if call.path not in PUBLIC:
            answer = await offline.http.request(call.method, call.url, content=b"{", headers={"Content-Type": "a/b"})
            assert (answer.status_code, answer.json()["detail"]["code"]) == (401, "unauthenticated"), call.path
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_every_route_but_health_declares_its_key(offline: Portal) -> None:
    keyless = {call.path for call in calls(offline.app) if call.operation["security"] == []}
    assert keyless == PUBLIC


def with_last_changed(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_a_key_is_taken_from_either_header(offline: Portal, header: str) -> None:
    key = offline.http.headers.pop("Authorization").removeprefix("Bearer ")
    sent = f"Bearer {key}" if header == "Authorization" else key
    assert (await offline.http.get("/tenants", headers={header: sent})).status_code == 200


async def test_two_headers_must_agree(offline: Portal) -> None:
    key = offline.http.headers["Authorization"].removeprefix("Bearer ")
    assert (await offline.http.get("/tenants", headers={"X-API-Key": key})).status_code == 200
    other = add_key(offline.rig)
    assert (await offline.http.get("/tenants", headers={"X-API-Key": other})).status_code == 401


async def test_every_wrong_key_gets_the_same_answer(offline: Portal) -> None:
    good = offline.http.headers.pop("Authorization").removeprefix("Bearer ")
    stranger = new_key_text()
    keys = ["", "x", stranger, with_last_changed(good), good.upper(), f" {good}", good + "a", "é" * 60]
    keys += [add_key(offline.rig, expires_at=PAST), add_key(offline.rig, revoked_at=PAST)]
    answers = [await offline.http.get("/tenants", headers={b"X-API-Key": key.encode()}) for key in keys]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


async def test_only_administrators_see_the_platform(offline: Portal) -> None:
    key = add_key(offline.rig, tenant_id=offline.rig.tenant_id)
    offline.http.headers["Authorization"] = f"Bearer {key}"
    assert (await offline.http.get("/tenants")).status_code == 403
    assert (await offline.http.post("/tenants", json={"tenant_name": "Acme"})).status_code == 403
    assert (await offline.http.patch(f"/tenants/{offline.rig.tenant_id}", json={})).status_code == 403


async def test_a_tenants_key_sees_its_own_tenant_only(offline: Portal) -> None:
    foreign = (await offline.http.post("/tenants", json={"tenant_name": "Other"})).json()["tenant_id"]
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=offline.rig.tenant_id)}"
    assert (await offline.http.get(f"/tenants/{offline.rig.tenant_id}")).status_code == 200
    other = await offline.http.get(f"/tenants/{foreign}")
    absent = await offline.http.get("/tenants/00000000-0000-4000-8000-000000000000")
    assert (other.status_code, other.content) == (404, absent.content)


class CountingKeys(FakeApiKeyStore):
    """A store that knows one key and counts who asks."""

    def __init__(self, key: ApiKey | None) -> None:
        super().__init__(FakeLedger())
        self.key = key
        self.asked: list[str] = []

    def find(self, key_id: str) -> ApiKey | None:
        self.asked.append(key_id)
        return self.key


async def a_key(client: Client | None = None) -> tuple[str, ApiKey]:
    rig = Rig(await Client.connect("127.0.0.1:9", lazy=True))
    text = add_key(rig)
    return text, rig.stores.api_keys.administrators()[0]


async def test_a_key_is_looked_up_once_in_five_seconds() -> None:
    (text, key), now = await a_key(), [1000.0]
    store = CountingKeys(key)
    ring = KeyRing(store, clock=lambda: now[0])
    for _ in range(3):
        assert ring.recognise(text, "r").principal == f"key:{key_id_of(text)}"
    assert len(store.asked) == 1
    store.key, now[0] = None, now[0] + CACHE_SECONDS
    with pytest.raises(Unauthenticated):
        ring.recognise(text, "r")
    assert len(store.asked) == 2


def test_an_unknown_key_is_looked_up_once_too() -> None:
    store, text = CountingKeys(None), new_key_text()
    ring = KeyRing(store, clock=lambda: 1000.0)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            ring.recognise(text, "r")
    assert store.asked == [key_id_of(text)]


def test_a_mistyped_key_is_never_looked_up() -> None:
    store = CountingKeys(None)
    with pytest.raises(Unauthenticated):
        KeyRing(store).recognise(with_last_changed(new_key_text()), "r")
    assert store.asked == []


async def test_a_key_of_the_platform_says_so() -> None:
    text, key = await a_key()
    assert (key.tenant_id, key.platform) == (PLATFORM, True)
    caller = KeyRing(CountingKeys(key)).recognise(text, "r")
    assert (caller.tenant_id, caller.platform) == (None, True)


async def test_a_key_in_the_platforms_place_that_does_not_say_so_reaches_nothing(offline: Portal) -> None:
    text = add_key(offline.rig, platform=False)
    offline.http.headers["Authorization"] = f"Bearer {text}"
    assert (await offline.http.get("/tenants")).status_code == 403
    assert (await offline.http.get(f"/tenants/{offline.rig.tenant_id}")).status_code == 404


@pytest.mark.parametrize(("tenant_id", "platform"), [(None, False), ("", False), (ID, True)])
def test_a_caller_is_of_one_tenant_or_of_the_platform(tenant_id: str | None, platform: bool) -> None:
    with pytest.raises(ValueError, match="either for one tenant or for the platform"):
        Caller("key:1", tenant_id, platform, scopes=frozenset(), request_id="r")


def test_a_hundred_thousand_wrong_keys_are_refused_and_few_are_looked_up() -> None:
    """Most are random; the others differ from a good key in one character."""
    good = new_key_text()
    key = replace(stored(good), platform=True)
    store, made = CountingKeys(key), Random(6)
    ring = KeyRing(store)
    accepted = 0
    for _ in range(100_000):
        try:
            ring.recognise(wrong(good, made), "r")
        except Unauthenticated:
            continue
        accepted += 1
    assert (accepted, store.asked) == (0, [])
    assert ring.recognise(good, "r").principal == f"key:{key.key_id}"


def wrong(good: str, made: Random) -> str:
    place = made.randrange(len(good))
    other = made.choice([c for c in KEY_CHARACTERS if c != good[place]])
    changed = good[:place] + other + good[place + 1 :]
    random = "tek_" + "".join(made.choices(KEY_CHARACTERS, k=16)) + "_" + "".join(made.choices(KEY_CHARACTERS, k=38))
    return made.choice((changed, random))


def stored(text: str) -> ApiKey:
    return ApiKey(
        key_id=key_id_of(text) or "",
        tenant_id=PLATFORM,
        name="good",
        digest=digest_of(text),
        role=Role.ADMIN,
        created_at=AT,
        expires_at=FAR,
    )


@pytest.mark.parametrize("state", ["unknown", "wrong", "revoked", "expired"])
def test_every_refused_key_costs_the_same_look_ups(state: str) -> None:
    text = new_key_text()
    right = stored(text)
    known = {
        "unknown": None,
        "wrong": replace(right, digest=digest_of("other")),
        "revoked": replace(right, revoked_at=AT),
        "expired": replace(right, expires_at=AT),
    }
    store = CountingKeys(known[state])
    with pytest.raises(Unauthenticated):
        KeyRing(store).recognise(text, "r")
    assert store.asked == [right.key_id]
