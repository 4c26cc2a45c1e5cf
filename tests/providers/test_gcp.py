"""The whole proof of a service account's key on the stand-in, which checks assertions, tokens and permissions."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from domain.errors import InvalidInput
from domain.onboarding.catalogue import parse_credential
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from emulators.clouds.faults import Fault
from emulators.clouds.gcp import VIEWING, Account, Project
from emulators.clouds.gcp_tokens import parsed, pem_of
from emulators.clouds.server import StandIn, running_stand_in
from providers.gcp.description import REQUIRED, SERVICE_ACCOUNT
from providers.gcp.provider import GcpProvider
from tests.engine_needs import GCP
from tests.providers.gcp_rig import TEST, GcpRig, made_key
from tests.providers.stand_in_rig import EXTERNAL_ID


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("gcp"), []) as stand_in:
        yield stand_in


@pytest.fixture
def gcp(server: StandIn) -> Iterator[GcpRig]:
    with GcpRig(server) as rig:
        yield rig


# A good key


def test_a_key_with_every_permission_makes_an_active_account(gcp: GcpRig):
    verdict = gcp.validate()
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())
    assert [step.name for step in verdict.steps] == ["shape", "identify", "ownership", "permissions"]
    assert verdict.account_number == gcp.cloud.project.project_id
    assert verdict.identity == f"serviceAccount:{gcp.cloud.account.email}"


def test_a_validation_is_three_calls(gcp: GcpRig):
    gcp.validate()
    assert [call.split(" ")[0] for call in gcp.calls()] == ["POST", "GET", "POST"]


def test_the_token_that_is_asked_for_can_only_read_and_lives_minutes(gcp: GcpRig):
    gcp.validate()
    [token] = gcp.cloud.tokens.values()
    assert token.scopes == {"https://www.googleapis.com/auth/cloud-platform.read-only"}
    header, claims = parsed(gcp.cloud.forms[0]["assertion"])
    assert (header["alg"], header["kid"]) == ("RS256", gcp.cloud.key_id)
    assert claims["exp"] - claims["iat"] <= 900
    assert set(claims) == {"iss", "sub", "aud", "scope", "iat", "exp"}


def test_a_project_that_the_account_is_not_in_can_be_named(gcp: GcpRig):
    other = Project("another-project-1", granted={gcp.cloud.account.email: {"*"}})
    gcp.cloud.projects[other.project_id] = other
    verdict = gcp.validate(gcp.submitted(project_id=other.project_id))
    assert (verdict.outcome, verdict.account_number) == (Outcome.ACTIVE, other.project_id)


@pytest.mark.parametrize("keyless", [False, True], ids=["key", "pool"])
def test_a_project_of_a_domain_has_it_in_front(gcp: GcpRig, keyless: bool):
    email = "threat-engine@my-project.example.com.iam.gserviceaccount.com"
    project = Project("example.com:my-project", granted={email: {VIEWING}})
    gcp.cloud.projects[project.project_id] = project
    gcp.cloud.accounts[email] = Account(email, {gcp.cloud.key_id: made_key().public_key()})
    gcp.cloud.lends[email] = {gcp.cloud.pool.principal(EXTERNAL_ID)}
    verdict = gcp.validate(
        gcp.keyless(project_id=project.project_id, service_account_email=email)
        if keyless
        else gcp.submitted(client_email=email, project_id=project.project_id)
    )
    assert (verdict.outcome, verdict.account_number) == (Outcome.ACTIVE, "example.com:my-project")


@pytest.mark.parametrize(
    "email",
    ["my-project@appspot.gserviceaccount.com", "123456789012-compute@developer.gserviceaccount.com"],
    ids=["app engine", "compute engine"],
)
def test_the_accounts_that_google_makes_are_accounts_too(gcp: GcpRig, email: str):
    gcp.cloud.accounts[email] = Account(email, {gcp.cloud.key_id: made_key().public_key()})
    gcp.cloud.project.granted[email] = {"*"}
    assert gcp.validate(gcp.submitted(client_email=email)).outcome is Outcome.ACTIVE


# What is taken from the key file


def test_nothing_but_the_kept_members_is_in_the_credential(gcp: GcpRig):
    text = gcp.submitted().reveal("service_account_json")
    assert "token_uri" not in text
    assert "universe_domain" not in text
    assert "googleapis.com/" not in text


@pytest.mark.parametrize("kind", ["external_account", "authorized_user", "impersonated_service_account", "", None, 7])
def test_another_kind_of_credential_file_is_no_input(gcp: GcpRig, kind: object):
    with pytest.raises(InvalidInput) as caught:
        gcp.submitted(type=kind)
    [problem] = caught.value.problems
    assert problem.pointer == "/credentials/service_account_json/type"
    assert gcp.finding(gcp.kept(type=kind)) == ("shape", "malformed")
    assert gcp.calls() == []


def test_everything_that_is_wrong_with_the_fields_is_said_at_once_and_google_is_not_asked(gcp: GcpRig):
    wrong = gcp.kept(client_email="me@example.com", private_key="/etc/passwd", project_id="A", private_key_id="")
    step = gcp.validate(wrong).steps[0]
    assert (step.name, step.code) == ("shape", "malformed")
    assert all(name in step.message for name in ("client_email", "private_key", "project_id", "private_key_id"))
    assert gcp.calls() == []


@pytest.mark.parametrize("damage", ["\\n", "\\\\n", "\\r\\n", "\r\n", " "], ids=ascii)
def test_line_breaks_of_the_key_that_copying_has_changed_do_no_harm(gcp: GcpRig, damage: str):
    private_key = "\ufeff" + pem_of(made_key()).strip().replace("\n", damage)
    assert gcp.validate(gcp.submitted(private_key=private_key)).outcome is Outcome.ACTIVE


UNREADABLE = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (lambda: UNREADABLE, "unreadable_key"),
        (lambda: pem_of(made_key())[:-200] + "-----END PRIVATE KEY-----\n", "unreadable_key"),
        (lambda: pem_of(made_key("short", 1024)), "unsupported_key"),
        (lambda: pem_of(ec.generate_private_key(ec.SECP256R1())), "unsupported_key"),  # type: ignore[arg-type]
    ],
    ids=["garbage", "cut", "short", "elliptic"],
)
def test_a_key_that_cannot_sign_is_refused_before_google_is_asked(gcp: GcpRig, key: Any, code: str):
    assert gcp.finding(gcp.submitted(private_key=key())) == ("shape", code)
    assert gcp.calls() == []


def test_a_credential_of_another_cloud_is_no_input(gcp: GcpRig):
    with pytest.raises(InvalidInput):
        gcp.validate(Credential("aws_access_key", {"access_key_id": "AKIA"}))


# What Google refuses


def test_another_key_than_the_accounts_is_refused(gcp: GcpRig):
    verdict = gcp.validate(gcp.submitted(private_key=pem_of(made_key("other"))))
    step = verdict.steps[1]
    assert (verdict.outcome, step.name, step.code) == (Outcome.REFUSED, "identify", "key_refused")
    assert step.remedy
    assert [step.status for step in verdict.steps[2:]] == [StepStatus.SKIPPED, StepStatus.SKIPPED]
    assert (verdict.account_number, verdict.identity) == (None, None)


def test_a_key_that_was_deleted_is_refused(gcp: GcpRig):
    gcp.cloud.account.keys.clear()
    assert gcp.finding() == ("identify", "key_refused")


def test_a_key_under_another_id_is_refused(gcp: GcpRig):
    assert gcp.finding(gcp.submitted(private_key_id="0" * 40)) == ("identify", "key_refused")


def test_an_account_that_is_disabled_is_refused(gcp: GcpRig):
    gcp.cloud.account.enabled = False
    assert gcp.finding() == ("identify", "key_refused")


def test_an_account_that_there_is_not_is_refused(gcp: GcpRig):
    email = "nobody@nowhere-at-all.iam.gserviceaccount.com"
    assert gcp.finding(gcp.submitted(client_email=email)) == ("identify", "key_refused")


# Whose project it is


def test_a_project_that_the_account_may_not_see_is_refused(gcp: GcpRig):
    gcp.cloud.project.granted.clear()
    verdict = gcp.validate()
    assert (verdict.steps[2].code, verdict.account_number) == ("no_access", None)


def test_a_project_that_there_is_not_is_refused_alike(gcp: GcpRig):
    assert gcp.finding(gcp.submitted(project_id="nobodys-project-1")) == ("ownership", "no_access")


def test_another_project_than_before_is_refused(gcp: GcpRig):
    verdict = gcp.validate(expectation=Expectation(EXTERNAL_ID, account_number="another-project-1"))
    assert (verdict.outcome, verdict.steps[2].code) == (Outcome.REFUSED, "account_changed")


def test_the_same_project_as_before_is_accepted(gcp: GcpRig):
    assert gcp.validate(expectation=Expectation(EXTERNAL_ID, gcp.cloud.project.project_id)).accepted


def test_a_project_that_is_being_deleted_is_refused(gcp: GcpRig):
    gcp.cloud.project.state = "DELETE_REQUESTED"
    assert gcp.finding() == ("ownership", "project_deleted")


def test_a_service_that_is_not_enabled_is_named_as_such(gcp: GcpRig):
    gcp.cloud.disabled_services.add("cloudresourcemanager.googleapis.com")
    verdict = gcp.validate()
    assert (verdict.steps[2].name, verdict.steps[2].code) == ("ownership", "api_disabled")
    assert "cloudresourcemanager.googleapis.com" in (verdict.steps[2].remedy or "")


def test_an_account_that_a_policy_keeps_out_is_told_so(gcp: GcpRig):
    gcp.cloud.barred.add(gcp.cloud.account.email)
    assert gcp.finding() == ("ownership", "blocked_by_policy")


# Permissions


def grant(gcp: GcpRig, *permissions: str) -> None:
    gcp.cloud.project.granted[gcp.cloud.account.email] = set(permissions)


def test_without_an_optional_permission_the_account_is_limited(gcp: GcpRig):
    grant(gcp, *REQUIRED, *[name for name in GCP if not name.startswith("cloudkms.")])
    verdict = gcp.validate()
    step = verdict.steps[-1]
    assert (verdict.outcome, step.code) == (Outcome.ACTIVE_LIMITED, "limited_permissions")
    assert step.missing_permissions == tuple(name for name in GCP if name.startswith("cloudkms."))
    assert verdict.account_number == gcp.cloud.project.project_id


def test_every_gap_is_listed_at_once(gcp: GcpRig):
    grant(gcp, "resourcemanager.projects.get", "storage.objects.get")
    verdict = gcp.validate()
    assert (verdict.outcome, verdict.steps[-1].code) == (Outcome.ACTIVE_LIMITED, "limited_permissions")
    assert verdict.steps[-1].missing_permissions == GCP


def test_the_role_of_the_script_grants_every_permission(gcp: GcpRig):
    grant(gcp, *REQUIRED, *GCP)
    assert gcp.validate().outcome is Outcome.ACTIVE


def test_an_answer_that_lists_nothing_grants_nothing(gcp: GcpRig):
    gcp.stand_in.faults.add(Fault(TEST, status=200, body={}))
    assert len(gcp.validate().steps[-1].missing_permissions) == len(REQUIRED) + len(GCP)


def test_a_long_list_is_asked_for_in_batches_of_a_hundred(gcp: GcpRig):
    names = [f"compute.things.do{'a' * count}" for count in range(250)]
    gcp.cloud.project.granted[gcp.cloud.account.email] = {"*"}
    provider = gcp.provider
    assert isinstance(provider, GcpProvider)
    token = gcp.cloud.issue(gcp.cloud.account.email, frozenset({"https://www.googleapis.com/auth/cloud-platform"}), 9e9)
    assert provider.calls.granted(token, gcp.cloud.project.project_id, names) == set(names)
    assert len(gcp.calls()) == 3


def test_the_demo_credential_is_a_good_one(gcp: GcpRig):
    credential = parse_credential(SERVICE_ACCOUNT, gcp.cloud.demo_credential())
    assert gcp.validate(credential).outcome is Outcome.ACTIVE
