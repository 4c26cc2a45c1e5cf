"""The policies of deploy/, and what AWS would decide by them: the part of its rules that they use. MiniStack leaves out
the conditions on `kms:` keys, so this is who judges them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and, for a KMS key,
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from deploy.ministack.roles import ROLES
from tests.pages import ROOT

Statement = Mapping[str, Any]
Context = Mapping[str, str | list[str]]

ACCOUNT, REGION = "111122223333", "ap-south-1"
PRINCIPALS = {process: f"arn:aws:iam::{ACCOUNT}:role/{role}" for process, role in ROLES.items()}
API, WORKER, SETUP = (PRINCIPALS[process] for process in ("api", "worker", "setup"))
ADMINISTRATORS = f"arn:aws:iam::{ACCOUNT}:root"


@dataclass(frozen=True)
class Request:
    """One thing that someone wants to do. `context` holds the condition keys of the request."""

    action: str
    resource: str
    context: Context = field(default_factory=dict, hash=False)


def document(file: str) -> dict[str, Any]:
    """A policy below deploy/."""
    found: dict[str, Any] = json.loads((ROOT / "deploy" / file).read_text())
    return found


def statements(file: str) -> list[Statement]:
    return list(document(file)["Statement"])


def files() -> list[Path]:
    return [file for folder in ("iam", "kms") for file in sorted((ROOT / "deploy" / folder).glob("*.json"))]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allows(policy: Sequence[Statement], request: Request, *, principal: str | None = None) -> bool:
    """An explicit denial has the last word, and without any word the answer is no."""
    effects = {s["Effect"] for s in policy if _concerns(s, request, principal)}
    return "Allow" in effects and "Deny" not in effects


def allows_key(key: Sequence[Statement], identity: Sequence[Statement], request: Request, *, principal: str) -> bool:
    """What AWS decides about a use of a key of this account: the key's own policy names the principal, or leaves the
    decision to the account and the role's policy allows it; and neither denies."""
    of_the_key = {
        (s["Effect"], _named(s)) for s in key if any(_concerns(s, request, who) for who in (principal, ADMINISTRATORS))
    }
    of_the_role = {s["Effect"] for s in identity if _concerns(s, request, None)}
    if "Deny" in of_the_role or any(effect == "Deny" for effect, _ in of_the_key):
        return False
    granted = {name for effect, names in of_the_key if effect == "Allow" for name in names}
    return principal in granted or (ADMINISTRATORS in granted and "Allow" in of_the_role)


def grants(statement: Statement) -> Iterator[tuple[str, str]]:
    """Each pair of action and resource in it."""
    for action in listed(statement["Action"]):
        yield from ((action, resource) for resource in listed(statement["Resource"]))


def _named(statement: Statement) -> tuple[str, ...]:
    """The principals of a statement; a role's policy has none, and is about the role."""
    named = statement.get("Principal", "*")
    return ("*",) if named == "*" else tuple(listed(named["AWS"]))


def _concerns(statement: Statement, request: Request, principal: str | None) -> bool:
    whom = _named(statement)
    # The names of condition keys have no case, and so `kms:EncryptionContext:tenant` is asked for `TENANT` too.
    given = {key.lower(): value for key, value in request.context.items()}
    return (
        any(_like(request.action.lower(), action.lower()) for action in listed(statement["Action"]))
        and any(_arn_like(request.resource, resource) for resource in listed(statement["Resource"]))
        and (whom == ("*",) or principal in whom)
        and all(
            _holds(operator, given.get(key.lower()), listed(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, given: str | list[str] | None, wanted: list[str]) -> bool:
    """A key that the request lacks fails a condition, unless that asks for all of none, for its absence, or not to be
    one of some."""
    quantifier, _, bare = operator.rpartition(":")
    if bare == "Null":
        return (given is None) == (wanted == ["true"])
    if bare.endswith("IfExists"):
        return given is None or _holds(operator.removesuffix("IfExists"), given, wanted)
    values = [] if given is None else listed(given)
    match quantifier:
        case "ForAllValues":
            return all(_matches(bare, value, wanted) for value in values)
        case "ForAnyValue":
            return any(_matches(bare, value, wanted) for value in values)
    if "Not" in bare:
        return all(_matches(bare, value, wanted) for value in values)
    assert not isinstance(given, list), f"{operator} compares one value: a key of several needs ForAnyValue"
    return given is not None and _matches(bare, given, wanted)


def _matches(operator: str, value: str, wanted: list[str]) -> bool:
    match operator:
        case "StringEquals":
            return value in wanted
        case "StringNotEquals":
            return value not in wanted
        case "StringLike":
            return any(_like(value, pattern) for pattern in wanted)
        case "ArnLike" | "ArnEquals":
            return any(_arn_like(value, pattern) for pattern in wanted)
        case "Bool":
            return value.lower() in {each.lower() for each in wanted}
        case "NumericLessThan":
            return any(float(value) < float(limit) for limit in wanted)
    raise NotImplementedError(operator)


def _arn_like(value: str, pattern: str) -> bool:
    """Each of the six parts by itself: no wildcard reaches over a colon into the next one."""
    if pattern == "*":
        return True
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(_like(*pair) for pair in zip(parts, patterns, strict=True))


def _like(value: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """`*` is any text, `?` any character, and nothing else is special."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
