"""Who may revoke which key, and that somebody can always make keys."""

from domain.callers.access import Role, Scope
from domain.callers.api_keys import key_id_of
from tests.api.portal import Portal, add_key


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def revoke(portal: Portal, key: str, *, by: str) -> tuple[int, str | None]:
    answer = await portal.http.delete(f"/api-keys/{key_id_of(key)}", headers=bearer(by))
    return answer.status_code, None if answer.is_success else answer.json()["detail"]["code"]


async def test_who_may_only_administer_keys_revokes_no_key_that_may_do_more(offline: Portal):
    tenant_id = offline.rig.tenant_id
    narrow = add_key(offline.rig, tenant_id=tenant_id, role=None, scopes=(Scope.KEYS_ADMIN,))
    admin = add_key(offline.rig, tenant_id=tenant_id, role=Role.ADMIN)
    alike = add_key(offline.rig, tenant_id=tenant_id, role=None, scopes=(Scope.KEYS_ADMIN,))
    assert await revoke(offline, admin, by=narrow) == (403, "missing_scope")
    assert offline.rig.stores.api_keys.find(key_id_of(admin) or "").revoked_at is None  # type: ignore[union-attr]
    assert await revoke(offline, alike, by=narrow) == (200, None)
    assert await revoke(offline, narrow, by=admin) == (200, None)


async def test_a_key_may_revoke_itself(offline: Portal):
    own = add_key(offline.rig, tenant_id=offline.rig.tenant_id, role=Role.ADMIN)
    assert await revoke(offline, own, by=own) == (200, None)


async def test_the_last_key_that_administers_the_platform_stays(offline: Portal):
    """An expired one and one that may not make keys do not count."""
    last = offline.http.headers["Authorization"].removeprefix("Bearer ")
    expired = add_key(offline.rig, expires_at="2026-01-01T00:00:00.000Z")
    viewer = add_key(offline.rig, role=Role.VIEWER)
    assert await revoke(offline, last, by=last) == (409, "conflict")
    assert [await revoke(offline, key, by=last) for key in (expired, viewer)] == [(200, None)] * 2
    another = add_key(offline.rig)
    assert await revoke(offline, last, by=another) == (200, None)
    assert await revoke(offline, another, by=another) == (409, "conflict")
