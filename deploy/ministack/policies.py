"""The policies of the roles as MiniStack can judge them: word for word, but for the rows of ADJUSTMENTS.

A statement about what another service of AWS asks for us (`kms:ViaService`) stays as it is. No service of MiniStack
asks KMS, so it allows nothing there, as it allows no direct call in AWS.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from commands.policies.place import Place, Policy, Statement
from commands.policies.roles import role_policy
from config import GivenSettings


@dataclass(frozen=True)
class Adjustment:
    """One kind of difference, and what MiniStack does otherwise than AWS. A statement that it does not concern comes
    back unchanged."""

    difference: str
    reason: str
    of: Callable[[Statement], Statement]


def published(process: str, account: str, region: str) -> Policy:
    """What the role of a process is given in AWS, in a deployment that leaves the settings as they are."""
    settings = GivenSettings.model_validate({"platform_aws_account_id": account, "aws_region": region})
    return role_policy(process, Place(settings))


def as_ministack_judges(process: str, account: str, region: str) -> str:
    """The text of the policy that the role of a process gets there."""
    return json.dumps(adjusted(published(process, account, region)))


def adjusted(policy: Policy, adjustments: Sequence[Adjustment] | None = None) -> Policy:
    """By all of ADJUSTMENTS unless told otherwise."""
    rows = ADJUSTMENTS if adjustments is None else adjustments
    return {**policy, "Statement": [_adjusted(statement, rows) for statement in policy["Statement"]]}


def _adjusted(statement: Statement, adjustments: Sequence[Adjustment]) -> Statement:
    if "kms:ViaService" in _conditions(statement):
        return statement
    return reduce(lambda before, adjustment: adjustment.of(before), adjustments, statement)


def _keys_by_alias(statement: Statement) -> Statement:
    resources = _listed(statement["Resource"])
    names = _listed(_conditions(statement).get("kms:ResourceAliases", "alias/*"))
    keys = [resource for resource in resources if resource.endswith(":key/*")]
    aliases = [key.replace("key/*", name) for key in keys for name in names]
    return {**statement, "Resource": [*resources, *aliases]} if aliases else statement


def _no_conditions_of_kms(statement: Statement) -> Statement:
    known = {
        operator: {key: values for key, values in wanted.items() if not key.startswith("kms:")}
        for operator, wanted in statement.get("Condition", {}).items()
    }
    rest = {name: value for name, value in statement.items() if name != "Condition"}
    condition = {operator: wanted for operator, wanted in known.items() if wanted}
    return {**rest, "Condition": condition} if condition else rest


def _new_aliases_anywhere(statement: Statement) -> Statement:
    return {**statement, "Resource": "*"} if _listed(statement["Action"]) == ["kms:CreateAlias"] else statement


def _conditions(statement: Statement) -> dict[str, str | list[str]]:
    return {key: values for wanted in statement.get("Condition", {}).values() for key, values in wanted.items()}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


ADJUSTMENTS = (
    Adjustment(
        "An alias stands beside `key/*`: the one in `kms:ResourceAliases`, or any where the key may be any",
        "It judges a request that names an alias by the alias; AWS looks at the key behind it",
        _keys_by_alias,
    ),
    Adjustment(
        "Conditions on keys that begin with `kms:` are left out",
        "It fills in none of them, and so would refuse what is right",
        _no_conditions_of_kms,
    ),
    Adjustment(
        "`kms:CreateAlias` is for any resource",
        "It does not see in the request which alias and which key are meant",
        _new_aliases_anywhere,
    ),
)
"""In the order in which they are made. docs/AWS_ARCHITECTURE.md lists them."""
