"""`Access` by itself, also where another line of defence would hold without it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from api.auth.access import Access
from api.auth.authenticator import Caller
from api.auth.permissions import Requirement, Tenancy
from domain.callers.access import Scope
from domain.callers.tenants import PLATFORM
from domain.errors import Forbidden, MissingScope, NotFound
from tests.api.portal import Portal
from tests.api.test_isolation import Recorded
from tests.stores.samples import new_id

NONE_OF_OURS = ("", "..", "claim#1", PLATFORM, "A" * 16, f"{new_id()} ", new_id().upper(), "é" * 36, "0" * 5000)
SCANS = ("schedules", "executions", "results")
NAMING: dict[str, Callable[[Access, str], object]] = {
    "tenant": Access.tenant,
    "account": Access.account,
    "schedule": Access.schedule,
    "execution": Access.execution,
    "result": Access.result,
    "api_key": Access.api_key,
}


def of_tenant(tenant_id: str) -> Caller:
    return Caller("key:1", tenant_id, platform=False, scopes=frozenset(Scope), request_id="r")


def of_platform() -> Caller:
    return Caller("key:2", None, platform=True, scopes=frozenset(Scope), request_id="r")


def without_stores(caller: Caller) -> Access:
    """Whoever asks for a store fails."""
    return Access(caller, services=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("caller", [of_platform(), of_tenant(new_id())], ids=["platform", "tenant"])
@pytest.mark.parametrize("name", sorted(NAMING))
def test_what_cannot_be_an_id_is_missing_and_no_store_sees_it(name: str, caller: Caller, offline: Portal):
    asked: list[str] = []
    stores: dict[str, Any] = {
        each: Recorded(getattr(offline.services, each), each, asked) for each in ("tenants", "accounts", "api_keys")
    }
    scans: dict[str, Any] = {each: Recorded(getattr(offline.services.scans, each), each, asked) for each in SCANS}
    access = Access(caller, replace(offline.services, **stores, scans=replace(offline.services.scans, **scans)))
    for text in NONE_OF_OURS:
        with pytest.raises(NotFound):
            NAMING[name](access, text)
    assert asked == []


@pytest.mark.parametrize("scope", Scope)
async def test_what_is_the_platforms_is_refused_to_a_tenant_whatever_its_scopes(scope: Scope):
    """A tenant's caller has no scope of the platform; should a route name another one, its tenancy still decides."""
    requirement = Requirement(scope, Tenancy.PLATFORM)
    with pytest.raises(Forbidden):
        await requirement(without_stores(of_tenant(new_id())))
    await requirement(without_stores(of_platform()))


@pytest.mark.parametrize("tenancy", Tenancy)
async def test_a_scope_that_is_missing_is_named(tenancy: Tenancy):
    nobody = Caller("key:3", None, platform=True, scopes=frozenset(), request_id="r")
    with pytest.raises(MissingScope, match="audit:read"):
        await Requirement(Scope.AUDIT_READ, tenancy)(without_stores(nobody))


def test_another_tenant_is_missing_before_any_store_is_asked():
    access = without_stores(of_tenant(new_id()))
    for ask in (access.tenant, access.key_holder):
        for other in (new_id(), PLATFORM):
            with pytest.raises(NotFound):
                ask(other)
