"""What the doctor asks IAM of a role: whether it may do what its policy of this release allows, each thing once, and
whether the API could do what is the worker's alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from commands.policies.place import Place, Statement, listed
from commands.policies.roles import role_policy

Context = Mapping[str, str | tuple[str, ...]]
"""Values of condition keys at the moment of the call; a tuple for a key that has several."""

SOME_ID = "00000000-0000-4000-8000-000000000000"
SOME_ACCOUNT = "000000000000"
NOT_THE_APIS = ("kms:Decrypt", "kms:Sign", "secretsmanager:GetSecretValue")
"""Of what the worker may do. Both read results with kms:Decrypt, with a key of their own for that."""


@dataclass(frozen=True)
class Need:
    """Actions on one resource: all allowed, or, when they are forbidden, none."""

    resource: str
    actions: tuple[str, ...]
    context: Context = field(default_factory=dict)
    forbidden: bool = False


def needs(process: str, place: Place, keys: Mapping[str, str]) -> tuple[Need, ...]:
    """`keys` gives the ARN behind what a setting says of a key, for the keys that are there. What hangs on another is
    left out: that the key is missing is told elsewhere."""
    forbidden = _not_the_apis(place, keys) if process == "api" else _not_the_workers(place)
    return (*_allowed(process, place, keys), *forbidden)


def _not_the_workers(place: Place) -> Iterator[Need]:
    """It adds anchors of the audit trail, and takes none away; it writes findings, and reads none."""
    removes = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectRetention", "s3:BypassGovernanceRetention")
    yield Need(f"{place.anchors}/heads/{SOME_ID}", removes, forbidden=True)
    yield Need(f"{place.bucket}/{SOME_ID}/{SOME_ID}/{SOME_ID}.json", ("s3:GetObject",), forbidden=True)


def _not_the_apis(place: Place, keys: Mapping[str, str]) -> Iterator[Need]:
    # Whether the API could open more than addresses of webhooks hangs on a condition of kms, which not every simulation
    # knows: the policies of the keys are compared with the release's instead.
    own = {(need.resource, action) for need in _allowed("api", place, keys) for action in need.actions}
    for need in _allowed("worker", place, keys):
        forbidden = (action for action in need.actions if action in NOT_THE_APIS)
        if actions := tuple(action for action in forbidden if (need.resource, action) not in own):
            yield replace(need, actions=actions, forbidden=True)


def _allowed(process: str, place: Place, keys: Mapping[str, str]) -> Iterator[Need]:
    for statement in role_policy(process, place)["Statement"]:
        for context in _contexts(statement):
            for pattern in listed(statement["Resource"]):
                if resource := _resource(pattern, context, place, keys):
                    yield Need(resource, tuple(listed(statement["Action"])), context)


def _contexts(statement: Statement) -> list[Context]:
    """Requests that meet all conditions: one for each value that a condition lets pass."""
    contexts: list[dict[str, Any]] = [{}]
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            values = _values(operator, listed(wanted))
            contexts = [{**context, key: value} for context in contexts for value in values]
    return list(contexts)


def _values(operator: str, wanted: list[str]) -> list[str | tuple[str, ...]]:
    match operator:
        case "ForAnyValue:StringEquals" | "ForAllValues:StringEquals":
            return [tuple(wanted)]
        case "Null":
            return [SOME_ID]
        case "StringNotEquals":
            return [SOME_ACCOUNT]
        case "StringEquals" | "StringLike" | "ArnLike":
            return [value.replace("*", SOME_ID) for value in wanted]
    raise NotImplementedError(operator)


def _resource(pattern: str, context: Context, place: Place, keys: Mapping[str, str]) -> str | None:
    """One that the pattern is for."""
    if pattern == "*":
        return pattern
    parts = pattern.split(":", 5)
    if parts[2] == "kms":
        if aliases := context.get("kms:ResourceAliases"):
            return keys.get(aliases[0])
        return pattern if pattern in keys.values() else None
    some = (*parts[:3], place.region, SOME_ACCOUNT, SOME_ID)
    return ":".join(part.replace("*", value) for part, value in zip(parts, some, strict=True))
