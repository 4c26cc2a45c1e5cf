"""The OCI permissions that are published, granted by our script, and tried one by one, because OCI has no call that
tells what a user may do. Only validation uses any: no engine for OCI is built in. What an engine of the operator's
needs is added from the settings; of that only what has a probe here can be tried, and the engine tells the rest.

Permissions, and the operations that need them, are those of Oracle's policy reference (docs.oracle.com, "Details for
IAM", "… the Core Services", "… Object Storage", "… Database", "… Audit", "… Events", "… Logging", "… Vault").
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.onboarding.catalogue import Permission

REQUIRED = {"USER_INSPECT": "Tells that the user is active, and which tenancy it is of."}

OPTIONAL = {
    "GROUP_INSPECT": "Lists the groups that the user is in, to warn of one that may change things.",
    "POLICY_READ": "Finds statements that let the user change things, to warn of them.",
}

PERMISSIONS = (
    *(Permission(name, required=True, purpose=purpose) for name, purpose in REQUIRED.items()),
    *(Permission(name, required=False, purpose=purpose) for name, purpose in OPTIONAL.items()),
)


@dataclass(frozen=True)
class Probe:
    """A cheap call that needs one permission. `{tenancy}`, `{namespace}`, `{start}` and `{end}` are filled in."""

    service: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)


LIST = {"compartmentId": "{tenancy}", "limit": "1"}

PROBES = {
    "TENANCY_INSPECT": Probe("identity", "/20160918/tenancies/{tenancy}"),
    "COMPARTMENT_INSPECT": Probe("identity", "/20160918/compartments", LIST),
    "USER_INSPECT": Probe("identity", "/20160918/users", LIST),
    "GROUP_INSPECT": Probe("identity", "/20160918/groups", LIST),
    "POLICY_READ": Probe("identity", "/20160918/policies", LIST),
    "AUTHENTICATION_POLICY_INSPECT": Probe("identity", "/20160918/authenticationPolicies/{tenancy}"),
    "VCN_READ": Probe("core", "/20160918/vcns", LIST),
    "SECURITY_LIST_READ": Probe("core", "/20160918/securityLists", LIST),
    "INSTANCE_READ": Probe("core", "/20160918/instances", LIST),
    "BUCKET_INSPECT": Probe("objectstorage", "/n/{namespace}/b", LIST),
    "DYNAMIC_GROUP_INSPECT": Probe("identity", "/20160918/dynamicGroups", LIST),
    "NETWORK_SECURITY_GROUP_READ": Probe("core", "/20160918/networkSecurityGroups", LIST),
    "VOLUME_INSPECT": Probe("core", "/20160918/volumes", LIST),
    "LOAD_BALANCER_INSPECT": Probe("core", "/20170115/loadBalancers", LIST),
    "AUTONOMOUS_DATABASE_INSPECT": Probe("database", "/20160918/autonomousDatabases", LIST),
    "DB_SYSTEM_INSPECT": Probe("database", "/20160918/dbSystems", LIST),
    "EVENTRULE_LIST": Probe("events", "/20181201/rules", LIST),
    "LOG_GROUP_INSPECT": Probe("logging", "/20200531/logGroups", LIST),
    "VAULT_INSPECT": Probe("kms", "/20180608/vaults", LIST),
    "AUDIT_EVENT_READ": Probe(
        "audit", "/20190901/auditEvents", {"compartmentId": "{tenancy}", "startTime": "{start}", "endTime": "{end}"}
    ),
}

NAMESPACE = Probe("objectstorage", "/n")
"""The tenancy's name in Object Storage. Every user may ask for it."""


WHOLE = {"compartmentId": "{tenancy}", "limit": "100"}
MEMBERSHIPS = Probe("identity", "/20160918/userGroupMemberships", WHOLE)
GROUPS = Probe("identity", "/20160918/groups", WHOLE)
POLICIES = Probe("identity", "/20160918/policies", WHOLE)
"""What tells whether a user may change something. The published permissions reach for them."""

POWER = re.compile(
    r"allow (?P<who>any-user|any-group|group .+?) to (?:manage [a-z-]+|use all-resources|\{ ?\* ?\}) in "
    r"(?:tenancy|compartment .+)"
)
"""To change something everywhere, or in a whole compartment. `use` changes what is there."""


def administers(statements: Sequence[str], groups: Mapping[str, str]) -> bool:
    """Whether a statement without a condition lets everybody, or one of the groups (names by OCID), change things."""
    subjects = {ocid.lower() for ocid in groups} | {name.lower() for name in groups.values() if name}
    for said in statements:
        found = POWER.fullmatch(" ".join(said.lower().split()))
        if (
            found
            and " where " not in said.lower()
            and (found["who"].startswith("any-") or subjects & _named(found["who"]))
        ):
            return True
    return False


def _named(who: str) -> set[str]:
    """The groups of a statement, without their identity domain: names and OCIDs, which may be in quotation marks."""
    listed = who.removeprefix("group ").split(",")
    return {one.strip().removeprefix("id ").rpartition("/")[2].strip(" '\"") for one in listed}


def statement(group: str, permissions: Sequence[str]) -> str:
    """The policy statement that grants exactly these permissions (docs.oracle.com, "Advanced Policy Features")."""
    return f"Allow group {group} to {{{', '.join(permissions)}}} in tenancy"
