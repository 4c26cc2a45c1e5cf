"""What an engine elsewhere gets for each cloud, on the stand-in: that it works, for how long, and what it may do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from domain.errors import CredentialRefused, InvalidInput, Unavailable
from domain.onboarding.credentials import Credential, Secret
from domain.scans.ports import Narrower
from emulators.clouds.alicloud import READING
from emulators.clouds.azure_tokens import made_certificate
from emulators.clouds.faults import Fault
from emulators.clouds.gcp import READ_ONLY
from emulators.clouds.gcp_tokens import pem_of
from emulators.clouds.server import StandIn, running_stand_in
from providers.alicloud.calls import Session
from providers.alicloud.engine_session import AliCloudNarrower
from providers.alicloud.errors import Signer
from providers.alicloud.permissions import Call
from providers.alicloud.provider import AliCloudProvider
from providers.alicloud.signature import AccessKey
from providers.azure.engine_session import AzureNarrower
from providers.azure.provider import AzureProvider
from providers.gcp.engine_session import GcpNarrower
from providers.gcp.provider import GcpProvider
from providers.ibm.engine_session import IbmNarrower
from providers.ibm.provider import IbmProvider
from tests.providers import azure_rig, gcp_rig
from tests.providers.alicloud_rig import AliCloudRig
from tests.providers.gcp_rig import GcpRig
from tests.providers.ibm_rig import IbmRig
from tests.providers.stand_in_rig import EXTERNAL_ID, Rig, everything_of

EXECUTION = "3f2b1c64-9f0e-4a42-8a6b-0d3b5c7d9e1f"
RENEWED_AFTER, AN_HOUR = 3_000, 3_601


@dataclass
class Case:
    """A cloud and a method: a credential that works, one that does not, and a call that what is handed over is for."""

    rig: Rig
    narrower: Narrower
    good: Credential
    wrong: Credential
    code: str
    """Of the refusal of the wrong one."""
    fields: Mapping[str, str]
    """What is handed over beside the token."""
    address: str

    def narrow(self, credential: Credential | None = None) -> Credential:
        return self.narrower.narrow(credential or self.good, external_id=EXTERNAL_ID, execution_id=EXECUTION)

    def opens(self, handed: Credential) -> bool:
        bearer = {"authorization": f"Bearer {handed.reveal('access_token')}"}
        return self.rig.client.send("GET", self.address, headers=bearer).status == 200


def azure(rig: azure_rig.Rig, good: Credential, wrong: Credential, code: str) -> Case:
    subscription = rig.cloud.subscription.subscription_id
    return Case(
        rig,
        AzureNarrower(AzureProvider(rig.client)),
        good,
        wrong,
        code,
        {"tenant_id": rig.cloud.tenant_id, "subscription_id": subscription},
        f"https://management.azure.com/subscriptions/{subscription}?api-version=2022-12-01",
    )


def azure_secret(stand_in: StandIn) -> Case:
    rig = azure_rig.Rig(stand_in)
    wrong = azure_rig.secret_credential(rig.cloud, client_secret="x" * 40)
    return azure(rig, azure_rig.secret_credential(rig.cloud), wrong, "wrong_secret")


def azure_certificate(stand_in: StandIn) -> Case:
    rig = azure_rig.Rig(stand_in)
    unknown, _ = made_certificate()
    wrong = azure_rig.certificate_credential(rig.cloud, client_certificate=unknown)
    return azure(rig, azure_rig.certificate_credential(rig.cloud), wrong, "certificate_refused")


def gcp(rig: GcpRig, good: Credential, wrong: Credential, code: str) -> Case:
    project_id = rig.cloud.project.project_id
    narrower = GcpNarrower(GcpProvider(rig.client, rig.identity))
    address = f"https://cloudresourcemanager.googleapis.com/v3/projects/{project_id}"
    return Case(rig, narrower, good, wrong, code, {"project_id": project_id}, address)


def gcp_key(stand_in: StandIn) -> Case:
    rig = GcpRig(stand_in)
    unknown = pem_of(gcp_rig.made_key("unknown"))
    return gcp(rig, rig.submitted(), rig.submitted(private_key=unknown), "key_refused")


def gcp_keyless(stand_in: StandIn) -> Case:
    rig = GcpRig(stand_in)
    return gcp(rig, rig.keyless(), rig.keyless(pool_id="another-pool"), "unknown_identity_provider")


def ibm(stand_in: StandIn) -> Case:
    rig = IbmRig(stand_in)
    address = f"https://iam.cloud.ibm.com/v1/policies?account_id={rig.cloud.account_id}"
    wrong = rig.submitted(api_key="x" * 44)
    narrower = IbmNarrower(IbmProvider(rig.client))
    return Case(rig, narrower, rig.submitted(), wrong, "unknown_key", {"account_id": rig.cloud.account_id}, address)


WITH_A_TOKEN = (azure_secret, azure_certificate, gcp_key, gcp_keyless, ibm)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("clouds"), []) as stand_in:
        yield stand_in


@pytest.fixture(params=WITH_A_TOKEN, ids=lambda make: make.__name__)
def case(request: pytest.FixtureRequest, stand_in: StandIn) -> Iterator[Case]:
    make: Callable[[StandIn], Case] = request.param
    case = make(stand_in)
    with case.rig:
        yield case


def test_a_token_that_works_is_handed_over_with_what_it_is_for(case: Case):
    handed = case.narrow()
    assert handed.credential_type == f"{case.good.credential_type.split('_')[0]}_access_token"
    assert handed.reveal_all() == {"access_token": handed.reveal("access_token"), **case.fields}
    assert case.opens(handed)


def test_nothing_secret_that_is_stored_is_handed_over(case: Case):
    public = set(case.fields)
    stored = [case.good.reveal(name) for name in case.good if name not in public]
    handed = " ".join(case.narrow().reveal_all().values())
    assert stored
    assert not [value for value in stored if value in handed]


def test_it_lives_until_it_is_renewed_and_no_longer_than_an_hour(case: Case):
    handed = case.narrow()
    case.rig.stand_in.clock_offset = RENEWED_AFTER
    assert case.opens(handed)
    case.rig.stand_in.clock_offset = AN_HOUR
    assert not case.opens(handed)


def test_a_credential_that_stopped_working_is_refused_without_its_values(case: Case):
    with pytest.raises(CredentialRefused) as refusal:
        case.narrow(case.wrong)
    [problem] = refusal.value.problems
    assert (problem.step, problem.code) == ("identify", case.code)
    assert problem.message
    assert problem.remedy
    shown = everything_of(refusal.value)
    assert not [name for name in case.wrong if case.wrong.reveal(name) and case.wrong.reveal(name) in shown]


def test_a_credential_that_is_not_whole_is_refused_before_any_call(case: Case):
    with pytest.raises(CredentialRefused) as refusal:
        case.narrow(Credential(case.good.credential_type, {}))
    assert [problem.code for problem in refusal.value.problems] == ["malformed"]
    assert case.rig.stand_in.log == []


def test_trouble_on_the_way_passes(case: Case):
    case.rig.stand_in.faults.add(Fault(r"."))
    with pytest.raises(Unavailable):
        case.narrow()


def test_a_credential_of_another_cloud_makes_no_sense(case: Case):
    with pytest.raises(InvalidInput, match="not a credential"):
        case.narrow(Credential("aws_access_key", {}))


@pytest.mark.parametrize("make", [gcp_key, gcp_keyless], ids=["key", "keyless"])
def test_google_lets_the_token_read_and_nothing_else(stand_in: StandIn, make: Callable[[StandIn], Any]):
    case = make(stand_in)
    with case.rig:
        token = case.narrow().reveal("access_token")
        assert case.rig.cloud.tokens[token].scopes == {READ_ONLY}


class TestAliCloud:
    """A role becomes a session, a key stays what it is."""

    @pytest.fixture
    def rig(self, stand_in: StandIn) -> Iterator[AliCloudRig]:
        with AliCloudRig(stand_in) as rig:
            yield rig

    def narrow(self, rig: AliCloudRig, credential: Credential, *, external_id: str = EXTERNAL_ID) -> Credential:
        narrower = AliCloudNarrower(AliCloudProvider(rig.client, rig.platform(), ["ecs:DescribeDisks"]))
        return narrower.narrow(credential, external_id=external_id, execution_id=EXECUTION)

    def test_a_role_becomes_a_session_that_reads_settings(self, rig: AliCloudRig):
        handed = self.narrow(rig, rig.role())
        assert handed.credential_type == "alicloud_session"
        assert list(handed) == ["access_key_id", "access_key_secret", "security_token"]
        key = AccessKey(
            handed.reveal("access_key_id"),
            Secret(handed.reveal("access_key_secret")),
            Secret(handed.reveal("security_token")),
        )
        session = Session(rig.client, key, Signer.CUSTOMER)
        assert str(session.caller()["Arn"]).endswith(f"/te-scan-{EXECUTION}")
        assert session.call(Call("ecs:DescribeRegions"))

    def test_it_lives_for_an_hour_and_may_do_what_is_published_or_needed_whatever_the_role_may(self, rig: AliCloudRig):
        role = rig.cloud.add_role(EXTERNAL_ID, actions={*READING, "ram:DeleteUser"})
        handed = self.narrow(rig, Credential("alicloud_ram_role", {"role_arn": role.arn}))
        assert [parameters["DurationSeconds"] for parameters in rig.cloud.assumed] == ["3600"]
        assert rig.cloud.keys[handed.reveal("access_key_id")].actions == {"ecs:DescribeRegions", "ecs:DescribeDisks"}

    def test_nothing_of_ours_is_handed_over(self, rig: AliCloudRig):
        handed = set(self.narrow(rig, rig.role()).reveal_all().values())
        assert not handed & {rig.cloud.platform.id, rig.cloud.platform.secret}

    def test_a_role_that_cannot_be_assumed_is_refused(self, rig: AliCloudRig):
        with pytest.raises(CredentialRefused) as refusal:
            self.narrow(rig, rig.role(), external_id="te-another")
        assert [problem.code for problem in refusal.value.problems] == ["role_not_assumable"]

    def test_an_access_key_cannot_be_narrowed(self, rig: AliCloudRig):
        key = rig.key()
        assert self.narrow(rig, key) is key
        assert rig.stand_in.log == []

    def test_trouble_on_the_way_passes(self, rig: AliCloudRig):
        rig.stand_in.faults.add(Fault(r"."))
        with pytest.raises(Unavailable):
            self.narrow(rig, rig.role())

    def test_a_role_makes_no_sense_without_a_user_of_ours(self, rig: AliCloudRig):
        with pytest.raises(InvalidInput):
            AliCloudNarrower(AliCloudProvider(rig.client)).narrow(rig.role(), external_id="", execution_id="e1")
