"""What IBM Cloud's access policies let their holder see.

Source: the API reference of IAM Policy Management, and `ibm_platform_services`, which describes the attributes: a
policy is for one service (`serviceName`), for a group of services (`service_group_id`), or for all of a type
(`serviceType`), and every other attribute narrows it to a part of the account.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers.rest import text

VIEWING = frozenset({"Viewer", "Operator", "Editor", "Administrator"})
"""The platform roles, each of which may do what those before it may."""
CHANGING = frozenset({"Administrator", "Editor", "Manager", "Writer"})
"""Of a platform and of a service."""
ROLE_ID = re.compile(r"crn:v1:[a-z]+:public:iam::::(?:role|serviceRole):([A-Za-z]+)")
ONE_THING = frozenset({"serviceInstance", "resource"})
"""Attributes that narrow a policy to a single thing."""

RESOURCE_GROUPS = "resource-group"
IAM_GROUP = frozenset({"iam-access-management", "iam-identity", "iam-groups", "user-management"})
ACCOUNT_SERVICES = IAM_GROUP | {"context-based-restrictions"}
"""The account management services; the others are what IBM calls IAM-enabled services."""


@dataclass(frozen=True)
class Policy:
    """An access policy: role names, and the attributes that say what it is for."""

    roles: frozenset[str]
    attributes: Mapping[str, str]

    def shows(self, service: str) -> bool:
        """Whether it lets its holder view the whole of a service."""
        return bool(self.roles & VIEWING) and self._covers(service)

    @property
    def administers(self) -> bool:
        """Whether it lets its holder change what is in a service or in a part of the account, or who may do so."""
        return bool(self.roles & CHANGING) and not ONE_THING.intersection(self.attributes)

    def _covers(self, service: str) -> bool:
        match sorted(self.attributes.items()):
            case [("serviceName", name)]:
                return name == service
            case [("serviceType", "platform_service")]:
                return service in ACCOUNT_SERVICES
            case [("service_group_id", "IAM")]:
                return service in IAM_GROUP
            case [("resourceType", kind)]:
                return kind == service == RESOURCE_GROUPS
            case [] | [("serviceType", "service")]:
                return service not in ACCOUNT_SERVICES and service != RESOURCE_GROUPS
        return False


def policies_in(page: Mapping[str, Any], account_id: str) -> Sequence[Policy]:
    """From the answer of `/v1/policies`: the active policies about this account. What is not in IBM's form counts for
    nothing."""
    return [
        Policy(_roles(entry), attributes)
        for entry in _entries(page.get("policies"))
        if entry.get("type") == "access" and entry.get("state", "active") == "active"
        for attributes in [_attributes(entry, account_id)]
        if attributes is not None
    ]


def missing_of(policies: Iterable[Policy], names: Iterable[str]) -> frozenset[str]:
    """Those of the permissions that no policy grants."""
    held = list(policies)
    services = {name: name.split(":")[0] for name in names}
    return frozenset(name for name in services if not any(policy.shows(services[name]) for policy in held))


def _roles(entry: Mapping[str, Any]) -> frozenset[str]:
    ids = [text(role, "role_id") for role in _entries(entry.get("roles"))]
    return frozenset(found.group(1) for role_id in ids if (found := ROLE_ID.fullmatch(role_id)))


def _attributes(entry: Mapping[str, Any], account_id: str) -> Mapping[str, str] | None:
    """Without `accountId`; None for another account's policy, and for one that access tags narrow."""
    resources = _entries(entry.get("resources"))
    if len(resources) != 1 or resources[0].get("tags"):
        return None
    attributes = _entries(resources[0].get("attributes"))
    found = {text(attribute, "name"): text(attribute, "value") for attribute in attributes}
    if any(attribute.get("operator", "stringEquals") != "stringEquals" for attribute in attributes):
        return None
    return found if found.pop("accountId", None) == account_id else None


def _entries(found: object) -> list[Mapping[str, Any]]:
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
