"""API keys over HTTP: made, shown once, listed, revoked, and never more than their maker."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.callers.access import SCOPES, Role, Scope
from domain.callers.tenants import PLATFORM
from domain.timestamps import parse
from tests.api.portal import Portal, add_key, codes, idempotent, open_portal
from tests.api.test_idempotency import Forgetful
from tests.rig import eventually

ABSENT = "00000000-0000-4000-8000-000000000000"


def body_of(portal: Portal, **changes: Any) -> dict[str, Any]:
    body = {"tenant_id": portal.rig.tenant_id, "name": "Portal", "role": "operator", **changes}
    return {name: value for name, value in body.items() if value is not None}


async def create(portal: Portal, key: str | None = None, **changes: Any) -> httpx.Response:
    return await portal.http.post("/api-keys", json=body_of(portal, **changes), headers=idempotent(key))


async def made(portal: Portal, **changes: Any) -> dict[str, Any]:
    answer = await create(portal, **changes)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def act_with(portal: Portal, text: str) -> None:
    portal.http.headers["Authorization"] = f"Bearer {text}"


async def test_a_key_is_made_and_works(offline: Portal) -> None:
    key = await made(offline)
    assert key["api_key"].startswith(f"{key['prefix']}_")
    assert key["prefix"] == f"tek_{key['key_id']}"
    act_with(offline, key["api_key"])
    assert (await offline.http.get(f"/tenants/{offline.rig.tenant_id}")).status_code == 200
    assert (await offline.http.get("/tenants")).status_code == 403


@pytest.mark.parametrize(("asked", "days"), [(None, 365), (1, 1), (3650, 3650)])
async def test_a_key_is_valid_for_as_long_as_was_asked(offline: Portal, asked: int | None, days: int) -> None:
    key = await made(offline, expires_in_days=asked)
    left = parse(key["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=days) - timedelta(minutes=1) < left <= timedelta(days=days)


async def test_a_key_is_on_record_with_what_it_may_do_and_without_itself(offline: Portal) -> None:
    key = await made(offline, role=None, scopes=["scans:run", "accounts:read"])
    event = offline.rig.stores.ledger.of(offline.rig.tenant_id)[-1]
    assert (event.action, event.target) == ("api_key.created", f"api_key:{key['key_id']}")
    assert event.details == {"scopes": "accounts:read scans:run"}
    assert key["api_key"].rpartition("_")[2] not in str(event)


async def test_a_repeat_makes_no_second_key_and_does_not_show_the_first_again(offline: Portal) -> None:
    first, second = await create(offline, "key-1"), await create(offline, "key-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == {**first.json(), "api_key": None}
    assert len(await listed(offline)) == 1


async def test_a_repeat_after_a_crash_does_not_show_a_key_that_opens_nothing(offline: Portal) -> None:
    portal = open_portal(offline.rig, offline.rig.client, idempotency=Forgetful())
    first, second = await create(portal, "key-1"), await create(portal, "key-1")
    assert first.json()["api_key"]
    assert second.json() == {**first.json(), "api_key": None}


async def test_of_ten_at_once_one_shows_the_key(offline: Portal) -> None:
    answers = await asyncio.gather(*[create(offline, "key-1") for _ in range(10)])
    shown = [answer.json()["api_key"] for answer in answers if answer.json()["api_key"]]
    assert len(shown) == 1
    act_with(offline, shown[0])
    assert (await offline.http.get(f"/tenants/{offline.rig.tenant_id}")).status_code == 200


async def test_the_key_is_not_in_the_record_of_the_request(offline: Portal) -> None:
    key = (await create(offline, "key-1")).json()["api_key"]
    kept = str(vars(offline.rig.stores.idempotency))
    assert key.rpartition("_")[0] + "_" not in kept
    assert key.rpartition("_")[2] not in kept


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"role": None}, "missing", "/role"),
        ({"scopes": ["scans:run"]}, "contradiction", "/scopes"),
        ({"role": None, "scopes": ["tenants:admin"]}, "contradiction", "/scopes"),
    ],
    ids=["neither", "both", "of the platform only"],
)
async def test_what_a_key_may_do_is_said_in_one_way(
    offline: Portal, changes: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await create(offline, **changes)
    [problem] = answer.json()["detail"]["problems"]
    assert (answer.status_code, problem["code"], problem["pointer"]) == (400, code, pointer)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": "administrator"}, "unknown_value"),
        ({"role": None, "scopes": []}, "too_short"),
        ({"role": None, "scopes": ["accounts:*"]}, "unknown_value"),
        ({"role": None, "scopes": "accounts:read"}, "invalid"),
        ({"expires_in_days": 0}, "invalid"),
        ({"expires_in_days": 3651}, "invalid"),
        ({"expires_in_days": "7"}, "invalid"),
        ({"name": ""}, "too_short"),
        ({"platform": True}, "unknown_field"),
    ],
)
async def test_a_malformed_body_is_refused(offline: Portal, changes: dict[str, Any], code: str) -> None:
    answer = await create(offline, **changes)
    assert (answer.status_code, codes(answer)) == (422, [code])


@pytest.mark.parametrize("tenant_id", [ABSENT, "nope", "", "PLATFORM", "platform"])
async def test_a_tenants_key_makes_keys_for_its_own_tenant_only(offline: Portal, tenant_id: str) -> None:
    act_with(offline, add_key(offline.rig, tenant_id=offline.rig.tenant_id))
    answer = await create(offline, tenant_id=tenant_id)
    expected = 422 if tenant_id == "" else 404
    assert answer.status_code == expected
    assert (await offline.http.get("/api-keys", params={"tenant_id": tenant_id})).status_code == 404


@pytest.mark.parametrize("role", Role)
async def test_a_key_grants_no_more_than_its_maker_has(offline: Portal, role: Role) -> None:
    """The maker may do what an operator may, and make keys."""
    scopes = (*SCOPES[Role.OPERATOR], Scope.KEYS_ADMIN)
    act_with(offline, add_key(offline.rig, tenant_id=offline.rig.tenant_id, role=None, scopes=scopes))
    answer = await create(offline, role=role)
    assert answer.status_code == (403 if role is Role.ADMIN else 201)
    if role is Role.ADMIN:
        assert "audit:read" in answer.json()["detail"]["message"]
    for scope in set(Scope) - {Scope.TENANTS_ADMIN}:
        answer = await create(offline, role=None, scopes=[scope])
        assert answer.status_code == (201 if scope in scopes else 403), scope


async def test_an_admin_of_a_tenant_can_make_every_role_there(offline: Portal) -> None:
    act_with(offline, add_key(offline.rig, tenant_id=offline.rig.tenant_id))
    for role in Role:
        assert (await create(offline, role=role)).status_code == 201


async def test_the_platform_makes_keys_of_the_platform_by_saying_so(offline: Portal) -> None:
    key = await made(offline, tenant_id=PLATFORM, role="viewer")
    act_with(offline, key["api_key"])
    assert (await offline.http.get(f"/tenants/{offline.rig.tenant_id}")).status_code == 200
    assert (await offline.http.get("/tenants")).status_code == 403


async def listed(portal: Portal, **query: Any) -> list[dict[str, Any]]:
    answer = await portal.http.get("/api-keys", params={"tenant_id": portal.rig.tenant_id, **query})
    assert answer.status_code == 200, answer.text
    keys: list[dict[str, Any]] = answer.json()["api_keys"]
    return keys


async def test_a_list_shows_everything_but_the_key(offline: Portal) -> None:
    key = await made(offline)
    [shown] = await listed(offline)
    assert shown["scopes"] == sorted(SCOPES[Role.OPERATOR])
    assert {name: shown[name] for name in ("key_id", "prefix", "role", "revoked_at", "last_used_at")} == {
        "key_id": key["key_id"],
        "prefix": key["prefix"],
        "role": "operator",
        "revoked_at": None,
        "last_used_at": None,
    }
    answer = await offline.http.get("/api-keys", params={"tenant_id": offline.rig.tenant_id})
    assert key["api_key"].rpartition("_")[2] not in answer.text
    assert "digest" not in answer.text


async def test_a_list_goes_on_page_by_page(offline: Portal) -> None:
    expected = {(await made(offline))["key_id"] for _ in range(3)}
    query: dict[str, Any] = {"tenant_id": offline.rig.tenant_id, "limit": 2}
    first = (await offline.http.get("/api-keys", params=query)).json()
    rest = (await offline.http.get("/api-keys", params={**query, "cursor": first["next_cursor"]})).json()
    assert {key["key_id"] for key in first["api_keys"] + rest["api_keys"]} == expected
    assert rest["next_cursor"] is None


async def test_a_revoked_key_is_refused_by_another_process_at_once_and_everywhere_in_five_seconds(
    offline: Portal,
) -> None:
    key = await made(offline)
    answer = await offline.http.delete(f"/api-keys/{key['key_id']}")
    assert answer.json() == {"status": "revoked", "key_id": key["key_id"], "revoked_at": answer.json()["revoked_at"]}
    act_with(offline, key["api_key"])
    assert (await offline.http.get(f"/tenants/{offline.rig.tenant_id}")).status_code == 401
    event = offline.rig.stores.ledger.of(offline.rig.tenant_id)[-1]
    assert (event.action, event.target) == ("api_key.revoked", f"api_key:{key['key_id']}")


async def test_revoking_again_changes_nothing(offline: Portal) -> None:
    key = await made(offline)
    first, second = [await offline.http.delete(f"/api-keys/{key['key_id']}") for _ in range(2)]
    assert (second.status_code, second.json()) == (200, first.json())
    actions = [event.action for event in offline.rig.stores.ledger.of(offline.rig.tenant_id)]
    assert actions.count("api_key.revoked") == 1


async def test_another_tenants_key_and_a_missing_one_are_not_found_alike(offline: Portal) -> None:
    foreign = await made(offline)
    other = (await offline.http.post("/tenants", json={"tenant_name": "Other"})).json()["tenant_id"]
    act_with(offline, add_key(offline.rig, tenant_id=other))
    answers = [
        await offline.http.delete(f"/api-keys/{key_id}") for key_id in (foreign["key_id"], "0" * 16, "nope", "A" * 16)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_a_use_is_noted_once_an_hour_and_no_request_waits(offline: Portal) -> None:
    key = await made(offline)
    admin = offline.http.headers["Authorization"]
    act_with(offline, key["api_key"])
    for _ in range(3):
        await offline.http.get(f"/tenants/{offline.rig.tenant_id}")
    offline.http.headers["Authorization"] = admin

    async def noted() -> bool:
        return (await listed(offline))[0]["last_used_at"] is not None

    await eventually(noted)
