"""What a caller is told about itself."""

from domain.callers.access import SCOPES, Role, Scope
from domain.callers.api_keys import key_id_of
from domain.callers.tenants import TenantStatus
from tests.api.portal import FAR, Portal, add_key


async def me(portal: Portal, text: str) -> dict[str, object]:
    answer = await portal.http.get("/me", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_a_tenants_key_learns_its_tenant_its_role_its_scopes_and_its_end(offline: Portal) -> None:
    """So a portal can show what its user may do, and that the key ends soon."""
    text = add_key(offline.rig, tenant_id=offline.rig.tenant_id, role=Role.OPERATOR)
    assert await me(offline, text) == {
        "kind": "api_key",
        "tenant_id": offline.rig.tenant_id,
        "role": "operator",
        "scopes": sorted(SCOPES[Role.OPERATOR]),
        "key_id": key_id_of(text),
        "expires_at": FAR,
    }


async def test_a_key_with_a_single_scope_may_ask_too(offline: Portal) -> None:
    text = add_key(offline.rig, tenant_id=offline.rig.tenant_id, role=None, scopes=(Scope.AUDIT_READ,))
    found = await me(offline, text)
    assert (found["role"], found["scopes"]) == (None, ["audit:read"])


async def test_the_platforms_key_has_no_tenant(offline: Portal) -> None:
    found = await me(offline, add_key(offline.rig))
    assert (found["tenant_id"], found["role"]) == (None, "admin")
    assert "tenants:admin" in str(found["scopes"])


async def test_a_tenants_administrator_is_not_shown_a_scope_of_the_platform(offline: Portal) -> None:
    found = await me(offline, add_key(offline.rig, tenant_id=offline.rig.tenant_id))
    assert "tenants:admin" not in str(found["scopes"])


async def test_a_key_of_a_disabled_tenant_is_told_as_well(offline: Portal) -> None:
    text = add_key(offline.rig, tenant_id=offline.rig.tenant_id)
    changed = await offline.http.patch(f"/tenants/{offline.rig.tenant_id}", json={"status": TenantStatus.DISABLED})
    assert changed.status_code == 200
    assert (await me(offline, text))["tenant_id"] == offline.rig.tenant_id


async def test_who_has_no_key_is_nobody(offline: Portal) -> None:
    del offline.http.headers["Authorization"]
    assert (await offline.http.get("/me")).status_code == 401
