"""Tenants: made, listed, read, changed."""

import pytest

from tests.api.portal import Portal, codes, idempotent

ABSENT = "00000000-0000-4000-8000-000000000000"


async def made(portal: Portal, name: str = "Acme") -> str:
    answer = await portal.http.post("/tenants", json={"tenant_name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["tenant_id"])


async def test_a_tenant_is_made(offline: Portal) -> None:
    answer = await offline.http.post("/tenants", json={"tenant_name": " Acme ", "description": "EU customer"})
    body = answer.json()
    assert answer.status_code == 201
    assert (body["tenant_name"], body["description"], body["status"]) == ("Acme", "EU customer", "active")
    assert (await offline.http.get(f"/tenants/{body['tenant_id']}")).json() == body


async def test_who_made_a_tenant_is_on_record(offline: Portal) -> None:
    answer = await offline.http.post("/tenants", json={"tenant_name": "Acme"}, headers={"X-Request-Id": "my-1"})
    event = offline.rig.stores.ledger.of(answer.json()["tenant_id"])[0]
    assert (event.action, event.request_id, event.actor[:4]) == ("tenant.created", "my-1", "key:")


@pytest.mark.parametrize("name", ["Acme", "ACME", " acme "])
async def test_a_name_is_taken_once(offline: Portal, name: str) -> None:
    await made(offline, "Acme")
    answer = await offline.http.post("/tenants", json={"tenant_name": name})
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing"),
        ({"tenant_name": None}, "wrong_type"),
        ({"tenant_name": 7}, "wrong_type"),
        ({"tenant_name": ""}, "too_short"),
        ({"tenant_name": "a" * 129}, "too_long"),
        ({"tenant_name": "a\u202eb"}, "bad_characters"),
        ({"tenant_name": "Acme", "status": "active"}, "unknown_field"),
    ],
)
async def test_a_tenant_needs_a_readable_name(offline: Portal, body: object, code: str) -> None:
    answer = await offline.http.post("/tenants", json=body)
    assert (answer.status_code, codes(answer)) == (422, [code])


async def test_a_repeat_with_the_same_key_makes_one_tenant(offline: Portal) -> None:
    body, headers = {"tenant_name": "Acme"}, idempotent("key-1")
    first = await offline.http.post("/tenants", json=body, headers=headers)
    second = await offline.http.post("/tenants", json=body, headers=headers)
    assert (second.status_code, second.content) == (201, first.content)


async def test_tenants_are_listed_by_pages(offline: Portal) -> None:
    ids = {offline.rig.tenant_id, *[await made(offline, f"Tenant {number}") for number in range(4)]}
    seen, cursor = [], ""
    while cursor is not None:
        page = (await offline.http.get("/tenants", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [tenant["tenant_id"] for tenant in page["tenants"]]
        cursor = page["next_cursor"]
    assert (len(seen), set(seen)) == (5, ids)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=1e2", "cursor=x", "cursor=" + "a" * 3000])
async def test_a_bad_query_is_refused(offline: Portal, query: str) -> None:
    answer = await offline.http.get(f"/tenants?{query}")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "invalid_input")


async def test_a_tenant_is_changed_field_by_field(offline: Portal) -> None:
    tenant_id = await made(offline)
    await offline.http.patch(f"/tenants/{tenant_id}", json={"description": "EU"})
    answer = await offline.http.patch(f"/tenants/{tenant_id}", json={"status": "disabled"})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["tenant_name"], body["description"], body["status"]) == ("Acme", "EU", "disabled")


async def test_a_tenant_cannot_take_anothers_name(offline: Portal) -> None:
    await made(offline, "Acme")
    answer = await offline.http.patch(f"/tenants/{await made(offline, 'Other')}", json={"tenant_name": "acme"})
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "gone"}, "unknown_value"),
        ({"tenant_id": ABSENT}, "unknown_field"),
        ({"description": 1}, "wrong_type"),
    ],
)
async def test_a_change_must_make_sense(offline: Portal, changes: object, code: str) -> None:
    answer = await offline.http.patch(f"/tenants/{offline.rig.tenant_id}", json=changes)
    assert (answer.status_code, codes(answer)) == (422, [code])


@pytest.mark.parametrize("tenant_id", [ABSENT, "x", "%00", "a" * 5000])
async def test_there_is_no_absent_tenant(offline: Portal, tenant_id: str) -> None:
    assert (await offline.http.get(f"/tenants/{tenant_id}")).status_code == 404
    assert (await offline.http.patch(f"/tenants/{tenant_id}", json={})).status_code == 404
