"""A disabled tenant: its callers read and revoke keys, and change nothing; nobody makes anything for it."""

from typing import Any

import httpx
import pytest

from api.auth.permissions import Tenancy
from domain.callers.access import CHANGING, Scope
from domain.edge_errors import TenantDisabled
from tests.api.portal import Portal, add_key
from tests.api.routes import Call
from tests.api.test_isolation import furnished, with_tenancy

MAKING = {"start_onboarding", "create_schedule", "create_api_key"}
"""What is refused, whoever asks for it."""


async def disabled(portal: Portal, status: str = "disabled", **names: str) -> dict[str, str]:
    """The ids of everything of a tenant that is now disabled."""
    names = names or furnished(portal)
    answer = await portal.http.patch(f"/tenants/{names['tenant_id']}", json={"status": status})
    assert answer.status_code == 200
    return names


def acting_for(portal: Portal, names: dict[str, str]) -> Portal:
    portal.http.headers["Authorization"] = f"Bearer {add_key(portal.rig, tenant_id=names['tenant_id'])}"
    return portal


async def asked(portal: Portal, call: Call, names: dict[str, str]) -> httpx.Response:
    path = call.path.format_map({"provider": "aws", **names})
    query = {name: names[name] for name in call.query if name in names}
    body: Any = None
    if call.method in ("POST", "PUT", "PATCH"):
        body = {name: names.get(name, value) for name, value in call.example.items()}
    return await portal.http.request(call.method, f"http://api.test{path}", params=query, json=body)


def refused(answer: httpx.Response) -> bool:
    detail = answer.json()["detail"] if answer.status_code == 409 else {}
    return bool(detail) and (detail["code"], detail["message"]) == ("tenant_disabled", TenantDisabled.default_message)


def operations(portal: Portal) -> list[Call]:
    return with_tenancy(portal, Tenancy.NAMED, Tenancy.OWNED)


def changes(call: Call) -> bool:
    making_a_key = call.operation["operationId"] == "create_api_key"
    return making_a_key or Scope(call.operation["x-required-scope"]) in CHANGING


async def test_its_callers_read_everything_and_change_nothing(offline: Portal) -> None:
    names = await disabled(offline)
    before = offline.rig.stores.ledger.of(names["tenant_id"])
    acting_for(offline, names)
    for call in operations(offline):
        if call.operation["operationId"] != "revoke_api_key":
            answer = await asked(offline, call, names)
            assert refused(answer) == changes(call), (call.method, call.path, answer.text)
    assert offline.rig.stores.ledger.of(names["tenant_id"]) == before


async def test_every_operation_that_changes_something_is_among_them(offline: Portal) -> None:
    """By its method, which says it a second time. Previews compute; keys are revoked whatever the tenant's state."""
    other = [call for call in operations(offline) if call.method != "GET" and not call.path.endswith("/preview")]
    expected = {(call.method, call.path) for call in other}
    found = {(call.method, call.path) for call in operations(offline) if changes(call)}
    assert expected - found == {("DELETE", "/api/v1/api-keys/{key_id}")}
    assert found <= expected
    assert len(found) >= 10


async def test_its_callers_still_revoke_a_key_that_leaked(offline: Portal) -> None:
    names = await disabled(offline)
    assert (await acting_for(offline, names).http.delete(f"/api-keys/{names['key_id']}")).status_code == 200


async def test_the_platform_makes_nothing_for_it_and_can_change_and_remove(offline: Portal) -> None:
    names = await disabled(offline)
    for call in operations(offline):
        answer = await asked(offline, call, names)
        assert refused(answer) == (call.operation["operationId"] in MAKING), (call.path, answer.text)
    assert (await offline.http.delete(f"/api-keys/{names['key_id']}")).status_code == 200


async def test_keys_of_the_platform_have_no_tenant_that_could_be_disabled(offline: Portal) -> None:
    answer = await offline.http.post("/api-keys", json={"tenant_id": "platform", "name": "Ops", "role": "viewer"})
    assert answer.status_code == 201


async def test_once_it_is_enabled_again_its_callers_go_on(offline: Portal) -> None:
    names = await disabled(offline)
    await disabled(offline, "active", **names)
    body = {"tenant_id": names["tenant_id"], "name": "Portal", "role": "viewer"}
    assert (await acting_for(offline, names).http.post("/api-keys", json=body)).status_code == 201


async def test_another_tenant_is_missing_for_the_callers_of_a_disabled_one_as_for_all(offline: Portal) -> None:
    """What is refused first is one's own: nothing is told of the other."""
    names, other = await disabled(offline), furnished(offline)
    acting_for(offline, names)
    for call in operations(offline):
        answer = await asked(offline, call, other)
        assert answer.status_code == (409 if Scope(call.operation["x-required-scope"]) in CHANGING else 404), call.path


@pytest.mark.parametrize(("days", "status"), [(365, 201), (366, 400), (3650, 400)])
async def test_a_tenants_caller_makes_no_key_of_more_than_a_year(offline: Portal, days: int, status: int) -> None:
    names = furnished(offline)
    body = {"tenant_id": names["tenant_id"], "name": "Portal", "role": "viewer", "expires_in_days": days}
    answer = await acting_for(offline, names).http.post("/api-keys", json=body)
    assert answer.status_code == status
    if status == 400:
        [problem] = answer.json()["detail"]["problems"]
        assert (problem["code"], problem["pointer"]) == ("out_of_range", "/expires_in_days")
        assert problem["message"].endswith("a platform administrator; ask for 365 or fewer.")
        assert len(offline.rig.stores.api_keys.page(names["tenant_id"], limit=10, cursor=None).items) == 2
