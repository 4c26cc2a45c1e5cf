"""The official SDK against the stand-in of IBM Cloud: what it accepts or refuses, our client does too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from domain.errors import Trouble
from domain.onboarding.validation import Outcome
from emulators.clouds.faults import Fault
from emulators.clouds.ibm import ACCOUNT_SERVICES, IAM_ENABLED_SERVICES, RESOURCE_GROUPS, Group, Policy
from emulators.clouds.server import ADDRESS, StandIn
from tests.providers.ibm_rig import TOKEN, IbmRig, running_ibm

pytestmark = pytest.mark.oracle

core = pytest.importorskip("ibm_cloud_sdk_core")
services = pytest.importorskip("ibm_platform_services")
authenticators = pytest.importorskip("ibm_cloud_sdk_core.authenticators")


@dataclass(frozen=True)
class Key:
    """What the SDK says of a key; `code` is the HTTP status of a refusal."""

    iam_id: str = ""
    account_id: str = ""
    code: int = 200


class Sdk:
    """IAMAuthenticator for the token, and the services of IAM with it."""

    def __init__(self, stand_in: StandIn, api_key: str) -> None:
        self._url = f"https://{ADDRESS}:{stand_in.port}"
        self._api_key = api_key
        self._authenticator = authenticators.IAMAuthenticator(api_key, url=self._url)

    def key(self) -> Key:
        service = services.IamIdentityV1(authenticator=self._authenticator)
        service.set_service_url(self._url)
        try:
            found = service.get_api_keys_details(iam_api_key=self._api_key).get_result()
        except core.ApiException as error:
            return Key(code=error.status_code)
        return Key(found["iam_id"], found["account_id"])

    def policies(self, account_id: str, **subject: str) -> list[str]:
        """The attributes of the policies that the SDK lists, as text."""
        service = services.IamPolicyManagementV1(authenticator=self._authenticator)
        service.set_service_url(self._url)
        found = service.list_policies(account_id, **subject).get_result()["policies"]
        return sorted(str(sorted(a["value"] for a in policy["resources"][0]["attributes"])) for policy in found)

    def groups(self, account_id: str, iam_id: str) -> list[str]:
        service = services.IamAccessGroupsV2(authenticator=self._authenticator)
        service.set_service_url(self._url)
        found = service.list_access_groups(account_id, iam_id=iam_id, membership_type="all").get_result()
        return [group["id"] for group in found["groups"]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_ibm(tmp_path_factory.mktemp("ibm")) as stand_in:
        yield stand_in


@pytest.fixture
def ibm(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[IbmRig]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
    with IbmRig(server) as rig:
        rig.cloud.hosts = (*rig.cloud.hosts, ADDRESS)  # the SDK is given an address
        yield rig


def expired(rig: IbmRig) -> str:
    rig.cloud.key.expires = 1.0
    return rig.cloud.key.value


def disabled(rig: IbmRig) -> str:
    rig.cloud.key.disabled = True
    return rig.cloud.key.value


def deleted(rig: IbmRig) -> str:
    rig.cloud.keys.clear()
    return rig.cloud.key.value


def flipped(rig: IbmRig) -> str:
    value = rig.cloud.key.value
    return ("A" if value[0] != "A" else "B") + value[1:]


def locked(rig: IbmRig) -> str:
    rig.cloud.key.locked = True
    return rig.cloud.key.value


def of_a_user(rig: IbmRig) -> str:
    key = rig.cloud.new_key("IBMid-270000ABCD")
    rig.cloud.keys.append(key)
    rig.cloud.policies += [Policy(key.iam_id, policy.attributes) for policy in list(rig.cloud.policies)]
    return key.value


Make = Callable[[IbmRig], str]
ACCEPTED: dict[str, Make] = {"service id": lambda rig: rig.cloud.key.value, "locked": locked, "user": of_a_user}
REFUSED: dict[str, tuple[Make, str]] = {
    "unknown": (lambda rig: "k" * 44, "unknown_key"),
    "one letter changed": (flipped, "unknown_key"),
    "deleted": (deleted, "unknown_key"),
    "disabled": (disabled, "key_disabled"),
    "expired": (expired, "expired_credential"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_sdk_accepts_we_accept(ibm: IbmRig, name: str):
    api_key = ACCEPTED[name](ibm)
    found = Sdk(ibm.stand_in, api_key).key()
    verdict = ibm.validate(api_key=api_key)
    assert verdict.accepted
    assert (verdict.identity, verdict.account_number) == (found.iam_id, found.account_id)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_sdk_is_refused_we_are_refused(ibm: IbmRig, name: str):
    make, code = REFUSED[name]
    api_key = make(ibm)
    assert Sdk(ibm.stand_in, api_key).key().code == 400
    assert ibm.finding(api_key=api_key) == ("identify", code)


@pytest.mark.parametrize("api_key", ["{" + "k" * 43, "k" * 21 + '"' + "k" * 22], ids=["braces", "quotes"])
def test_what_the_sdk_does_not_send_we_do_not_send(ibm: IbmRig, api_key: str):
    """Quotation marks around a key are damage of copying, and are taken away."""
    if '"' in api_key:
        assert ibm.finding(api_key=api_key) == ("shape", "malformed")
        return
    with pytest.raises(ValueError, match="curly brackets or quotes"):
        Sdk(ibm.stand_in, api_key)
    assert ibm.finding(api_key=api_key) == ("shape", "malformed")
    assert ibm.stand_in.log == []


def test_the_sdk_sees_the_policies_that_we_judge_by(ibm: IbmRig):
    account, iam_id = ibm.cloud.account_id, ibm.cloud.iam_id
    group = Group(members=[iam_id])
    ibm.cloud.groups = [group]
    ibm.cloud.policies = [Policy(iam_id, ACCOUNT_SERVICES), Policy(group.id, IAM_ENABLED_SERVICES)]
    sdk = Sdk(ibm.stand_in, ibm.cloud.key.value)
    assert sdk.groups(account, iam_id) == [group.id]
    assert sdk.policies(account, iam_id=iam_id) == [str(sorted([account, "platform_service"]))]
    assert sdk.policies(account, access_group_id=group.id) == [str(sorted([account, "service"]))]
    assert ibm.validate().steps[-1].missing_permissions == ("resource-group:Viewer",)
    ibm.cloud.policies.append(Policy(group.id, RESOURCE_GROUPS))
    assert ibm.validate().outcome is Outcome.ACTIVE


def test_neither_sees_policies_without_the_right_to(ibm: IbmRig):
    ibm.cloud.policies = [Policy(ibm.cloud.iam_id, IAM_ENABLED_SERVICES)]
    sdk = Sdk(ibm.stand_in, ibm.cloud.key.value)
    assert sdk.policies(ibm.cloud.account_id, iam_id=ibm.cloud.iam_id) == []
    assert ibm.finding() == ("permissions", "missing_permissions")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_is_trouble_to_both(ibm: IbmRig, status: int):
    ibm.stand_in.faults.add(Fault(TOKEN, times=2, status=status))
    assert Sdk(ibm.stand_in, ibm.cloud.key.value).key().code == status
    with pytest.raises(Trouble):
        ibm.validate()
    assert ibm.validate().accepted


@pytest.mark.parametrize("offset", [-3600, 3600], ids=["slow", "fast"])
def test_a_wrong_clock_disturbs_neither(ibm: IbmRig, offset: int):
    ibm.stand_in.clock_offset = offset
    assert Sdk(ibm.stand_in, ibm.cloud.key.value).key().code == 200
    assert ibm.validate().accepted
