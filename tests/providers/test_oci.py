"""The whole proof of an API signing key on the stand-in, which verifies signatures, keys, clocks and permissions."""

from collections.abc import Iterator

import pytest

from domain.errors import InvalidInput
from domain.onboarding.catalogue import SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from emulators.clouds.faults import Fault
from emulators.clouds.oci import User, fingerprint, made_ocid, pem
from emulators.clouds.server import StandIn, running_stand_in
from providers.oci.description import DESCRIPTION
from providers.oci.permissions import PROBES, REQUIRED
from providers.oci.provider import OciProvider
from tests.providers.oci_rig import IDENTIFY, OciRig, made_key
from tests.providers.stand_in_rig import EXPECTED, EXTERNAL_ID, finding, last_checked


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("oci"), []) as stand_in:
        yield stand_in


@pytest.fixture
def oci(server: StandIn) -> Iterator[OciRig]:
    with OciRig(server) as rig:
        yield rig


# A good key


def test_a_key_with_every_permission_makes_an_active_account(oci: OciRig):
    verdict = oci.validate()
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())
    assert [step.name for step in verdict.steps] == ["shape", "identify", "ownership", "permissions"]
    assert (verdict.account_number, verdict.identity) == (oci.cloud.tenancy, oci.cloud.user.ocid)


def test_a_validation_asks_once_for_the_user_once_for_the_namespace_and_once_for_each_permission(oci: OciRig):
    oci.validate()
    assert len(oci.stand_in.log) == 2 + len(PROBES) + 3  # and for its groups, their names and their policies


@pytest.mark.parametrize("traditional", [False, True], ids=["PKCS 8", "OpenSSL"])
@pytest.mark.parametrize("pass_phrase", ["", "correct horse"], ids=["plain", "encrypted"])
def test_every_form_of_key_file_is_read(oci: OciRig, pass_phrase: str, traditional: bool):
    given = {"pass_phrase": pass_phrase} if pass_phrase else {}
    assert oci.validate(private_key=pem(made_key(), pass_phrase, traditional=traditional), **given).accepted


def test_the_label_under_a_key_from_the_console_and_capitals_in_a_fingerprint_do_no_harm(oci: OciRig):
    labelled = pem(made_key()) + "OCI_API_KEY\n"
    capitals = fingerprint(made_key().public_key()).upper()
    assert oci.validate(private_key=labelled, fingerprint=capitals).accepted


def test_a_user_who_may_not_look_at_itself_is_genuine_all_the_same(oci: OciRig):
    oci.cloud.granted.remove("USER_INSPECT")
    verdict = oci.validate()
    assert verdict.steps[1].status is StepStatus.PASSED
    assert last_checked(verdict).missing_permissions == ("USER_INSPECT",)


# What can be known before any call


PUBLIC_HALF = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq\n-----END PUBLIC KEY-----"
UNFIT: dict[str, tuple[dict[str, object], str]] = {
    "no key": ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "unreadable_key"),
    "cut off": ({"private_key": pem(made_key())[:900]}, "malformed"),
    "the public half": ({"private_key": PUBLIC_HALF}, "malformed"),
    "no pass phrase": ({"private_key": pem(made_key(), "correct horse")}, "unreadable_key"),
    "wrong pass phrase": (
        {"private_key": pem(made_key(), "correct horse"), "pass_phrase": "wrong horse"},
        "unreadable_key",
    ),
    "pass phrase of a plain key": ({"pass_phrase": "correct horse"}, "unreadable_key"),
    "short key": ({"private_key": pem(made_key("short", 1024))}, "unsupported_key"),
    "other key": ({"private_key": pem(made_key("other"))}, "fingerprint_mismatch"),
    "other fingerprint": ({"fingerprint": "00:" * 15 + "00"}, "fingerprint_mismatch"),
    "region of another realm": ({"region": "us-langley-1"}, "other_realm"),
    "tenancy of another realm": ({"tenancy_ocid": made_ocid("tenancy", "oc2")}, "other_realm"),
    "user of another realm": ({"user_ocid": made_ocid("user", "oc3")}, "other_realm"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_fields_that_cannot_belong_together_are_found_without_a_call(oci: OciRig, name: str):
    changed, code = UNFIT[name]
    verdict = oci.validate(**changed)
    assert (verdict.outcome, finding(verdict)) == (Outcome.REFUSED, ("shape", code))
    assert (oci.stand_in.log, oci.names.asked, verdict.account_number) == ([], [], None)


def test_everything_that_is_wrong_with_the_fields_is_said_at_once(oci: OciRig):
    verdict = oci.validate(user_ocid="me", tenancy_ocid="us", fingerprint="00", region="mars-1", private_key="key")
    assert (last_checked(verdict).code, len(oci.stand_in.log)) == ("malformed", 0)
    for name in ("user_ocid", "tenancy_ocid", "fingerprint", "region", "private_key"):
        assert f"{name} has the wrong format" in last_checked(verdict).message


# What only OCI knows


def test_a_key_that_was_removed_from_the_user_is_refused(oci: OciRig):
    oci.cloud.user.keys.clear()
    assert oci.finding() == ("identify", "not_authenticated")


def test_a_user_that_does_not_exist_is_refused(oci: OciRig):
    assert oci.finding(user_ocid=made_ocid("user")) == ("identify", "not_authenticated")


def test_a_tenancy_that_the_user_does_not_belong_to_is_refused(oci: OciRig):
    assert oci.finding(tenancy_ocid=made_ocid("tenancy")) == ("identify", "not_authenticated")


def test_a_region_that_the_tenancy_is_not_subscribed_to_is_refused(oci: OciRig):
    verdict = oci.validate(region="us-ashburn-1")
    assert last_checked(verdict).code == "not_authenticated"
    assert "subscribed to the region" in (last_checked(verdict).remedy or "")


def test_a_user_that_is_not_active_is_refused(oci: OciRig):
    oci.cloud.user.state = "INACTIVE"
    assert oci.finding() == ("identify", "inactive_user")


def test_another_tenancy_than_before_is_refused(oci: OciRig):
    verdict = oci.validate(Expectation(EXTERNAL_ID, account_number=made_ocid("tenancy")))
    assert (verdict.outcome, last_checked(verdict).code) == (Outcome.REFUSED, "account_changed")
    assert verdict.account_number == oci.cloud.tenancy
    assert oci.validate(Expectation(EXTERNAL_ID, account_number=oci.cloud.tenancy)).accepted


def test_a_user_that_oci_says_is_at_home_elsewhere_is_refused(oci: OciRig):
    elsewhere = User(made_ocid("tenancy"), ocid=oci.cloud.user.ocid)
    record = {"id": elsewhere.ocid, "compartmentId": elsewhere.tenancy, "lifecycleState": "ACTIVE"}
    oci.stand_in.faults.add(Fault(IDENTIFY, status=200, body=record))
    assert oci.finding() == ("ownership", "other_account")


# Permissions


@pytest.mark.parametrize("name", PROBES)
def test_each_permission_is_missed_alone(oci: OciRig, name: str):
    oci.cloud.granted.remove(name)
    verdict = oci.validate()
    assert last_checked(verdict).missing_permissions == (name,)
    assert verdict.outcome is (Outcome.REFUSED if name in REQUIRED else Outcome.ACTIVE_LIMITED)


def test_everything_that_is_missing_is_listed_with_the_statement_that_grants_it(oci: OciRig):
    missing = {"POLICY_READ", "BUCKET_INSPECT", "VAULT_INSPECT"}
    oci.cloud.granted -= missing
    step = last_checked(oci.validate())
    assert (step.code, set(step.missing_permissions)) == ("limited_permissions", missing)
    assert (step.remedy or "").endswith(
        "Allow group ThreatEngine to {POLICY_READ, BUCKET_INSPECT, VAULT_INSPECT} in tenancy"
    )


def test_a_user_without_any_permission_misses_all_of_them(oci: OciRig):
    oci.cloud.granted.clear()
    assert last_checked(oci.validate()).missing_permissions == tuple(
        permission.name for permission in oci.provider.description.permissions
    )


# The rest of the interface


def test_every_published_permission_is_tried():
    assert {permission.name for permission in DESCRIPTION.permissions} <= set(PROBES)


def test_without_an_engine_a_validation_asks_about_the_user_and_nothing_else(oci: OciRig):
    published = {permission.name for permission in DESCRIPTION.permissions}
    oci.cloud.granted &= published
    assert OciProvider(oci.client).validate(oci.submitted(), EXPECTED).outcome is Outcome.ACTIVE
    assert len(oci.stand_in.log) == 1 + len(published) + 3  # and for its groups, their names and their policies


def test_what_is_published_is_enough_to_see_a_user_who_may_change_one_service(oci: OciRig):
    oci.cloud.granted &= {permission.name for permission in DESCRIPTION.permissions}
    oci.cloud.statements.append("Allow group ThreatEngine to manage buckets in compartment data")
    verdict = OciProvider(oci.client).validate(oci.submitted(), EXPECTED)
    assert "over_privileged" in {step.code for step in verdict.steps}


def test_another_clouds_credential_and_another_method_are_input_that_makes_no_sense(oci: OciRig):
    with pytest.raises(InvalidInput):
        oci.provider.validate(Credential("ibm_api_key", {"api_key": "x"}), EXPECTED)
    with pytest.raises(InvalidInput):
        oci.provider.setup(SetupRequest(EXTERNAL_ID, auth_method="instance_principal"))
