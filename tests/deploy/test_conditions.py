"""Each condition of each policy holds something back: whoever fulfils all but one of a statement's is refused.

The requests are made from the statements themselves, so that a new condition is tried without a new line here.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.deploy.policies import Context, Request, Statement, allows, grants, listed, statements
from tests.deploy.test_iam import PROCESSES

LEAST_CASES = 200
STRANGE = "strange"


class Case(NamedTuple):
    process: str
    sid: str
    request: Request
    allowed: bool


def fulfilled(operator: str, wanted: list[str]) -> str | list[str] | None:
    """A value that a condition lets pass; None for a key that must not be there."""
    match operator:
        case "Null":
            return None if wanted == ["true"] else "some"
        case "ForAllValues:StringEquals" | "ForAnyValue:StringEquals":
            return list(wanted)
        case "StringLike" | "ArnLike":
            return wanted[0].replace("*", "some")
        case "StringNotEquals":
            return STRANGE
        case _:
            return wanted[0]


def violations(operator: str, wanted: list[str]) -> Iterator[str | list[str] | None]:
    """Values that it does not."""
    match operator:
        case "Null":
            yield "some" if wanted == ["true"] else None
        case "ForAllValues:StringEquals":
            yield [*wanted, STRANGE]
        case "ForAnyValue:StringEquals":
            yield from ([STRANGE], [f"{wanted[0]}-2"], None)
        case "StringNotEquals":
            yield wanted[0]
        case "BoolIfExists":
            yield "false" if wanted == ["true"] else "true"
        case _:
            yield from (STRANGE, f"{wanted[0]}{STRANGE}" if "*" not in wanted[0] else STRANGE, None)


def conditions(statement: Statement) -> list[tuple[str, str, list[str]]]:
    found: dict[str, Any] = statement.get("Condition", {})
    return [(operator, key, listed(wanted)) for operator, keys in found.items() for key, wanted in keys.items()]


def context_of(statement: Statement) -> dict[str, str | list[str]]:
    """One that fulfils them all. A key that has a value of its own beside `Null` keeps that one."""
    ordered = sorted(conditions(statement), key=lambda one: one[0] != "Null")
    values = {key: fulfilled(operator, wanted) for operator, key, wanted in ordered}
    return {key: value for key, value in values.items() if value is not None}


def without(context: Context, key: str, value: str | list[str] | None) -> Context:
    changed = {name: each for name, each in context.items() if name != key}
    return changed if value is None else {**changed, key: value}


def cases() -> Iterator[Case]:
    for process in PROCESSES:
        for statement in statements(f"iam/{process}.json"):
            if statement["Effect"] == "Allow" and conditions(statement):
                yield from _of(process, statement)


def _of(process: str, statement: Statement) -> Iterator[Case]:
    context = context_of(statement)
    for action, pattern in grants(statement):
        resource = pattern.replace("*", "some")
        yield Case(process, statement["Sid"], Request(action, resource, context), allowed=True)
        for operator, key, wanted in conditions(statement):
            for value in violations(operator, wanted):
                request = Request(action, resource, without(context, key, value))
                yield Case(process, statement["Sid"], request, allowed=False)


@pytest.mark.parametrize("process", PROCESSES)
def test_without_one_condition_nothing_is_allowed(process: str):
    policy = statements(f"iam/{process}.json")
    tried = [case for case in cases() if case.process == process]
    assert tried
    assert [case for case in tried if allows(policy, case.request) is not case.allowed] == []


def test_the_cases_are_many():
    tried = list(cases())
    assert len(tried) >= LEAST_CASES
    assert sum(case.allowed for case in tried) >= 30


# Who may do what is worth stealing: said a second time, so that nobody gets more by accident

SENSITIVE = {
    "secretsmanager:GetSecretValue": {"worker"},
    "secretsmanager:PutSecretValue": {"worker"},
    "secretsmanager:CreateSecret": {"worker"},
    "secretsmanager:DeleteSecret": {"worker"},
    "sts:AssumeRole": {"worker"},
    "kms:Sign": {"worker"},
    "kms:GenerateMac": {"api", "worker"},  # the worker's for commands only: test_iam
    "kms:Decrypt": {"api", "worker"},  # the API's through S3 and for results only: test_iam
    "kms:GenerateDataKey": {"api", "worker"},
    "kms:ScheduleKeyDeletion": set(),
    "kms:PutKeyPolicy": set(),
    "kms:CreateGrant": set(),
    "kms:ReEncryptFrom": set(),
    "kms:DisableKey": set(),
    "dynamodb:DeleteTable": set(),
    "dynamodb:RestoreTableToPointInTime": set(),
    "dynamodb:ExportTableToPointInTime": set(),
    "dynamodb:PartiQLSelect": set(),
    "dynamodb:BatchGetItem": set(),
    "dynamodb:BatchWriteItem": set(),
    "secretsmanager:BatchGetSecretValue": set(),
    "secretsmanager:ListSecrets": set(),
    "secretsmanager:PutResourcePolicy": set(),
    "s3:DeleteBucket": set(),
    "s3:DeleteObject": set(),
    "iam:PassRole": set(),
    "iam:PutRolePolicy": set(),
    "iam:CreateAccessKey": set(),
}


@pytest.mark.parametrize("action", SENSITIVE)
def test_what_is_worth_stealing_is_granted_to_these_and_nobody_else(action: str):
    holders = {
        process
        for process in PROCESSES
        for statement in statements(f"iam/{process}.json")
        if statement["Effect"] == "Allow" and action in listed(statement["Action"])
    }
    assert holders == SENSITIVE[action]
