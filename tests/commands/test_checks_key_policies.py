"""The policy of a key as AWS gives it back, against that of the release."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from boto3.session import Session
from botocore.stub import Stubber

from commands.doctor.finding import Finding, Level
from commands.doctor.key_policies import key_policy
from commands.policies.keys import key_policies
from commands.policies.place import Place, Policy
from config import Settings
from tests.deploy.policies import ACCOUNT, API, REGION, WORKER

ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
NAME = "alias/threat-engine-secrets"


def wanted() -> Policy:
    return key_policies(Place(Settings.model_validate({"platform_aws_account_id": ACCOUNT})))["secrets"]


def findings(policy: Policy) -> list[Finding]:
    """What is said of a key that has this policy."""
    kms = Session("a", "b", region_name=REGION).client("kms")
    with Stubber(kms) as answers:
        parameters = {"KeyId": ARN, "PolicyName": "default"}
        answers.add_response("get_key_policy", {"Policy": json.dumps(policy)}, parameters)
        return list(key_policy(kms, ARN, NAME, wanted()))


def changed(change: Callable[[dict[str, Any]], object]) -> Policy:
    """`change` gets the statements by their names."""
    statements = {statement["Sid"]: statement for statement in wanted()["Statement"]}
    change(statements)
    return {"Version": "2012-10-17", "Statement": list(statements.values())}


def test_the_policy_of_the_release_is_well_however_aws_writes_it():
    policy = wanted()
    for statement in policy["Statement"]:
        for name in ("Action", "Resource"):
            value = statement[name]
            statement[name] = [value] if isinstance(value, str) else list(reversed(value))
    policy["Statement"].reverse()
    assert [(found.level, found.thing) for found in findings(policy)] == [(Level.OK, f"policy of key {NAME}")]


def purpose_of_before(statements: dict[str, Any]) -> None:
    condition = statements["TheApiSeals"]["Condition"]["StringEquals"]
    condition["kms:EncryptionContext:purpose"] = ["onboarding", "webhook"]


def another_role(statements: dict[str, Any]) -> None:
    statements["TheWorkerOpens"]["Principal"] = {"AWS": [WORKER, API]}


def no_condition(statements: dict[str, Any]) -> None:
    del statements["TheWorkerOpens"]["Condition"]["Null"]


def fewer(statements: dict[str, Any]) -> None:
    del statements["NobodyDeletesItInAHurry"]


def more(action: str, effect: str = "Allow") -> Callable[[dict[str, Any]], object]:
    statement = {"Sid": "Ours", "Effect": effect, "Principal": "*", "Action": action, "Resource": "*"}
    return lambda statements: statements.update(Ours=statement)


def default(statements: dict[str, Any]) -> None:
    statements.clear()
    everything = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
    statements["Enable IAM User Permissions"] = {"Sid": "Enable IAM User Permissions", **everything, "Resource": "*"}


DIFFERENCES: dict[str, tuple[Callable[[dict[str, Any]], object], Level, str]] = {
    "an older release": (
        purpose_of_before,
        Level.FAIL,
        "its statement TheApiSeals lacks probe in Condition StringEquals kms:EncryptionContext:purpose",
    ),
    "a role more": (another_role, Level.FAIL, f"its statement TheWorkerOpens has {API} in Principal AWS besides"),
    "a condition less": (
        no_condition,
        Level.FAIL,
        "its statement TheWorkerOpens lacks false in Condition Null kms:EncryptionContext:tenant",
    ),
    "a denial less": (fewer, Level.FAIL, "lacks the statement NobodyDeletesItInAHurry"),
    "a grant more": (more("kms:Decrypt"), Level.FAIL, "has the statement Ours besides"),
    "a way to more grants": (more("kms:PutKeyPolicy"), Level.FAIL, "has the statement Ours besides"),
    "a look more": (more("kms:DescribeKey"), Level.WARN, "has the statement Ours besides"),
    "a denial more": (more("kms:Decrypt", "Deny"), Level.WARN, "has the statement Ours besides"),
    "the one that AWS makes": (
        default,
        Level.FAIL,
        "has no statement of this release: IAM alone decides who uses the key",
    ),
}


@pytest.mark.parametrize(("change", "level", "text"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_what_differs_is_said_with_what_to_do(change: Callable[[dict[str, Any]], object], level: Level, text: str):
    said = findings(changed(change))
    assert (level, text) in {(found.level, found.found) for found in said}
    assert {found.level for found in said} == {level}
    assert all(found.remedy for found in said)
