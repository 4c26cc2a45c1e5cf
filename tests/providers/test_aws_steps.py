"""The steps in the cases that the emulator cannot play, and what leaves this process."""

import json

import boto3.session
import botocore.session
import pytest

from domain.errors import InvalidInput, PlatformConfig, Propagating
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from providers.aws.partitions import MAX_TRIED, PARTITIONS, partition_of
from providers.aws.permissions import CHANGING, PROBES, REQUIRED, SIMULATE
from providers.aws.provider import AwsProvider
from tests.providers.aws_accounts import (
    EXPECTED,
    EXTERNAL_ID,
    PUBLISHED,
    finding,
    key_credential,
    last_checked,
    role_credential,
)
from tests.providers.canned_aws import (
    ACCOUNT,
    KEY,
    PLATFORM_KEY_ID,
    ROLE,
    ROLE_ARN,
    ROLE_KEY_ID,
    Answer,
    CannedAws,
    canned_provider,
    error,
    json_error,
    simulation,
)

JUST_MADE = Expectation(external_id=EXTERNAL_ID, may_propagate=True)
SHAPE = [
    (role_credential(""), "malformed"),
    (role_credential("arn:aws:iam::222222222222:user/scanner"), "malformed"),
    (role_credential("arn:aws:iam::2222:role/Scan"), "malformed"),
    (role_credential(ROLE_ARN, account_number="22"), "malformed"),
    (role_credential(ROLE_ARN, region="us-east-1"), "malformed"),
    (role_credential(ROLE_ARN, external_id="te-of-someone-else"), "external_id_mismatch"),
    (role_credential(ROLE_ARN.replace("arn:aws:", "arn:aws-cn:")), "other_partition"),
    (role_credential(ROLE_ARN.replace("arn:aws:", "arn:aws-us-gov:")), "other_partition"),
    (key_credential("", ""), "malformed"),
    (key_credential("AKIACUSTOMERCUSTOMER", "short"), "malformed"),
    (key_credential("ASIACUSTOMERCUSTOMER", "s" * 40), "temporary_key"),
    (key_credential("AKIACUSTOMERCUSTOMER", "s" * 40, session_token="t"), "malformed"),
]


@pytest.mark.parametrize(("credential", "code"), SHAPE)
def test_a_wrong_shape_is_refused_without_a_call(
    canned: CannedAws, canned_aws: AwsProvider, credential: Credential, code: str
):
    verdict = canned_aws.validate(credential, EXPECTED)
    assert (verdict.outcome, finding(verdict)) == (Outcome.REFUSED, ("shape", code))
    assert canned.requests == []


def test_a_failed_step_skips_the_ones_after_it(canned_aws: AwsProvider):
    steps = canned_aws.validate(role_credential(""), EXPECTED).steps
    assert [step.name for step in steps] == ["shape", "identify", "trust", "ownership", "permissions"]
    assert [step.status for step in steps] == [StepStatus.FAILED, *[StepStatus.SKIPPED] * 4]


def test_the_external_id_that_is_sent_is_ours(canned: CannedAws, canned_aws: AwsProvider):
    canned_aws.validate(role_credential(ROLE_ARN, external_id=EXTERNAL_ID), EXPECTED)
    first, without, random = (r.parameters for r in canned.requests if r.action == "AssumeRole")
    assert first["ExternalId"] == EXTERNAL_ID
    assert "ExternalId" not in without
    assert random["ExternalId"] not in ("", EXTERNAL_ID)


def test_the_role_is_assumed_shortly_and_for_little(canned: CannedAws, canned_aws: AwsProvider):
    canned_aws.validate(ROLE, EXPECTED)
    sent = next(r.parameters for r in canned.requests if r.action == "AssumeRole")
    assert (sent["DurationSeconds"], sent["RoleSessionName"]) == ("900", "te-validation")
    (statement,) = json.loads(sent["Policy"])["Statement"]
    assert set(statement["Action"]) == {SIMULATE, *REQUIRED}


def test_our_key_signs_the_assuming_and_nothing_else(canned: CannedAws, canned_aws: AwsProvider):
    canned_aws.validate(ROLE, EXPECTED)
    signed = {(r.action, r.key_id) for r in canned.requests}
    assert {action for action, key_id in signed if key_id == PLATFORM_KEY_ID} == {"AssumeRole"}
    assert {key_id for action, key_id in signed if action != "AssumeRole"} == {ROLE_KEY_ID}


def test_the_probes_tell_the_customers_audit_log_what_they_are(canned: CannedAws, canned_aws: AwsProvider):
    canned_aws.validate(ROLE, EXPECTED)
    names = [r.parameters["RoleSessionName"] for r in canned.requests if r.action == "AssumeRole"]
    assert names == ["te-validation", "te-trust-probe", "te-trust-probe"]


def test_a_refusal_of_a_new_role_may_be_propagation(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("AssumeRole", error("AccessDenied", 403))
    with pytest.raises(Propagating) as raised:
        canned_aws.validate(ROLE, JUST_MADE)
    assert raised.value.retry_after == 3


def test_an_unknown_new_key_may_be_propagation(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("GetCallerIdentity", error("InvalidClientTokenId", 403))
    with pytest.raises(Propagating):
        canned_aws.validate(KEY, JUST_MADE)


def test_a_wrong_secret_is_never_propagation(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("GetCallerIdentity", error("SignatureDoesNotMatch", 403))
    assert finding(canned_aws.validate(KEY, JUST_MADE)) == ("identify", "wrong_secret")


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:sts::111111111111:assumed-role/Other/w", "arn:aws:iam::111111111111:root", "arn:aws:iam::9:user/me"],
)
def test_a_refusal_is_our_fault_when_we_run_as_someone_else(canned: CannedAws, canned_aws: AwsProvider, arn: str):
    canned.callers[PLATFORM_KEY_ID] = arn
    canned.will_answer("AssumeRole", error("AccessDenied", 403))
    with pytest.raises(PlatformConfig):
        canned_aws.validate(ROLE, JUST_MADE)


def test_the_root_users_key_is_refused(canned: CannedAws, canned_aws: AwsProvider):
    canned.callers["AKIACUSTOMERCUSTOMER"] = f"arn:aws:iam::{ACCOUNT}:root"
    assert finding(canned_aws.validate(KEY, EXPECTED)) == ("trust", "root_key")


def test_a_session_in_another_account_than_the_roles_is_refused(canned: CannedAws, canned_aws: AwsProvider):
    canned.callers[ROLE_KEY_ID] = "arn:aws:sts::333333333333:assumed-role/ThreatEngineReadOnly/te-validation"
    assert finding(canned_aws.validate(ROLE, EXPECTED)) == ("ownership", "other_account")


def test_the_whole_published_list_is_simulated_for_the_role_itself(canned: CannedAws, canned_aws: AwsProvider):
    canned_aws.validate(ROLE, EXPECTED)
    sent = [r.parameters for r in canned.requests if r.action == "SimulatePrincipalPolicy"]
    assert [v for p in sent for n, v in p.items() if n.startswith("ActionNames")] == [*PUBLISHED, *CHANGING]
    assert {p["PolicySourceArn"] for p in sent} == {ROLE_ARN}


def test_every_page_of_a_simulation_is_read(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("SimulatePrincipalPolicy", simulation({"kms:ListKeys": "implicitDeny"}, marker="next"))
    canned.will_answer("SimulatePrincipalPolicy", simulation({"kms:DescribeKey": "explicitDeny"}))
    verdict = canned_aws.validate(ROLE, EXPECTED)
    assert verdict.outcome is Outcome.ACTIVE_LIMITED
    assert last_checked(verdict).missing_permissions == ("kms:ListKeys", "kms:DescribeKey")
    assert "next" in [r.parameters.get("Marker") for r in canned.requests]


def test_trying_a_required_permission_overrules_the_simulation(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("SimulatePrincipalPolicy", simulation({"iam:GetAccountSummary": "explicitDeny"}))
    assert canned_aws.validate(ROLE, EXPECTED).outcome is Outcome.ACTIVE


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("GetAccountSummary", error("AccessDenied", 403)),
        ("DescribeTrails", json_error("AccessDeniedException", 400)),
        ("DescribeRegions", error("UnauthorizedOperation", 403)),
    ],
    ids=["iam", "cloudtrail", "ec2"],
)
def test_an_organisations_denial_that_the_simulation_misses_is_found(
    canned: CannedAws, canned_aws: AwsProvider, action: str, answer: Answer
):
    canned.will_answer(action, answer)
    step = last_checked(canned_aws.validate(ROLE, EXPECTED))
    assert (step.status, step.code, len(step.missing_permissions)) == (StepStatus.FAILED, "missing_permissions", 1)
    assert step.missing_permissions[0].endswith(f":{action}")


def test_an_account_without_a_password_policy_has_granted_the_look_at_it(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("GetAccountPasswordPolicy", error("NoSuchEntity", 404))
    assert canned_aws.validate(ROLE, EXPECTED).outcome is Outcome.ACTIVE


def test_every_required_permission_can_be_tried():
    assert set(PROBES) == set(REQUIRED)


def test_a_credential_of_another_cloud_is_no_input(canned_aws: AwsProvider):
    with pytest.raises(InvalidInput):
        canned_aws.validate(Credential("azure_service_principal", {"client_id": "c"}), EXPECTED)


def test_a_gov_cloud_platform_takes_gov_cloud_roles(canned: CannedAws):
    gov = canned_provider(canned.url, region="us-gov-west-1")
    gov_role = role_credential(ROLE_ARN.replace("arn:aws:", "arn:aws-us-gov:"))
    assert gov.validate(gov_role, EXPECTED).accepted
    assert finding(gov.validate(ROLE, EXPECTED)) == ("shape", "other_partition")


# An organisation that closes regions


@pytest.mark.parametrize("open_region", ["eu-central-1", "eu-north-1", "us-east-1", "ap-southeast-3"])
def test_an_organisation_that_allows_other_regions_only_is_limited_and_told_so(
    canned: CannedAws, canned_aws: AwsProvider, open_region: str
):
    canned.open_regions = lambda region: region == open_region
    verdict = canned_aws.validate(ROLE, EXPECTED)
    step = last_checked(verdict)
    assert (verdict.outcome, step.status, step.code) == (Outcome.ACTIVE_LIMITED, StepStatus.WARNED, "region_policy")
    assert (step.missing_permissions, "ap-south-1" in step.message) == ((), True)
    assert "organisation" in step.message
    asked = {r.region for r in canned.requests if r.action == "DescribeSecurityGroups"}
    assert asked == {"ap-south-1", open_region}


def test_what_is_missing_in_the_region_that_answers_is_missing(canned: CannedAws, canned_aws: AwsProvider):
    canned.open_regions = lambda region: region.startswith("eu-")
    denied = error("AccessDenied", 403)
    canned.will_answer("ListBuckets", denied, denied)
    verdict = canned_aws.validate(ROLE, EXPECTED)
    assert verdict.outcome is Outcome.REFUSED
    assert last_checked(verdict).missing_permissions == ("s3:ListAllMyBuckets",)
    assert "ap-south-1" in last_checked(verdict).message


def test_a_region_that_is_not_switched_on_is_not_the_only_one_asked(canned: CannedAws, canned_aws: AwsProvider):
    canned.open_regions, canned.closed_with = lambda region: region != "ap-south-1", "AuthFailure"
    assert last_checked(canned_aws.validate(ROLE, EXPECTED)).code == "region_policy"


def test_permissions_that_no_region_grants_are_missing(canned: CannedAws, canned_aws: AwsProvider):
    canned.open_regions = lambda region: False
    verdict = canned_aws.validate(ROLE, EXPECTED)
    assert verdict.outcome is Outcome.REFUSED
    assert "ec2:DescribeRegions" in last_checked(verdict).missing_permissions
    assert len({r.region for r in canned.requests}) <= MAX_TRIED + 1


def test_a_role_without_any_permission_is_not_tried_in_every_region(canned: CannedAws, canned_aws: AwsProvider):
    canned.open_regions = lambda region: False
    canned.will_answer("GetAccountSummary", error("AccessDenied", 403))
    canned_aws.validate(ROLE, EXPECTED)
    assert {r.region for r in canned.requests if r.action == "DescribeRegions"} == {"ap-south-1"}


# An account that AWS has not activated


@pytest.mark.parametrize("code", ["OptInRequired", "SubscriptionRequiredException", "PendingVerification", "Blocked"])
def test_an_account_that_is_not_activated_is_refused_with_its_state(
    canned: CannedAws, canned_aws: AwsProvider, code: str
):
    canned.open_regions, canned.closed_with = lambda region: False, code
    verdict = canned_aws.validate(ROLE, EXPECTED)
    step = last_checked(verdict)
    assert (verdict.outcome, step.name, step.code) == (Outcome.REFUSED, "permissions", "account_not_active")
    assert "activated" in step.message
    assert "Billing" in (step.remedy or "")


def test_the_same_answer_to_our_own_call_is_ours(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("AssumeRole", error("OptInRequired", 403))
    with pytest.raises(PlatformConfig):
        canned_aws.validate(ROLE, EXPECTED)


# What spreads late


def test_a_permission_that_was_granted_a_moment_ago_is_waited_for(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("GetAccountSummary", error("AccessDenied", 403))
    with pytest.raises(Propagating):
        canned_aws.validate(ROLE, JUST_MADE)
    assert canned_aws.validate(ROLE, JUST_MADE).outcome is Outcome.ACTIVE


def test_a_simulation_that_lags_behind_does_not_limit_for_good(canned: CannedAws, canned_aws: AwsProvider):
    lagging = simulation(dict.fromkeys(PUBLISHED, "implicitDeny"))
    canned.will_answer("SimulatePrincipalPolicy", lagging, lagging)
    with pytest.raises(Propagating):
        canned_aws.validate(ROLE, JUST_MADE)
    assert canned_aws.validate(ROLE, EXPECTED).outcome is Outcome.ACTIVE_LIMITED
    assert canned_aws.validate(ROLE, JUST_MADE).outcome is Outcome.ACTIVE


# Who may do more than look


def test_a_role_that_may_do_everything_is_active_with_a_warning_and_its_remedy(
    canned: CannedAws, canned_aws: AwsProvider
):
    canned.will_answer("SimulatePrincipalPolicy", simulation(dict.fromkeys([*PUBLISHED, *CHANGING], "allowed")))
    verdict = canned_aws.validate(ROLE, EXPECTED)
    assert (verdict.outcome, [problem.code for problem in verdict.problems]) == (Outcome.ACTIVE, ["over_privileged"])
    [problem] = verdict.problems
    assert problem.remedy
    assert "Action *" in problem.remedy


# Partitions


def test_a_platform_of_the_sovereign_cloud_takes_its_roles_and_says_whose_keys_it_knows(canned: CannedAws):
    sovereign = canned_provider(canned.url, region="eusc-de-east-1")
    role = role_credential(ROLE_ARN.replace("arn:aws:", "arn:aws-eusc:"))
    canned.callers[ROLE_KEY_ID] = canned.callers[ROLE_KEY_ID].replace("arn:aws:", "arn:aws-eusc:")
    assert sovereign.validate(role, EXPECTED).accepted
    canned.will_answer("GetCallerIdentity", error("InvalidClientTokenId", 403))
    assert "partition aws-eusc" in (last_checked(sovereign.validate(KEY, EXPECTED)).remedy or "")


@pytest.mark.parametrize("partition", [name for name in PARTITIONS if name != "aws"])
def test_a_role_of_another_partition_is_told_what_would_reach_it(canned_aws: AwsProvider, partition: str):
    step = last_checked(
        canned_aws.validate(role_credential(ROLE_ARN.replace("arn:aws:", f"arn:{partition}:")), EXPECTED)
    )
    assert step.code == "other_partition"
    assert "operators" in (step.remedy or "")
    assert "or an access key" not in (step.remedy or "")


def test_every_partition_that_botocore_knows_is_known():
    assert set(PARTITIONS) == set(botocore.session.get_session().get_available_partitions())
    for partition in PARTITIONS:
        for region in boto3.session.Session().get_available_regions("ec2", partition_name=partition):
            assert partition_of(region) == partition
