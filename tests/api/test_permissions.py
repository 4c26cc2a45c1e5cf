"""Who may do what: every role against every operation, from what the routes declare."""

import pytest
from fastapi import APIRouter

from api.auth.permissions import Tenancy, declared, needs, new_router
from domain.callers.access import SCOPES, Role, Scope
from tests.api.portal import Portal, add_key
from tests.api.routes import KNOWN, PUBLIC, Call, calls

READING = {Scope.ACCOUNTS_READ, Scope.SCHEDULES_READ}


def test_the_roles_are_these() -> None:
    """Said a second time, so that nobody widens one by accident."""
    onboarding = {Scope.ACCOUNTS_WRITE, Scope.CREDENTIALS_WRITE}
    assert {
        Role.ADMIN: set(Scope),
        Role.OPERATOR: {*READING, *onboarding, Scope.SCHEDULES_WRITE, Scope.SCANS_RUN},
        Role.VIEWER: READING,
        Role.INTEGRATION: {*READING, *onboarding, Scope.SCANS_RUN},
    } == SCOPES


def scope_of(call: Call) -> Scope | None:
    scope = call.operation.get("x-required-scope")
    return Scope(scope) if scope else None


async def test_every_operation_declares_its_scope_and_its_tenancy(offline: Portal) -> None:
    undeclared = {call.path for call in calls(offline.app) if scope_of(call) is None}
    assert undeclared == PUBLIC | KNOWN
    assert {call.operation["x-tenancy"] for call in calls(offline.app) if call.path not in PUBLIC} == set(Tenancy)


async def test_what_only_reads_asks_for_reading_and_nothing_else_does(offline: Portal) -> None:
    reading = {*READING, Scope.AUDIT_READ, Scope.TENANTS_ADMIN, Scope.KEYS_ADMIN}
    for call in calls(offline.app):
        if call.path not in PUBLIC | KNOWN and call.method == "GET":
            assert scope_of(call) in reading, call.path
        elif call.path not in PUBLIC | KNOWN and not call.path.endswith("/preview"):
            assert scope_of(call) not in READING, call.path


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("platform", [True, False], ids=["platform", "tenant"])
async def test_a_role_may_do_what_the_table_says_and_nothing_else(offline: Portal, role: Role, platform: bool) -> None:
    """Refused means 403 with the name of the scope; allowed means any other answer to an empty request."""
    of_tenant = {} if platform else {"tenant_id": offline.rig.tenant_id}
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, role=role, **of_tenant)}"
    cells = 0
    for call in calls(offline.app):
        scope = scope_of(call)
        if scope is None:
            continue
        answer = await offline.http.request(call.method, call.url, content=b"{", headers={"Content-Type": "a/b"})
        may = scope in SCOPES[role] and (platform or scope is not Scope.TENANTS_ADMIN)
        assert (answer.status_code != 403) == may, (role, call.method, call.path, answer.status_code)
        if not may:
            assert answer.json()["detail"]["code"] == "missing_scope"
            assert f"the scope {scope}," in answer.json()["detail"]["message"]
            assert answer.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'
        cells += 1
    assert cells == len(calls(offline.app)) - len(PUBLIC | KNOWN)


@pytest.mark.parametrize("missing", Scope)
async def test_every_scope_but_the_one_is_not_enough(offline: Portal, missing: Scope) -> None:
    scopes = tuple(scope for scope in Scope if scope is not missing)
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, role=None, scopes=scopes)}"
    for call in calls(offline.app):
        if scope_of(call) is missing:
            answer = await offline.http.request(call.method, call.url)
            assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "missing_scope"), call.path


def view() -> None:
    """Nothing."""


def test_a_route_without_a_declaration_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="/open must declare"):
        new_router(tag="test").get("/open")(view)


def test_a_route_with_two_declarations_cannot_be_made() -> None:
    twice = [needs(Scope.ACCOUNTS_READ, Tenancy.NONE), needs(Scope.KEYS_ADMIN, Tenancy.NONE)]
    with pytest.raises(TypeError, match="/both must declare"):
        new_router(tag="test").get("/both", dependencies=twice)(view)
    with pytest.raises(TypeError, match="/both must declare"):
        new_router(tag="test", public=True).get("/both", dependencies=twice[:1])(view)


def test_a_router_that_asks_for_no_declarations_cannot_be_served() -> None:
    plain = APIRouter()
    plain.get("/open")(view)
    with pytest.raises(TypeError, match="asks for declarations"):
        declared(plain)
