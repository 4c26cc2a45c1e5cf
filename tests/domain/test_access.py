"""Scopes and roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import PLATFORM_SCOPES, SCOPES, Role, Scope, scopes_held

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
