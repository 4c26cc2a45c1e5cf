"""What a role lets its holder do, as Azure RBAC decides it.

Source: "Understand Azure role definitions". Within a role, notActions take away from its own actions only, so another
role can give back what they take. `*` stands for any text, also across slashes, and case does not matter. Actions and
data actions never stand in for each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers.azure_description import DATA, PERMISSIONS


@dataclass(frozen=True)
class Grant:
    """The operations of one role that the caller holds."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, permission: str) -> bool:
        allowed, excepted = self.actions, self.not_actions
        if permission in DATA:
            allowed, excepted = self.data_actions, self.not_data_actions
        return _any_fits(allowed, permission) and not _any_fits(excepted, permission)


def grants_in(page: Mapping[str, Any]) -> Sequence[Grant]:
    """From the answer of `Microsoft.Authorization/permissions`."""
    found = page.get("value")
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    names = ("actions", "notActions", "dataActions", "notDataActions")
    return [Grant(*(_texts(entry.get(name)) for name in names)) for entry in entries]


def missing_of(grants: Sequence[Grant]) -> frozenset[str]:
    """Those of the published permissions that no grant allows."""
    names = (permission.name for permission in PERMISSIONS)
    return frozenset(name for name in names if not any(grant.allows(name) for grant in grants))


def _texts(found: object) -> tuple[str, ...]:
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list) else ()


def _any_fits(patterns: Sequence[str], permission: str) -> bool:
    return any(fits(pattern, permission) for pattern in patterns)


def fits(pattern: str, permission: str) -> bool:
    """Whether a pattern with `*` covers a permission. In linear time, for whoever may have written the pattern."""
    name = permission.lower()
    first, *others = pattern.lower().split("*")
    if not others:
        return first == name
    *middle, last = others
    if not name.startswith(first):
        return False
    position = len(first)
    for part in middle:
        found = name.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return len(name) - len(last) >= position and name.endswith(last)
