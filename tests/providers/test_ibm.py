"""The whole proof of an API key on the stand-in, which checks keys, tokens and who may see which policies."""

from collections.abc import Iterator

import pytest

from domain.errors import InvalidInput
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from emulators.clouds.faults import Fault
from emulators.clouds.ibm import (
    ACCOUNT_SERVICES,
    IAM_ENABLED_SERVICES,
    RESOURCE_GROUPS,
    Group,
    Policy,
    errors,
    refused,
)
from emulators.clouds.server import StandIn
from providers.ibm.description import PERMISSIONS, POLICIES
from tests.engine_needs import IBM
from tests.providers.ibm_rig import DETAILS, GROUPS, TOKEN, IbmRig, running_ibm
from tests.providers.ibm_rig import POLICIES as POLICIES_PATH
from tests.providers.stand_in_rig import EXTERNAL_ID

OTHER = "0123456789abcdef0123456789abcdef"
STEPS = ["shape", "identify", "trust", "ownership", "permissions"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_ibm(tmp_path_factory.mktemp("ibm")) as stand_in:
        yield stand_in


@pytest.fixture
def ibm(server: StandIn) -> Iterator[IbmRig]:
    with IbmRig(server) as rig:
        yield rig


# A good key


def test_an_api_key_with_every_permission_makes_an_active_account(ibm: IbmRig):
    verdict = ibm.validate()
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())
    assert [step.name for step in verdict.steps] == STEPS
    assert (verdict.account_number, verdict.identity) == (ibm.cloud.account_id, ibm.cloud.iam_id)


def test_a_validation_is_three_calls_when_the_keys_own_policies_are_enough(ibm: IbmRig):
    ibm.validate()
    assert ibm.places() == [TOKEN, "/v1/apikeys/details", POLICIES_PATH]


def test_the_account_named_with_the_key_is_accepted_when_it_is_the_right_one(ibm: IbmRig):
    assert ibm.validate(account_number=ibm.cloud.account_id).accepted


# What is wrong with the fields


@pytest.mark.parametrize("api_key", ["short", "x" * 200, "a b" * 20, "ä" * 44, "k" * 42 + "!"])
def test_a_key_of_the_wrong_form_is_found_before_ibm_is_asked(ibm: IbmRig, api_key: str):
    verdict = ibm.validate(api_key=api_key)
    assert (verdict.outcome, verdict.steps[0].code) == (Outcome.REFUSED, "malformed")
    assert api_key not in repr(verdict)
    assert ibm.places() == []


def test_everything_that_is_wrong_with_the_fields_is_said_at_once(ibm: IbmRig):
    step = ibm.validate(api_key="short", account_number="mine").steps[0]
    assert all(name in step.message for name in ("api_key", "account_number"))


def test_a_credential_of_another_cloud_is_no_input(ibm: IbmRig):
    with pytest.raises(InvalidInput):
        ibm.provider.validate(Credential("aws_access_key", {"access_key_id": "AKIA"}), Expectation(EXTERNAL_ID))


# The key itself


def test_an_unknown_key_is_refused(ibm: IbmRig):
    verdict = ibm.validate(api_key="k" * 44)
    assert (verdict.outcome, verdict.steps[1].code) == (Outcome.REFUSED, "unknown_key")
    assert {step.status for step in verdict.steps[2:]} == {StepStatus.SKIPPED}


def test_a_key_with_one_letter_changed_is_refused(ibm: IbmRig):
    good = ibm.cloud.key.value
    assert ibm.finding(api_key=good[:-1] + ("A" if good[-1] != "A" else "B")) == ("identify", "unknown_key")


def test_a_disabled_key_is_refused(ibm: IbmRig):
    ibm.cloud.key.disabled = True
    assert ibm.finding() == ("identify", "key_disabled")


def test_a_key_that_was_disabled_a_moment_ago_is_refused_though_it_got_a_token(ibm: IbmRig):
    body = {"iam_id": ibm.cloud.iam_id, "account_id": ibm.cloud.account_id, "disabled": True}
    ibm.stand_in.faults.add(Fault(DETAILS, status=200, body=body))
    assert ibm.finding() == ("identify", "key_disabled")


def test_an_expired_key_is_refused(ibm: IbmRig):
    ibm.cloud.key.expires = 1.0
    assert ibm.finding() == ("identify", "expired_credential")


def test_a_locked_key_is_a_warning_and_the_account_active(ibm: IbmRig):
    ibm.cloud.key.locked = True
    verdict = ibm.validate()
    assert (verdict.outcome, verdict.steps[1].status) == (Outcome.ACTIVE, StepStatus.WARNED)
    assert verdict.steps[1].code == "key_locked"


def test_a_users_key_is_a_warning_that_says_how_far_it_reaches(ibm: IbmRig):
    user = "IBMid-270000ABCD"
    ibm.cloud.keys.append(key := ibm.cloud.new_key(user))
    ibm.cloud.policies += [Policy(user, policy.attributes) for policy in list(ibm.cloud.policies)]
    verdict = ibm.validate(api_key=key.value)
    step = verdict.steps[2]
    assert (verdict.outcome, step.status, step.code) == (Outcome.ACTIVE, StepStatus.WARNED, "user_key")
    assert "every account" in step.message
    assert verdict.identity == user


@pytest.mark.parametrize("claims", [{"iam_id": "iam-ServiceId-other"}, {"account": {"bss": OTHER}}, {"account": None}])
def test_a_token_for_someone_else_is_refused(ibm: IbmRig, claims: dict[str, object]):
    ibm.cloud.claims = claims
    assert ibm.finding() == ("identify", "other_identity")


def test_a_key_that_may_not_see_its_own_details_is_told_what_to_assign(ibm: IbmRig):
    ibm.stand_in.faults.add(Fault(DETAILS, status=403, body=errors(403, "insufficent_permissions")))
    assert ibm.finding() == ("identify", "access_denied")


def test_a_key_that_is_gone_between_two_calls_is_refused(ibm: IbmRig):
    ibm.stand_in.faults.add(Fault(DETAILS, status=404, body=errors(404, "not_found", "BXNIM0102E")))
    assert ibm.finding() == ("identify", "unknown_key")


# An answer that says nothing


def test_a_refusal_without_a_code_is_asked_for_once_more(ibm: IbmRig):
    ibm.stand_in.faults.add(Fault(TOKEN, status=400, body={}))
    assert ibm.validate().outcome is Outcome.ACTIVE
    assert ibm.places().count(TOKEN) == 2


def test_a_refusal_with_a_code_that_is_new_is_asked_for_once_more_and_then_believed(ibm: IbmRig):
    ibm.stand_in.faults.add(Fault(TOKEN, times=2, status=400, body=refused("BXNIM0499E", "Something new.")))
    assert ibm.finding() == ("identify", "key_refused")
    assert ibm.places().count(TOKEN) == 2
    ibm.stand_in.faults.add(Fault(TOKEN, status=400, body=refused("BXNIM0499E", "Something new.")))
    assert ibm.validate().accepted


def test_a_refusal_with_a_known_code_is_believed_at_once(ibm: IbmRig):
    ibm.validate(api_key="k" * 44)
    assert ibm.places() == [TOKEN]


# Whose account it is


def test_a_key_of_another_account_than_submitted_is_refused(ibm: IbmRig):
    verdict = ibm.validate(account_number=OTHER)
    assert (verdict.outcome, verdict.steps[3].code) == (Outcome.REFUSED, "other_account")
    assert verdict.account_number == ibm.cloud.account_id


def test_a_key_of_another_account_than_before_is_refused(ibm: IbmRig):
    assert ibm.finding(Expectation(EXTERNAL_ID, account_number=OTHER)) == ("ownership", "account_changed")


def test_a_key_of_the_same_account_as_before_is_accepted(ibm: IbmRig):
    assert ibm.validate(Expectation(EXTERNAL_ID, account_number=ibm.cloud.account_id)).accepted


# Permissions


def grant(ibm: IbmRig, *attributes: dict[str, str], **more: str) -> None:
    ibm.cloud.policies = [Policy(ibm.cloud.iam_id, each, **more) for each in attributes]  # type: ignore[arg-type]


def missing(ibm: IbmRig) -> tuple[str, ...]:
    return ibm.validate().steps[-1].missing_permissions


def without(*names: str) -> tuple[str, ...]:
    published = (*(permission.name for permission in PERMISSIONS), *IBM)
    return tuple(name for name in published if name not in names)


def test_a_policy_for_each_service_is_enough(ibm: IbmRig):
    services = [name.split(":")[0] for name in without("resource-group:Viewer")]
    grant(ibm, RESOURCE_GROUPS, *({"serviceName": service} for service in services))
    assert ibm.validate().outcome is Outcome.ACTIVE


def test_missing_optional_permissions_limit_the_account(ibm: IbmRig):
    services = [permission.name.split(":")[0] for permission in PERMISSIONS]
    grant(ibm, *({"serviceName": service} for service in services))
    verdict = ibm.validate()
    assert (verdict.outcome, verdict.steps[-1].code) == (Outcome.ACTIVE_LIMITED, "limited_permissions")
    assert verdict.steps[-1].missing_permissions == IBM


def test_everything_that_is_missing_is_listed_at_once(ibm: IbmRig):
    grant(ibm, ACCOUNT_SERVICES)
    verdict = ibm.validate()
    account = ("iam-access-management", "iam-identity", "iam-groups", "user-management", "context-based-restrictions")
    assert (verdict.outcome, verdict.steps[-1].code) == (Outcome.ACTIVE_LIMITED, "limited_permissions")
    assert missing(ibm) == without(*(f"{service}:Viewer" for service in account))


def test_policies_of_access_groups_count(ibm: IbmRig):
    group, other = Group(members=[ibm.cloud.iam_id]), Group()
    ibm.cloud.groups = [group, other]
    grant(ibm, ACCOUNT_SERVICES)
    ibm.cloud.policies += [Policy(group.id, RESOURCE_GROUPS), Policy(other.id, IAM_ENABLED_SERVICES)]
    assert "resource-group:Viewer" not in missing(ibm)
    assert "is:Viewer" in missing(ibm)
    group.members, other.members = [], [ibm.cloud.iam_id]
    assert missing(ibm) == ("resource-group:Viewer",)


def test_a_key_that_has_everything_from_groups_is_active(ibm: IbmRig):
    ibm.cloud.groups = [Group(members=[ibm.cloud.iam_id]) for _ in range(3)]
    for policy, group in zip(ibm.cloud.policies, ibm.cloud.groups, strict=True):
        policy.subject = group.id
    assert ibm.validate().outcome is Outcome.ACTIVE
    assert ibm.places().count(POLICIES_PATH) == 4


def test_policies_on_several_pages_count_together(ibm: IbmRig):
    ibm.cloud.page_size = 1
    assert ibm.validate().outcome is Outcome.ACTIVE
    assert ibm.places().count(POLICIES_PATH) == 3


def test_a_key_that_sees_no_policies_is_told_so_and_not_that_all_is_missing(ibm: IbmRig):
    grant(ibm, IAM_ENABLED_SERVICES)
    verdict = ibm.validate()
    step = verdict.steps[-1]
    assert (verdict.outcome, step.missing_permissions) == (Outcome.REFUSED, (POLICIES,))
    assert "unknown" in step.message


@pytest.mark.parametrize("path", [POLICIES_PATH, GROUPS])
def test_a_denial_is_the_same_as_an_empty_list(ibm: IbmRig, path: str):
    grant(ibm, ACCOUNT_SERVICES)
    ibm.stand_in.faults.add(Fault(path, status=403, body=errors(403, "insufficent_permissions")))
    assert POLICIES not in missing(ibm) or path == POLICIES_PATH


@pytest.mark.parametrize(
    ("attributes", "more"),
    [
        ({**IAM_ENABLED_SERVICES, "resourceGroupId": "dda27e49d2a1efca58083a01dfde18f6"}, {}),
        ({"serviceName": "is", "region": "eu-de"}, {}),
        ({"serviceName": "is", "serviceInstance": "d161aeea-fd02-40f8-a487-df1998bd69a9"}, {}),
        (IAM_ENABLED_SERVICES, {"role": "crn:v1:bluemix:public:iam::::serviceRole:Writer"}),
        (IAM_ENABLED_SERVICES, {"role": "crn:v1:bluemix:public:is::a/0123::customRole:Viewer"}),
        (IAM_ENABLED_SERVICES, {"account_id": OTHER}),
        (IAM_ENABLED_SERVICES, {"state": "deleted"}),
        (IAM_ENABLED_SERVICES, {"type": "authorization"}),
        (IAM_ENABLED_SERVICES, {"tags": [{"name": "env", "value": "dev", "operator": "stringEquals"}]}),
        ({"serviceName": "is"}, {"operator": "stringMatch"}),
    ],
    ids=[
        "group",
        "region",
        "instance",
        "service role",
        "custom role",
        "account",
        "deleted",
        "other type",
        "tags",
        "match",
    ],
)
def test_a_policy_for_a_part_of_the_account_or_for_something_else_does_not_count(
    ibm: IbmRig, attributes: dict[str, str], more: dict[str, str]
):
    grant(ibm, ACCOUNT_SERVICES, RESOURCE_GROUPS)
    ibm.cloud.policies.append(Policy(ibm.cloud.iam_id, attributes, **more))  # type: ignore[arg-type]
    assert "is:Viewer" in missing(ibm)


@pytest.mark.parametrize("role", ["Viewer", "Operator", "Editor", "Administrator"])
def test_a_stronger_role_can_view_too(ibm: IbmRig, role: str):
    grant(ibm, ACCOUNT_SERVICES, RESOURCE_GROUPS, IAM_ENABLED_SERVICES, role=role)
    assert ibm.validate().outcome is Outcome.ACTIVE


def test_the_older_policy_for_all_services_names_none_of_them(ibm: IbmRig):
    grant(ibm, ACCOUNT_SERVICES, RESOURCE_GROUPS, {})
    assert ibm.validate().outcome is Outcome.ACTIVE


def test_the_group_of_iam_services_is_less_than_all_account_services(ibm: IbmRig):
    grant(ibm, {"service_group_id": "IAM"}, IAM_ENABLED_SERVICES, RESOURCE_GROUPS)
    assert missing(ibm) == ("context-based-restrictions:Viewer",)


def test_a_policy_that_is_no_longer_active_does_not_count_though_ibm_lists_it(ibm: IbmRig):
    ibm.cloud.policies[0].state = "deleted"
    everything = [ibm.cloud.shown(policy) for policy in ibm.cloud.policies]
    ibm.stand_in.faults.add(Fault(POLICIES_PATH, status=200, body={"policies": everything}))
    assert POLICIES in missing(ibm)
