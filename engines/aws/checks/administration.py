"""The check of who may do everything: users, groups and roles, by policies of whatever kind.

One call tells of all of them with the documents of their policies, where asking one by one would take thousands.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader, Unreadable
from engines.checks import Judgement, Verdict, by_resource, cis_check, fsbp

INLINE = ("UserPolicyList", "GroupPolicyList", "RolePolicyList")
SERVICE_LINKED = "/aws-service-role/"
"""The path of roles that belong to a service of AWS; nobody can change them."""
ADMINISTRATOR_ACCESS = re.compile(r"arn:[a-z-]+:iam::aws:policy/AdministratorAccess")
OF_AWS = re.compile(r"arn:[a-z-]+:iam::aws:policy/.+")
EVERY_ACTION = re.compile(r"\*+(:\*+)?")
NAMED = 3
"""So many policies are named in a message."""


def full_administration(aws: AwsReader, region: str) -> Iterator[Judgement]:
    principals, policies, failure = list[Any](), dict[str, Any](), None
    try:
        for each in aws.items("iam:GetAccountAuthorizationDetails", region):
            if "PolicyVersionList" in each:
                policies[each.get("Arn", "")] = each
            elif not each.get("Path", "/").startswith(SERVICE_LINKED):
                principals.append(each)
    except Unreadable as unread:
        # Those that were read are judged all the same.
        failure = unread
    good = "No policy of the user, group or role allows everything."
    yield from by_resource(aws, principals, itemgetter("Arn"), partial(_limited, policies), good=good)
    if failure:
        raise failure


def _limited(policies: Mapping[str, Any], principal: Mapping[str, Any]) -> Verdict:
    inline = [policy for name in INLINE for policy in principal.get(name, [])]
    names = [policy["PolicyName"] for policy in inline if _allows_everything(policy["PolicyDocument"])]
    names += [
        policy["PolicyName"]
        for policy in principal.get("AttachedManagedPolicies", [])
        if _managed_allows_everything(policies, policy["PolicyArn"])
    ]
    if not names:
        return True
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"Allowed to do everything by: {', '.join(names[:NAMED])}{more}."


def _managed_allows_everything(policies: Mapping[str, Any], arn: str) -> bool:
    """Of AWS's own policies one allows everything. Another policy that AWS tells nothing about raises LookupError."""
    if OF_AWS.fullmatch(arn):
        return bool(ADMINISTRATOR_ACCESS.fullmatch(arn))
    (document,) = (v["Document"] for v in policies[arn]["PolicyVersionList"] if v["IsDefaultVersion"])
    return _allows_everything(document)


def _allows_everything(document: Any) -> bool:
    """Conditions do not count, as in the benchmark: whoever meets them may do everything."""
    statements = document["Statement"]
    return any(map(_grants_everything, statements if isinstance(statements, list) else [statements]))


def _grants_everything(statement: Any) -> bool:
    actions, resources = _texts(statement.get("Action", [])), _texts(statement.get("Resource", []))
    everything = any(EVERY_ACTION.fullmatch(action) for action in actions)
    return statement["Effect"] == "Allow" and everything and "*" in resources


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


CHECKS = (
    cis_check(
        "1.16",
        "No user, group or role is allowed to do everything",
        service="iam",
        severity=Severity.HIGH,
        remedy="Replace the policy named by one that allows what is needed; keep full administration for emergencies.",
        judge=full_administration,
        regional=False,
        also=(fsbp("IAM.1"),),
    ),
)
