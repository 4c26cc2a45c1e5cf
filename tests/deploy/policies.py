"""The policies of deploy/, and what AWS would decide by them: the part of its rules that they use.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.pages import ROOT

Statement = Mapping[str, Any]
Context = Mapping[str, str | list[str]]

ACCOUNT, REGION = "111122223333", "ap-south-1"
API, WORKER, SETUP = (f"arn:aws:iam::{ACCOUNT}:role/threat-engine-{name}" for name in ("api", "onboarding", "setup"))


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


def allows(policy: list[Statement], request: Request, *, principal: str | None = None) -> bool:
    """An explicit denial has the last word, and without any word the answer is no."""
    effects = {s["Effect"] for s in policy if _concerns(s, request, principal)}
    return "Allow" in effects and "Deny" not in effects


def grants(statement: Statement) -> Iterator[tuple[str, str]]:
    """Each pair of action and resource in it."""
    for action in listed(statement["Action"]):
        yield from ((action, resource) for resource in listed(statement["Resource"]))


def _concerns(statement: Statement, request: Request, principal: str | None) -> bool:
    named = statement.get("Principal", "*")
    whom = ["*"] if named == "*" else listed(named["AWS"])
    return (
        any(fnmatchcase(request.action, action) for action in listed(statement["Action"]))
        and any(fnmatchcase(request.resource, resource) for resource in listed(statement["Resource"]))
        and (whom == ["*"] or principal in whom)
        and all(
            _holds(operator, request.context.get(key), listed(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, given: str | list[str] | None, wanted: list[str]) -> bool:
    values = [] if given is None else listed(given)
    match operator:
        case "Null":
            return (given is None) == (wanted == ["true"])
        case "StringEquals" | "ForAnyValue:StringEquals" | "Bool":
            return any(value in wanted for value in values)
        case "ForAllValues:StringEquals":
            return all(value in wanted for value in values)
        case "StringLike" | "ArnLike":
            return any(fnmatchcase(value, pattern) for value in values for pattern in wanted)
        case "StringNotEquals":
            return not any(value in wanted for value in values)
        case "BoolIfExists":
            return given is None or given in wanted
        case "NumericLessThan":
            return any(int(value) < int(limit) for value in values for limit in wanted)
    raise NotImplementedError(operator)
