"""The whole proof of a key and of a role on the stand-in, which verifies signatures, nonces and trust policies."""

import json
from collections.abc import Iterator

import pytest

from domain.errors import InvalidInput
from domain.onboarding.catalogue import SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from emulators.clouds.alicloud import READING, made
from emulators.clouds.server import StandIn, running_stand_in
from providers.alicloud.permissions import PROBES, REQUIRED
from providers.alicloud.provider import AliCloudProvider
from tests.providers.alicloud_rig import AliCloudRig
from tests.providers.stand_in_rig import EXPECTED, EXTERNAL_ID, last_checked

OTHER = "acs:ram::9999888877776666:user/someone"
SECOND = Expectation(EXTERNAL_ID, account_number="9999888877776666")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("alicloud"), []) as stand_in:
        yield stand_in


@pytest.fixture
def ali(server: StandIn) -> Iterator[AliCloudRig]:
    with AliCloudRig(server) as rig:
        yield rig


# A key


def test_a_key_with_every_permission_makes_an_active_account(ali: AliCloudRig):
    verdict = ali.validate()
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())
    assert [step.name for step in verdict.steps] == ["shape", "identify", "trust", "ownership", "permissions"]
    assert (verdict.account_number, verdict.identity) == (ali.cloud.account, ali.cloud.user.arn)


def test_a_validation_asks_who_it_is_and_once_for_each_permission(ali: AliCloudRig):
    ali.validate()
    # And once for the policies of the user, and for its groups.
    assert len(ali.stand_in.log) == 1 + len(PROBES) + 2


def test_an_unknown_key_a_disabled_key_and_a_wrong_secret_are_told_apart(ali: AliCloudRig):
    assert ali.finding(ali.key(access_key_id=f"LTAI5t{made(18)}")) == ("identify", "unknown_key")
    assert ali.finding(ali.key(access_key_secret=made(30))) == ("identify", "wrong_secret")
    ali.cloud.user.is_active = False
    assert ali.finding() == ("identify", "key_disabled")


def test_a_key_of_the_account_itself_is_refused(ali: AliCloudRig):
    ali.cloud.user.identity_type, ali.cloud.user.arn = "Account", f"acs:ram::{ali.cloud.account}:root"
    assert ali.finding() == ("trust", "root_key")


def test_everything_that_is_wrong_with_the_fields_is_said_at_once_and_without_a_call(ali: AliCloudRig):
    verdict = ali.validate(ali.key(access_key_id="STS.NSaKq8Cxyz", access_key_secret="no", account_number="twelve"))
    assert last_checked(verdict).code == "malformed"
    for name in ("access_key_id", "access_key_secret", "account_number"):
        assert f"{name} has the wrong format" in last_checked(verdict).message
    assert (ali.stand_in.log, ali.names.asked, verdict.account_number) == ([], [], None)


def test_a_key_of_another_account_is_refused(ali: AliCloudRig):
    assert ali.finding(ali.key(account_number="9999888877776666")) == ("ownership", "other_account")
    assert ali.finding(ali.key(), SECOND) == ("ownership", "account_changed")
    assert ali.validate(ali.key(account_number=ali.cloud.account)).accepted
    assert ali.validate(ali.key(), Expectation(EXTERNAL_ID, account_number=ali.cloud.account)).accepted


# A role


def test_a_role_with_our_external_id_makes_an_active_account(ali: AliCloudRig):
    verdict = ali.validate(ali.role())
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())
    assert verdict.account_number == ali.cloud.account
    assert verdict.identity == f"acs:ram::{ali.cloud.account}:assumed-role/threatenginereadonly/te-validation"


def test_the_external_id_may_be_submitted_when_it_is_ours(ali: AliCloudRig):
    assert ali.validate(ali.role(external_id=EXTERNAL_ID)).accepted
    assert ali.finding(ali.role(external_id="te-of-someone-else")) == ("shape", "external_id_mismatch")


def test_the_submitted_external_id_is_never_used(ali: AliCloudRig):
    theirs = ali.role("te-chosen-by-the-customer", external_id="te-chosen-by-the-customer")
    assert ali.finding(theirs) == ("shape", "external_id_mismatch")
    assert ali.stand_in.log == []


def test_a_role_that_asks_for_no_external_id_is_unsafe(ali: AliCloudRig):
    verdict = ali.validate(ali.role(None))
    assert (verdict.outcome, last_checked(verdict).name, last_checked(verdict).code) == (
        Outcome.REFUSED,
        "trust",
        "unsafe_trust",
    )


def test_a_role_that_takes_any_external_id_is_unsafe(ali: AliCloudRig):
    assert ali.finding(ali.role("*")) == ("trust", "unsafe_trust")


def test_both_probes_are_made_and_the_random_one_differs_each_time(ali: AliCloudRig):
    submitted = ali.role("*")
    ali.validate(submitted)
    ali.validate(submitted)
    probes = [given["ExternalId"] for given in ali.cloud.assumed if given["RoleSessionName"] == "te-trust-probe"]
    assert len(set(probes)) == 2
    assert all(probe.startswith("te-probe-") for probe in probes)


def test_a_role_that_asks_for_another_external_id_cannot_be_assumed(ali: AliCloudRig):
    verdict = ali.validate(ali.role("te-of-someone-else"))
    assert last_checked(verdict).code == "role_not_assumable"
    assert all(word in (last_checked(verdict).remedy or "") for word in ("role ARN", "trust policy", "external id"))


def test_a_role_that_trusts_someone_else_cannot_be_assumed(ali: AliCloudRig):
    submitted = ali.role()
    ali.cloud.roles[submitted.reveal("role_arn")].trusts = OTHER
    assert ali.finding(submitted) == ("identify", "role_not_assumable")


def test_a_role_that_does_not_exist_is_unknown(ali: AliCloudRig):
    submitted = ali.role(role_arn=f"acs:ram::{ali.cloud.account}:role/missing")
    assert ali.finding(submitted) == ("identify", "unknown_role")


def test_a_role_of_another_account_than_meant_is_refused(ali: AliCloudRig):
    assert ali.finding(ali.role(account_number="9999888877776666")) == ("ownership", "other_account")
    assert ali.finding(ali.role(), SECOND) == ("ownership", "account_changed")


def test_the_session_of_a_validation_can_do_no_more_than_validate(ali: AliCloudRig):
    submitted = ali.role()
    ali.validate(submitted)
    [given] = ali.cloud.assumed
    assert set(json.loads(given["Policy"])["Statement"][0]["Action"]) == set(PROBES)
    assert len(given["Policy"]) <= 1024  # the longest that STS takes
    assert given["DurationSeconds"] == "900"


# Permissions


@pytest.mark.parametrize("action", PROBES)
@pytest.mark.parametrize("method", ["key", "role"])
def test_each_permission_is_missed_alone(ali: AliCloudRig, method: str, action: str):
    submitted = ali.key() if method == "key" else ali.role()
    for granted in (ali.cloud.user.actions, *(role.actions for role in ali.cloud.roles.values())):
        granted.discard(action)
    verdict = ali.validate(submitted)
    assert last_checked(verdict).missing_permissions == (action,)
    assert verdict.outcome is (Outcome.REFUSED if action in REQUIRED else Outcome.ACTIVE_LIMITED)


def test_everything_that_is_missing_is_listed_with_the_remedy(ali: AliCloudRig):
    ali.cloud.user.actions -= {"ram:ListUsers", "vpc:DescribeVpcs", "slb:DescribeLoadBalancers"}
    step = last_checked(ali.validate())
    assert (step.code, step.status) == ("limited_permissions", StepStatus.WARNED)
    assert step.missing_permissions == ("ram:ListUsers", "vpc:DescribeVpcs", "slb:DescribeLoadBalancers")
    assert "script" in (step.remedy or "")


def test_a_user_without_any_permission_misses_all_of_them(ali: AliCloudRig):
    ali.cloud.user.actions.clear()
    assert last_checked(ali.validate()).missing_permissions == tuple(
        permission.name for permission in ali.provider.description.permissions
    )


def test_every_published_permission_is_tried_and_the_stand_in_knows_it():
    assert set(REQUIRED) <= set(PROBES) == READING


def test_what_an_engine_needs_and_nobody_can_try_is_granted_and_not_held_against_the_customer(ali: AliCloudRig):
    provider = AliCloudProvider(ali.client, ali.platform(), ["cen:DescribeCens"])
    assert "cen:DescribeCens" in (provider.setup(SetupRequest(EXTERNAL_ID, auth_method="access_key")).script or "")
    assert [permission.name for permission in provider.description.permissions][-1] == "cen:DescribeCens"
    assert provider.validate(ali.key(), EXPECTED).outcome is Outcome.ACTIVE


# The methods on offer


def test_roles_are_on_offer_only_where_the_platform_has_a_user_of_its_own(ali: AliCloudRig):
    without = AliCloudProvider(ali.client)
    assert [method.method for method in ali.provider.description.methods] == ["access_key", "ram_role"]
    assert [method.method for method in without.description.methods] == ["access_key"]
    assert without.validate(ali.key(), EXPECTED).accepted
    with pytest.raises(InvalidInput):
        without.validate(ali.role(), EXPECTED)
    with pytest.raises(InvalidInput):
        without.setup(SetupRequest(EXTERNAL_ID, auth_method="ram_role"))


def test_another_clouds_credential_is_input_that_makes_no_sense(ali: AliCloudRig):
    with pytest.raises(InvalidInput):
        ali.validate(Credential("aws_access_key", {"access_key_id": "x"}))
