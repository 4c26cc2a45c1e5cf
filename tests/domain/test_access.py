"""Scopes and roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.callers.access import CHANGING, PLATFORM_SCOPES, SCOPES, Role, Scope, scopes_held

some_scopes = st.sets(st.sampled_from(Scope))


def test_every_role_has_its_scopes():
    assert set(SCOPES) == set(Role)
    assert SCOPES[Role.ADMIN] == set(Scope)


@pytest.mark.parametrize("role", [*Role, None])
@given(scopes=some_scopes)
def test_nobody_of_a_tenant_has_a_scope_of_the_platform(role: Role | None, scopes: set[Scope]):
    held = scopes_held(role, scopes, platform=False)
    assert not held & PLATFORM_SCOPES
    assert held == scopes_held(role, scopes, platform=True) - PLATFORM_SCOPES


@given(scopes=some_scopes)
def test_without_a_role_the_scopes_are_those_that_are_named(scopes: set[Scope]):
    assert scopes_held(None, scopes, platform=True) == scopes


def test_the_roles_below_the_admin_make_no_keys_and_read_no_audit_trail():
    below = set().union(*(SCOPES[role] for role in Role if role is not Role.ADMIN))
    assert not below & {Scope.KEYS_ADMIN, Scope.AUDIT_READ, Scope.TENANTS_ADMIN}


def test_what_each_role_may_do_is_written_down_twice():
    """Once more than in the code, as the words that are stored and sent: a scope that comes or goes is a decision."""
    may = {role.value: " ".join(sorted(scopes)) for role, scopes in SCOPES.items()}
    assert may == {
        "admin": "accounts:read accounts:write audit:read credentials:write keys:admin scans:run schedules:read "
        "schedules:write tenants:admin",
        "operator": "accounts:read accounts:write credentials:write scans:run schedules:read schedules:write",
        "viewer": "accounts:read schedules:read",
        "integration": "accounts:read accounts:write credentials:write scans:run schedules:read",
    }
    assert sorted(CHANGING) == ["accounts:write", "credentials:write", "scans:run", "schedules:write"]
    assert sorted(PLATFORM_SCOPES) == ["tenants:admin"]


def test_a_role_adds_its_scopes_to_those_that_are_named():
    assert scopes_held(Role.VIEWER, [Scope.SCANS_RUN], platform=False) == SCOPES[Role.VIEWER] | {Scope.SCANS_RUN}
