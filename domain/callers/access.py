"""Who may do what: scopes, and the roles that bundle them.

A caller acts for one tenant, or for the platform and so for every tenant. That it acts for the platform is said of it,
and never follows from the tenant that it lacks.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Scope(StrEnum):
    """One permission. Every route asks for one."""

    TENANTS_ADMIN = "tenants:admin"
    """Make, list and change tenants. The platform's callers only."""
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    """Start and end onboardings."""
    CREDENTIALS_WRITE = "credentials:write"
    """Hand in a credential of a cloud account."""
    SCHEDULES_READ = "schedules:read"
    """Schedules, runs and what they found."""
    SCHEDULES_WRITE = "schedules:write"
    SCANS_RUN = "scans:run"
    """Start and stop a scan."""
    AUDIT_READ = "audit:read"
    KEYS_ADMIN = "keys:admin"
    """Make, list and revoke API keys, within what one may do oneself."""


class Role(StrEnum):
    """A bundle of scopes with a name."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    INTEGRATION = "integration"


PLATFORM_SCOPES = frozenset({Scope.TENANTS_ADMIN})
"""Nobody who acts for a single tenant has these."""

CHANGING = frozenset({Scope.ACCOUNTS_WRITE, Scope.CREDENTIALS_WRITE, Scope.SCHEDULES_WRITE, Scope.SCANS_RUN})
"""What they allow is refused to the callers of a disabled tenant."""

_READING = frozenset({Scope.ACCOUNTS_READ, Scope.SCHEDULES_READ})
_ONBOARDING = frozenset({Scope.ACCOUNTS_WRITE, Scope.CREDENTIALS_WRITE})

SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.ADMIN: frozenset(Scope),
    Role.OPERATOR: _READING | _ONBOARDING | {Scope.SCHEDULES_WRITE, Scope.SCANS_RUN},
    Role.VIEWER: _READING,
    Role.INTEGRATION: _READING | _ONBOARDING | {Scope.SCANS_RUN},
}


def scopes_held(role: Role | None, scopes: Iterable[Scope], *, platform: bool) -> frozenset[Scope]:
    """What a caller with this role, or with these scopes, may do."""
    named = frozenset(scopes) | (SCOPES[role] if role else frozenset())
    return named if platform else named - PLATFORM_SCOPES
