"""The whole proof of a service principal on the stand-in, which checks secrets, assertions, tokens and roles."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from domain.errors import InvalidInput, Unavailable
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from emulators.clouds.azure import READER, Subscription
from emulators.clouds.faults import Fault
from emulators.clouds.server import StandIn
from providers.azure.description import PERMISSIONS
from tests.engine_needs import AZURE
from tests.providers.azure_rig import OTHER, Rig, running_azure, secret_credential
from tests.providers.stand_in_rig import EXPECTED, last_checked

TOKEN, SUBSCRIPTION, PERMISSION = r"/token$", r"/subscriptions/[^/]+$", r"/permissions$"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_azure(tmp_path_factory.mktemp("azure")) as stand_in:
        yield stand_in


@pytest.fixture
def azure(server: StandIn) -> Iterator[Rig]:
    with Rig(server) as rig:
        yield rig


# A good credential


def test_a_client_secret_with_every_permission_makes_an_active_account(azure: Rig):
    verdict = azure.validate()
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())
    assert [step.name for step in verdict.steps] == ["shape", "identify", "ownership", "permissions"]
    assert verdict.account_number == azure.cloud.subscription.subscription_id
    assert verdict.identity == f"servicePrincipals/{azure.cloud.application.object_id}"


def test_a_validation_is_three_calls(azure: Rig):
    azure.validate()
    assert [call.split(" ")[0] for call in azure.calls()] == ["POST", "GET", "GET"]


def test_ids_may_be_written_in_capitals(azure: Rig):
    fields = {name: str(value).upper() for name, value in azure.cloud.demo_credential().items() if "id" in name}
    verdict = azure.validate(secret_credential(azure.cloud, **fields))
    assert (verdict.outcome, verdict.account_number) == (Outcome.ACTIVE, azure.cloud.subscription.subscription_id)


# What is wrong with the fields


def test_everything_that_is_wrong_with_the_fields_is_said_at_once_and_azure_is_not_asked(azure: Rig):
    wrong = secret_credential(azure.cloud, tenant_id="contoso.onmicrosoft.com", client_id="me", client_secret="kurz")
    step = azure.validate(wrong).steps[0]
    assert (step.name, step.code) == ("shape", "malformed")
    assert all(name in step.message for name in ("tenant_id", "client_id", "client_secret"))
    assert azure.calls() == []


def test_a_credential_of_another_cloud_is_no_input(azure: Rig):
    with pytest.raises(InvalidInput):
        azure.validate(Credential("aws_access_key", {"access_key_id": "AKIA"}))


# What Entra ID refuses


def test_a_wrong_secret_is_refused_with_the_usual_cause(azure: Rig):
    verdict = azure.validate(secret_credential(azure.cloud, client_secret="Aa1~not-the-secret"))
    step = verdict.steps[1]
    assert (verdict.outcome, step.code) == (Outcome.REFUSED, "wrong_secret")
    assert "ID" in step.message
    assert step.remedy
    assert [step.status for step in verdict.steps[2:]] == [StepStatus.SKIPPED, StepStatus.SKIPPED]


def test_a_secret_with_one_letter_changed_is_refused(azure: Rig):
    good = secret_credential(azure.cloud).reveal("client_secret")
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    assert azure.finding(secret_credential(azure.cloud, client_secret=flipped)) == ("identify", "wrong_secret")


def test_a_secret_in_quotation_marks_is_refused_with_a_word_about_them(azure: Rig):
    """They may be part of it, so they are not taken off."""
    secret = azure.cloud.demo_credential()["client_secret"]
    step = last_checked(azure.validate(secret_credential(azure.cloud, client_secret=f"'{secret}'")))
    assert step.code == "wrong_secret"
    assert "quotation marks" in step.message


def test_an_expired_secret_is_refused(azure: Rig):
    azure.cloud.application.secrets = dict.fromkeys(azure.cloud.application.secrets, 1.0)
    assert azure.finding() == ("identify", "expired_credential")


def test_an_unknown_tenant_is_refused(azure: Rig):
    assert azure.finding(secret_credential(azure.cloud, tenant_id=OTHER)) == ("identify", "unknown_tenant")


def test_an_unknown_application_is_refused(azure: Rig):
    assert azure.finding(secret_credential(azure.cloud, client_id=OTHER)) == ("identify", "unknown_application")


def test_a_disabled_application_is_refused(azure: Rig):
    azure.cloud.application.enabled = False
    assert azure.finding() == ("identify", "application_disabled")


def test_an_application_that_a_policy_blocks_is_refused(azure: Rig):
    azure.cloud.application.blocked = True
    assert azure.finding() == ("identify", "blocked_by_policy")


@pytest.mark.parametrize("claim", ["tid", "appid"])
def test_a_token_for_someone_else_is_refused(azure: Rig, claim: str):
    azure.cloud.claims = {claim: OTHER}
    assert azure.finding() == ("identify", "other_identity")


def test_a_token_of_the_second_version_names_the_application_too(azure: Rig):
    azure.cloud.claims = {"appid": None, "azp": azure.cloud.application.client_id}
    assert azure.validate().accepted


# Whose subscription it is


def test_a_subscription_that_azure_does_not_know_is_refused(azure: Rig):
    found = azure.finding(secret_credential(azure.cloud, subscription_id=OTHER))
    assert found == ("ownership", "unknown_subscription")


def test_a_subscription_without_a_role_is_refused(azure: Rig):
    azure.cloud.subscription.roles.clear()
    verdict = azure.validate()
    assert (verdict.steps[2].code, verdict.account_number) == ("no_role", None)
    assert "Reader" in (verdict.steps[2].remedy or "")


def test_a_subscription_of_another_tenant_is_refused(azure: Rig):
    foreign = Subscription(tenant_id=str(uuid4()))
    azure.cloud.subscriptions[foreign.subscription_id] = foreign
    found = azure.finding(secret_credential(azure.cloud, subscription_id=foreign.subscription_id))
    assert found == ("ownership", "other_tenant")


def test_a_subscription_that_another_tenant_has_delegated_is_refused(azure: Rig):
    roles = {azure.cloud.application.object_id: [READER]}
    foreign = Subscription(tenant_id=str(uuid4()), roles=roles)
    azure.cloud.subscriptions[foreign.subscription_id] = foreign
    found = azure.finding(secret_credential(azure.cloud, subscription_id=foreign.subscription_id))
    assert found == ("ownership", "other_tenant")


def test_another_subscription_than_before_is_refused(azure: Rig):
    verdict = azure.validate(expectation=Expectation(EXPECTED.external_id, account_number=OTHER))
    assert (verdict.outcome, verdict.steps[2].code) == (Outcome.REFUSED, "account_changed")


def test_the_same_subscription_as_before_is_accepted(azure: Rig):
    known = azure.cloud.subscription.subscription_id
    assert azure.validate(expectation=Expectation(EXPECTED.external_id, account_number=known)).accepted


@pytest.mark.parametrize("state", ["Warned", "PastDue", "Disabled", "NewState"])
def test_a_subscription_that_is_not_enabled_is_a_warning(azure: Rig, state: str):
    azure.cloud.subscription.state = state
    verdict = azure.validate()
    assert (verdict.outcome, verdict.steps[2].status) == (Outcome.ACTIVE, StepStatus.WARNED)
    assert verdict.steps[2].code == "subscription_not_enabled"


def test_a_deleted_subscription_is_refused(azure: Rig):
    azure.cloud.subscription.state = "Deleted"
    assert azure.finding() == ("ownership", "subscription_deleted")


# Permissions


def grant(azure: Rig, *roles: dict[str, list[str]]) -> None:
    azure.cloud.subscription.roles[azure.cloud.application.object_id] = list(roles)


def missing(azure: Rig) -> tuple[str, ...]:
    return azure.validate().steps[-1].missing_permissions


def test_reader_alone_is_enough_for_what_validation_and_an_engine_need(azure: Rig):
    grant(azure, READER)
    assert azure.validate().outcome is Outcome.ACTIVE


def test_a_role_with_what_validation_needs_lacks_what_the_engine_needs(azure: Rig):
    grant(azure, {"actions": [permission.name for permission in PERMISSIONS]})
    verdict = azure.validate()
    step = verdict.steps[-1]
    assert (verdict.outcome, step.code) == (Outcome.ACTIVE_LIMITED, "limited_permissions")
    assert step.missing_permissions == AZURE


def test_a_role_for_something_else_lists_every_permission(azure: Rig):
    grant(azure, {"actions": ["Microsoft.Support/*"]})
    verdict = azure.validate()
    assert (verdict.outcome, verdict.steps[-1].code) == (Outcome.REFUSED, "missing_permissions")
    assert missing(azure) == (*(permission.name for permission in PERMISSIONS), *AZURE)


def test_the_role_of_the_script_grants_every_permission(azure: Rig):
    grant(azure, {"actions": [permission.name for permission in azure.provider.description.permissions]})
    assert azure.validate().outcome is Outcome.ACTIVE


def test_what_a_role_excepts_is_missing_unless_another_role_has_it(azure: Rig):
    lock = "Microsoft.Authorization/locks/read"
    excepting = {"actions": ["*"], "notActions": ["microsoft.authorization/LOCKS/*"], "dataActions": ["*"]}
    grant(azure, excepting)
    assert missing(azure) == (lock,)
    grant(azure, excepting, {"actions": [lock]})
    assert missing(azure) == ()


def test_data_actions_never_stand_in_for_actions(azure: Rig):
    grant(azure, {"dataActions": ["*"]})
    assert missing(azure) == (*(permission.name for permission in PERMISSIONS), *AZURE)


def test_roles_on_several_pages_count_together(azure: Rig):
    grant(azure, *({"actions": [permission.name]} for permission in azure.provider.description.permissions))
    azure.cloud.subscription.page_size = 10
    assert azure.validate().outcome is Outcome.ACTIVE
    assert len([call for call in azure.calls() if call.endswith("/permissions")]) == 3


def test_a_next_page_elsewhere_is_not_followed(azure: Rig):
    body = {"value": [], "nextLink": "https://attacker.example/subscriptions"}
    azure.stand_in.faults.add(Fault(PERMISSION, status=200, body=body))
    with pytest.raises(Unavailable):
        azure.validate()
    assert len(azure.calls()) == 3


def test_pages_without_end_are_given_up(azure: Rig):
    link = f"https://management.azure.com/subscriptions/{azure.cloud.subscription.subscription_id}/permissions?a=1"
    azure.stand_in.faults.add(Fault(PERMISSION, times=99, status=200, body={"value": [], "nextLink": link}))
    with pytest.raises(Unavailable):
        azure.validate()
    assert len(azure.calls()) < 30


def test_a_role_that_is_taken_away_meanwhile_lists_every_permission(azure: Rig):
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    azure.stand_in.faults.add(Fault(PERMISSION, status=403, body=body))
    assert len(missing(azure)) == len(azure.provider.description.permissions)
