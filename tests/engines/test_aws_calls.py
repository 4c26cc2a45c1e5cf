"""The calls of the baseline and the sessions' policies, against what we publish and what AWS describes."""

import json
from fnmatch import fnmatchcase
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from moto.iam.aws_managed_policies import aws_managed_policies_data

from engines.aws_calls import CALLS, SESSION_POLICY
from engines.aws_narrower import reading
from tests.providers.aws_accounts import PUBLISHED

MAX_POLICY_CHARACTERS = 2_048
CHANGES = ("Create", "Put", "Delete", "Update", "Modify", "Attach", "Start", "Stop", "Run", "Terminate")
DATA = ("s3:GetObject", "secretsmanager:GetSecretValue", "ssm:GetParameter", "dynamodb:Scan", "kms:Decrypt")


@pytest.fixture(scope="module")
def aws() -> botocore.session.Session:
    return botocore.session.Session()


@pytest.mark.parametrize("permission", CALLS)
def test_a_call_is_one_of_aws(aws: botocore.session.Session, permission: str):
    call = CALLS[permission]
    service = aws.get_service_model(call.service)
    (operation,) = [name for name in service.operation_names if xform_name(name) == call.operation]
    output = service.operation_model(operation).output_shape
    assert output is not None
    assert not call.items or output.members[call.items].type_name == "list"


def test_every_permission_is_published():
    assert set(CALLS) <= set(PUBLISHED)


def test_the_scans_session_may_make_these_calls_and_no_other():
    (statement,) = json.loads(SESSION_POLICY)["Statement"]
    assert (statement["Effect"], set(statement["Action"])) == ("Allow", set(CALLS))
    assert not [name for name in CALLS if name.partition(":")[2].startswith(CHANGES)]


def allowed(policies: dict[str, Any], action: str) -> bool:
    managed = json.loads(aws_managed_policies_data)["SecurityAudit"]["Document"]["Statement"]
    statements = [*managed, *json.loads(policies["Policy"])["Statement"]]

    def names(effect: str) -> bool:
        named = [pattern for s in statements if s["Effect"] == effect for pattern in s["Action"]]
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in named)

    return names("Allow") and not names("Deny")


def test_an_engine_elsewhere_may_read_every_setting_that_we_publish_and_no_data():
    assert reading("aws-cn")["PolicyArns"] == [{"arn": "arn:aws-cn:iam::aws:policy/SecurityAudit"}]
    assert [name for name in PUBLISHED if not allowed(reading("aws"), name)] == []
    assert [name for name in (*DATA, "iam:CreateUser") if allowed(reading("aws"), name)] == []


@pytest.mark.parametrize("policy", [SESSION_POLICY, reading("aws")["Policy"]], ids=["scan", "elsewhere"])
def test_a_policy_is_as_short_as_aws_demands(policy: str):
    assert len(policy) <= MAX_POLICY_CHARACTERS
