"""The whole proof on the emulator, which checks signatures, trust policies, external ids and policies."""

import json

import pytest
from botocore.exceptions import ClientError

from domain.errors import PlatformConfig, Propagating
from domain.onboarding.catalogue import SetupRequest
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from providers.aws.permissions import REQUIRED, SESSION_POLICY, SIMULATE
from providers.aws.provider import AwsProvider
from tests.providers.aws_accounts import (
    EXPECTED,
    EXTERNAL_ID,
    PLATFORM_ACCOUNT,
    PLATFORM_ROLE,
    PUBLISHED,
    EmulatedAccount,
    allow,
    deny,
    finding,
    key_credential,
    last_checked,
    policy,
    provider_running_as,
    published_without,
    role_credential,
    session_keys,
    trust,
    trust_on,
)

pytestmark = pytest.mark.stack

EVERYTHING = published_without()
DATA = ["s3:GetObject", "secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt", "dynamodb:Scan"]


@pytest.fixture
def deployed(customer: EmulatedAccount, provider: AwsProvider) -> dict[str, str]:
    """The outputs of our template's stack in the customer's account."""
    return customer.deploy(provider.setup(SetupRequest(EXTERNAL_ID)).template or "")


# A role


def test_a_role_that_may_do_everything_is_active_and_told_so(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust_on(EXTERNAL_ID), allow("*"))
    verdict = provider.validate(role_credential(role), EXPECTED)
    assert (verdict.outcome, [problem.code for problem in verdict.problems]) == (Outcome.ACTIVE, ["over_privileged"])


def test_the_role_of_our_template_makes_an_active_account(
    customer: EmulatedAccount, provider: AwsProvider, deployed: dict[str, str]
):
    verdict = provider.validate(role_credential(deployed["RoleArn"]), EXPECTED)
    assert verdict.outcome is Outcome.ACTIVE
    assert (verdict.account_number, verdict.problems) == (customer.number, ())
    assert {step.status for step in verdict.steps} == {StepStatus.PASSED}


def test_the_outputs_of_our_template_can_be_submitted_as_they_are(
    customer: EmulatedAccount, provider: AwsProvider, deployed: dict[str, str]
):
    assert set(deployed) == {"AccountId", "RoleArn", "ExternalId", "OnboardingJson"}
    assert json.loads(deployed["OnboardingJson"]) == {
        "account_id": deployed["AccountId"],
        "role_arn": deployed["RoleArn"],
        "external_id": deployed["ExternalId"],
        "role_name": deployed["RoleArn"].rpartition("/")[2],
        "stack_name": "ThreatEngine",
    }
    submitted = role_credential(
        deployed["RoleArn"], external_id=deployed["ExternalId"], account_number=deployed["AccountId"]
    )
    assert provider.validate(submitted, EXPECTED).accepted


def test_our_templates_role_grants_every_published_permission(customer: EmulatedAccount, deployed: dict[str, str]):
    answer = customer.client("iam").simulate_principal_policy(
        PolicySourceArn=deployed["RoleArn"], ActionNames=list(PUBLISHED)
    )
    decisions = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    assert decisions == dict.fromkeys(PUBLISHED, "allowed")


def test_our_templates_role_cannot_read_data_even_when_someone_makes_it_an_administrator(
    customer: EmulatedAccount, deployed: dict[str, str]
):
    iam = customer.client("iam")
    iam.attach_role_policy(
        RoleName=deployed["RoleArn"].rpartition("/")[2], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    answer = iam.simulate_principal_policy(PolicySourceArn=deployed["RoleArn"], ActionNames=[*DATA, "s3:PutObject"])
    decisions = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    assert decisions == dict.fromkeys(DATA, "explicitDeny") | {"s3:PutObject": "allowed"}


def test_our_templates_role_trusts_no_other_role_of_our_account(platform: EmulatedAccount, deployed: dict[str, str]):
    platform.role(trust({}), allow("sts:AssumeRole"), name="Billing")
    billing = platform.client("sts", **platform.session_of("Billing"))
    with pytest.raises(ClientError, match="AccessDenied"):
        session_keys(billing, RoleArn=deployed["RoleArn"], ExternalId=EXTERNAL_ID)


def test_a_refusal_is_ours_while_we_run_as_another_role(platform: EmulatedAccount, deployed: dict[str, str]):
    platform.role(trust({}), allow("sts:AssumeRole"), name="NotTheWorker")
    with pytest.raises(PlatformConfig):
        provider_running_as(platform, "NotTheWorker").validate(role_credential(deployed["RoleArn"]), EXPECTED)


def test_a_role_that_asks_for_no_external_id_is_unsafe(customer: EmulatedAccount, provider: AwsProvider):
    verdict = provider.validate(role_credential(customer.role(trust({}), EVERYTHING)), EXPECTED)
    assert (verdict.outcome, finding(verdict)) == (Outcome.REFUSED, ("trust", "unsafe_trust"))


def test_a_role_that_takes_any_external_id_is_unsafe(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust({"StringLike": {"sts:ExternalId": "*"}}), EVERYTHING)
    assert finding(provider.validate(role_credential(role), EXPECTED)) == ("trust", "unsafe_trust")


def test_a_role_with_another_external_id_cannot_be_assumed(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust_on("te-0000000000000000000000000000000"), EVERYTHING)
    verdict = provider.validate(role_credential(role), EXPECTED)
    assert finding(verdict) == ("identify", "role_not_assumable")
    assert all(word in (last_checked(verdict).remedy or "") for word in ("RoleArn", "trust policy", "external id"))


def test_a_role_that_trusts_someone_else_cannot_be_assumed(customer: EmulatedAccount, provider: AwsProvider):
    elsewhere = trust({"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}, principal="999999999999")
    role = customer.role(elsewhere, EVERYTHING)
    assert finding(provider.validate(role_credential(role), EXPECTED)) == ("identify", "role_not_assumable")


def test_a_role_that_does_not_exist_cannot_be_assumed(customer: EmulatedAccount, provider: AwsProvider):
    missing = role_credential(f"arn:aws:iam::{customer.number}:role/ThreatEngineMissing")
    assert finding(provider.validate(missing, EXPECTED)) == ("identify", "role_not_assumable")


def test_a_new_role_that_does_not_exist_yet_is_waited_for(customer: EmulatedAccount, provider: AwsProvider):
    missing = role_credential(f"arn:aws:iam::{customer.number}:role/ThreatEngineMissing")
    with pytest.raises(Propagating):
        provider.validate(missing, Expectation(EXTERNAL_ID, may_propagate=True))


def test_a_role_of_another_account_than_submitted_is_refused(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust_on(EXTERNAL_ID), EVERYTHING)
    verdict = provider.validate(role_credential(role, account_number="999999999999"), EXPECTED)
    assert (verdict.outcome, finding(verdict)) == (Outcome.REFUSED, ("ownership", "other_account"))
    assert verdict.account_number == customer.number


def test_a_role_of_another_account_than_before_is_refused(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust_on(EXTERNAL_ID), EVERYTHING)
    verdict = provider.validate(role_credential(role), Expectation(EXTERNAL_ID, account_number="999999999999"))
    assert finding(verdict) == ("ownership", "account_changed")


# Permissions


def test_everything_that_is_missing_is_listed_at_once(customer: EmulatedAccount, provider: AwsProvider):
    missing = ("iam:GetAccountSummary", "ec2:DescribeSecurityGroups", "kms:ListKeys", "securityhub:DescribeHub")
    role = customer.role(trust_on(EXTERNAL_ID), published_without(*missing))
    verdict = provider.validate(role_credential(role), EXPECTED)
    assert (verdict.outcome, finding(verdict)) == (Outcome.REFUSED, ("permissions", "missing_permissions"))
    assert last_checked(verdict).missing_permissions == missing


def test_missing_optional_permissions_limit_the_account(customer: EmulatedAccount, provider: AwsProvider):
    missing = ("iam:GetCredentialReport", "guardduty:ListDetectors")
    role = customer.role(trust_on(EXTERNAL_ID), published_without(*missing))
    verdict = provider.validate(role_credential(role), EXPECTED)
    step = last_checked(verdict)
    assert (verdict.outcome, step.status) == (Outcome.ACTIVE_LIMITED, StepStatus.WARNED)
    assert (step.code, step.missing_permissions) == ("limited_permissions", missing)


def test_a_role_without_any_permission_misses_what_can_be_known(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust_on(EXTERNAL_ID))
    verdict = provider.validate(role_credential(role), EXPECTED)
    assert verdict.outcome is Outcome.REFUSED
    assert last_checked(verdict).missing_permissions == (*REQUIRED, SIMULATE)


def test_an_explicit_denial_counts_as_missing(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust_on(EXTERNAL_ID), EVERYTHING, deny("s3:ListAllMyBuckets", "kms:ListKeys"))
    verdict = provider.validate(role_credential(role), EXPECTED)
    assert last_checked(verdict).missing_permissions == ("s3:ListAllMyBuckets", "kms:ListKeys")


def test_a_boundary_that_the_simulation_does_not_see_is_found(customer: EmulatedAccount, provider: AwsProvider):
    iam = customer.client("iam")
    role = customer.role(trust_on(EXTERNAL_ID), EVERYTHING)
    document = policy(published_without("cloudtrail:DescribeTrails"))
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="ThreatEngineTest", PermissionsBoundary=boundary)
    verdict = provider.validate(role_credential(role), EXPECTED)
    assert last_checked(verdict).missing_permissions == ("cloudtrail:DescribeTrails",)


def test_without_the_simulation_the_required_permissions_are_tried(customer: EmulatedAccount, provider: AwsProvider):
    role = customer.role(trust_on(EXTERNAL_ID), published_without(SIMULATE))
    verdict = provider.validate(role_credential(role), EXPECTED)
    assert verdict.outcome is Outcome.ACTIVE_LIMITED
    assert last_checked(verdict).missing_permissions == (SIMULATE,)


def test_the_session_of_a_validation_can_do_no_more_than_validate(customer: EmulatedAccount, platform: EmulatedAccount):
    administrator = customer.role(trust_on(EXTERNAL_ID), allow("*"))
    own = platform.client("sts", **platform.session_of(PLATFORM_ROLE))
    keys = session_keys(own, RoleArn=administrator, ExternalId=EXTERNAL_ID, Policy=SESSION_POLICY)
    customer.client("iam", **keys).get_account_summary()
    for forbidden in (customer.client("iam", **keys).list_roles, customer.client("dynamodb", **keys).list_tables):
        with pytest.raises(ClientError, match="AccessDenied"):
            forbidden()


# An access key


def test_an_access_key_with_every_permission_makes_an_active_account(customer: EmulatedAccount, provider: AwsProvider):
    verdict = provider.validate(key_credential(*customer.access_key(EVERYTHING)), EXPECTED)
    assert (verdict.outcome, verdict.account_number) == (Outcome.ACTIVE, customer.number)
    assert verdict.identity == f"arn:aws:iam::{customer.number}:user/scanner"


def test_an_access_key_lists_all_that_its_user_may_not_do(customer: EmulatedAccount, provider: AwsProvider):
    key = customer.access_key(allow(SIMULATE))
    verdict = provider.validate(key_credential(*key), EXPECTED)
    assert set(last_checked(verdict).missing_permissions) == set(PUBLISHED) - {SIMULATE}


def test_a_wrong_secret_is_told_from_an_unknown_key(customer: EmulatedAccount, provider: AwsProvider):
    key_id, _ = customer.access_key(EVERYTHING)
    wrong = provider.validate(key_credential(key_id, "w" * 40), EXPECTED)
    unknown = provider.validate(key_credential("AKIAUNKNOWNUNKNOWNUN", "w" * 40), EXPECTED)
    assert (finding(wrong), finding(unknown)) == (("identify", "wrong_secret"), ("identify", "unknown_key"))


def test_an_inactive_key_is_unknown(customer: EmulatedAccount, provider: AwsProvider):
    key_id, secret = customer.access_key(EVERYTHING)
    customer.client("iam").update_access_key(UserName="scanner", AccessKeyId=key_id, Status="Inactive")
    assert finding(provider.validate(key_credential(key_id, secret), EXPECTED)) == ("identify", "unknown_key")


def test_a_key_of_another_account_is_refused(customer: EmulatedAccount, provider: AwsProvider):
    key = customer.access_key(EVERYTHING)
    submitted = provider.validate(key_credential(*key, account_number=PLATFORM_ACCOUNT), EXPECTED)
    before = provider.validate(key_credential(*key), Expectation(EXTERNAL_ID, account_number=PLATFORM_ACCOUNT))
    assert finding(submitted) == ("ownership", "other_account")
    assert finding(before) == ("ownership", "account_changed")
