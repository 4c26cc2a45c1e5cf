"""What a role lets its holder do, as Azure RBAC decides it.

Source: "Understand Azure role definitions". Within a role, notActions take away from its own actions only, so another
role can give back what they take. `*` stands for any text, also across slashes, and case does not matter. Data actions
never stand in for actions, and none is asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Grant:
    """The operations of one role that the caller holds."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()

    def allows(self, permission: str) -> bool:
        return _any_fits(self.actions, permission) and not _any_fits(self.not_actions, permission)


def grants_in(page: Mapping[str, Any]) -> Sequence[Grant]:
    """From the answer of `Microsoft.Authorization/permissions`."""
    found = page.get("value")
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    names = ("actions", "notActions")
    return [Grant(*(_texts(entry.get(name)) for name in names)) for entry in entries]


def missing_of(grants: Sequence[Grant], names: Iterable[str]) -> frozenset[str]:
    """Those of the permissions that no grant allows."""
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
