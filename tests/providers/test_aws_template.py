"""What the customer deploys: whom the role trusts, what it grants, and how it is filled in."""

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cfnlint import lint  # type: ignore[import-untyped]

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.aws.permissions import READS_DATA
from providers.aws.role_names import ROLE_NAMES, RoleNames
from providers.aws.setup import TrustedRole, setup_of, template_with
from tests.providers.aws_accounts import EXTERNAL_ID, PLATFORM_ACCOUNT, PLATFORM_ROLE, PUBLISHED

MAX_INLINE_CHARACTERS = 10_240
"""Of all the policies written into a role."""

ACCOUNT_ID = "4f1d5a52-8c1e-4a44-9a55-0d2a9a3f4b1c"
TEMPLATE_URL = "https://templates.s3.ap-south-1.amazonaws.com/threat-engine/1/role.json"


def setup_in(
    region: str = "ap-south-1",
    *,
    template_url: str | None = TEMPLATE_URL,
    names: RoleNames = ROLE_NAMES,
    more: Sequence[str] = (),
) -> Setup:
    trusted = TrustedRole(PLATFORM_ACCOUNT, PLATFORM_ROLE, region)
    return setup_of(
        SetupRequest(EXTERNAL_ID, account_id=ACCOUNT_ID),
        more,
        trusted=trusted,
        names=names,
        template_url=template_url,
    )


@pytest.fixture(scope="module")
def role() -> dict[str, Any]:
    template = json.loads(template_with({}))
    (resource,) = template["Resources"].values()
    return dict(resource["Properties"])


def test_the_role_trusts_our_role_and_the_external_id_and_nobody_else(role: dict[str, Any]):
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${PlatformAccountId}:root"}}
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    for name in statement["Condition"]["ArnLike"]["aws:PrincipalArn"]:
        assert "${PlatformAccountId}" in name["Fn::Sub"]
        assert "/${PlatformRoleName}" in name["Fn::Sub"]


def test_no_principal_is_anybody(role: dict[str, Any]):
    assert '"*"' not in json.dumps(role["AssumeRolePolicyDocument"])


def actions(role: dict[str, Any], effect: str) -> list[str]:
    statements = [s for p in role["Policies"] for s in p["PolicyDocument"]["Statement"]]
    return [action for s in statements if s["Effect"] == effect for action in s["Action"]]


def test_the_role_holds_exactly_the_published_permissions(role: dict[str, Any]):
    assert sorted(actions(role, "Allow")) == sorted(PUBLISHED)
    assert "ManagedPolicyArns" not in role
    written = [json.dumps(policy["PolicyDocument"], separators=(",", ":")) for policy in role["Policies"]]
    assert sum(map(len, written)) <= MAX_INLINE_CHARACTERS


SECRETS_AMONG_SETTINGS = (
    *("appsync:ListApiKeys", "cognito-idp:DescribeUserPoolClient", "ec2:DescribeInstanceAttribute"),
    *("ec2:DescribeLaunchTemplateVersions", "ecs:DescribeTaskDefinition", "lambda:GetFunctionConfiguration"),
)
"""AWS's own policies for auditors allow these."""


def test_the_role_reads_settings_and_never_data_and_changes_nothing(role: dict[str, Any]):
    denied = actions(role, "Deny")
    assert sorted(denied) == sorted(READS_DATA)
    assert set(SECRETS_AMONG_SETTINGS) <= set(READS_DATA)
    assert [name for name in PUBLISHED if "*" in name or any(fnmatchcase(name, pattern) for pattern in denied)] == []
    verbs = {name.partition(":")[2] for name in PUBLISHED} - {"GenerateCredentialReport", "SimulatePrincipalPolicy"}
    assert not [verb for verb in verbs if not verb.startswith(("Describe", "Get", "List"))]


def test_the_template_grants_what_an_engine_of_the_operators_needs_besides(role: dict[str, Any]):
    template = json.loads(setup_in(more=[*PUBLISHED, "sns:ListTopics"]).template or "")
    with_more = template["Resources"]["ReadOnlyRole"]["Properties"]
    assert set(actions(with_more, "Allow")) - set(actions(role, "Allow")) == {"sns:ListTopics"}
    assert actions(with_more, "Deny") == actions(role, "Deny")


def test_the_template_is_valid_for_cloudformation():
    assert lint(setup_in().template or "", regions=["us-east-1"]) == []


def test_the_template_is_filled_in_for_the_account():
    parameters = json.loads(setup_in().template or "")["Parameters"]
    assert parameters["ExternalId"]["Default"] == EXTERNAL_ID
    assert parameters["PlatformAccountId"]["Default"] == PLATFORM_ACCOUNT
    assert parameters["PlatformRoleName"]["Default"] == PLATFORM_ROLE


def test_the_published_template_names_no_account():
    parameters = json.loads(template_with({}))["Parameters"]
    assert [name for name, parameter in parameters.items() if "Default" in parameter] == ["RoleName", "RolePath"]


def test_the_external_id_is_not_hidden_because_links_cannot_fill_in_hidden_parameters():
    assert "NoEcho" not in template_with({})


def test_the_quick_create_link_fills_in_the_stack():
    link = urlsplit(setup_in().quick_create_url or "")
    assert (link.scheme, link.netloc) == ("https", "ap-south-1.console.aws.amazon.com")
    path, _, query = link.fragment.partition("?")
    assert path == "/stacks/quickcreate"
    assert parse_qs(query) == {
        "templateURL": [TEMPLATE_URL],
        "stackName": ["ThreatEngine-4f1d5a52"],
        "param_ExternalId": [EXTERNAL_ID],
        "param_PlatformAccountId": [PLATFORM_ACCOUNT],
        "param_PlatformRoleName": [PLATFORM_ROLE],
        "param_RoleName": ["ThreatEngineReadOnly-4f1d5a52"],
        "param_RolePath": ["/"],
    }


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ],
)
def test_the_link_leads_to_the_console_of_the_partition(region: str, console: str):
    assert urlsplit(setup_in(region).quick_create_url or "").netloc == console


def test_without_an_address_of_the_template_there_is_no_link_and_no_word_of_one():
    setup = setup_in(template_url=None)
    assert setup.quick_create_url is None
    assert "link" not in setup.instructions


def test_the_instructions_are_numbered_and_name_what_to_compare():
    lines = setup_in().instructions.splitlines()
    assert [line[:2] for line in lines[:6]] == ["1.", "2.", "3.", "4.", "5.", "6."]
    for value in (EXTERNAL_ID, PLATFORM_ACCOUNT, PLATFORM_ROLE):
        assert value in setup_in().instructions
