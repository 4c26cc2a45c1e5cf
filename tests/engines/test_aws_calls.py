"""The calls of the baseline and the sessions' policies, against what we publish and what AWS describes."""

import json

import botocore.session
import pytest
from botocore import xform_name

from engines.aws.calls import CALLS, SESSION_POLICY
from providers.aws.permissions import PROBES, SIMULATE, session_policy
from tests.providers.aws_accounts import PUBLISHED

MAX_POLICY_CHARACTERS = 2_048


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


def test_each_published_permission_is_used_by_a_check_or_by_validation_and_nothing_else_is_used():
    assert set(PUBLISHED) == set(CALLS) | set(PROBES) | {SIMULATE}


def actions_of(policy: str) -> list[str]:
    (statement,) = json.loads(policy)["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
    return list(statement["Action"])


def test_the_scans_session_may_make_these_calls_and_no_other():
    assert sorted(actions_of(SESSION_POLICY)) == sorted(CALLS)


def test_an_engine_elsewhere_may_use_what_we_publish_but_for_what_reads_more_than_settings():
    assert sorted(actions_of(session_policy())) == sorted(set(PUBLISHED) - {"lambda:ListFunctions"})


def test_an_engine_elsewhere_may_use_what_its_operator_says_that_it_needs():
    named = actions_of(session_policy(["sns:ListTopics", "ec2:DescribeVpcs"]))
    assert "sns:ListTopics" in named
    assert named.count("ec2:DescribeVpcs") == 1


@pytest.mark.parametrize("policy", [SESSION_POLICY, session_policy()], ids=["scan", "elsewhere"])
def test_a_policy_names_each_action_in_full_and_is_as_short_as_aws_demands(policy: str):
    assert not [action for action in actions_of(policy) if "*" in action or "?" in action]
    assert len(policy) <= MAX_POLICY_CHARACTERS
