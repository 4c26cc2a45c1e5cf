"""The official SDK against the stand-in of AliCloud: what it accepts or refuses, our client does too."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.errors import ClockSkew, Throttled
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Outcome
from emulators.clouds.alicloud import Key, made
from emulators.clouds.faults import Fault
from emulators.clouds.server import ADDRESS, StandIn, running_stand_in
from providers.alicloud.permissions import REGION, SERVICES
from tests.providers.alicloud_rig import AliCloudRig
from tests.providers.stand_in_rig import EXTERNAL_ID, last_checked

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the SDK's own making
]

sts = pytest.importorskip("alibabacloud_sts20150401.client")
sts_models = pytest.importorskip("alibabacloud_sts20150401.models")
ram = pytest.importorskip("alibabacloud_ram20150501.client")
ram_models = pytest.importorskip("alibabacloud_ram20150501.models")
openapi = pytest.importorskip("alibabacloud_tea_openapi.utils_models")
runtime = pytest.importorskip("darabonba.runtime")
darabonba = pytest.importorskip("darabonba.exceptions")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("alicloud"), []) as stand_in:
        yield stand_in


@pytest.fixture
def ali(server: StandIn) -> Iterator[AliCloudRig]:
    with AliCloudRig(server) as rig:
        yield rig


class Sdk:
    """The SDK's own way to the stand-in. Each call gives the code of the error, the empty text for none."""

    def __init__(self, rig: AliCloudRig) -> None:
        self._rig = rig
        self._runtime = runtime.RuntimeOptions(
            ca=rig.stand_in.ca_file, connect_timeout=2000, read_timeout=5000, autoretry=False
        )

    def client(self, module: Any, key_id: str, secret: str) -> Any:
        endpoint = f"{ADDRESS}:{self._rig.stand_in.port}"
        return module.Client(
            openapi.Config(access_key_id=key_id, access_key_secret=secret, endpoint=endpoint, region_id=REGION)
        )

    def caller(self, credential: Credential) -> str:
        client = self.client(sts, credential.reveal("access_key_id"), credential.reveal("access_key_secret"))
        return code_of(lambda: client.get_caller_identity_with_options(self._runtime))

    def assume(self, own: Key, role_arn: str, external_id: str | None) -> str:
        request = sts_models.AssumeRoleRequest(
            role_arn=role_arn, role_session_name="te-oracle", external_id=external_id, duration_seconds=900
        )
        client = self.client(sts, own.id, own.secret)
        return code_of(lambda: client.assume_role_with_options(request, self._runtime))

    def reads(self, action: str) -> str:
        user = self._rig.cloud.user
        client = self.client(ram, user.id, user.secret)
        return code_of(lambda: RAM_CALLS[action](client, self._runtime))


def code_of(call: Callable[[], Any]) -> str:
    try:
        call()
    except darabonba.DaraException as error:
        return str(error.code)
    return ""


RAM_CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "ram:GetPasswordPolicy": lambda client, options: client.get_password_policy_with_options(options),
    "ram:ListUsers": lambda client, options: client.list_users_with_options(
        ram_models.ListUsersRequest(max_items=1), options
    ),
    "ram:ListPolicies": lambda client, options: client.list_policies_with_options(
        ram_models.ListPoliciesRequest(max_items=1), options
    ),
    "ram:ListRoles": lambda client, options: client.list_roles_with_options(
        ram_models.ListRolesRequest(max_items=1), options
    ),
    "ram:ListVirtualMFADevices": lambda client, options: client.list_virtual_mfadevices_with_options(options),
    "ram:GetSecurityPreference": lambda client, options: client.get_security_preference_with_options(options),
}


# The same keys


def disabled(rig: AliCloudRig) -> Credential:
    rig.cloud.user.is_active = False
    return rig.key()


def flipped(rig: AliCloudRig) -> Credential:
    secret = rig.cloud.user.secret
    return rig.key(access_key_secret=("a" if secret[0] != "a" else "b") + secret[1:])


KEYS: dict[str, tuple[Callable[[AliCloudRig], Credential], str, str]] = {
    "good": (lambda rig: rig.key(), "", "ok"),
    "wrong secret": (lambda rig: rig.key(access_key_secret=made(30)), "SignatureDoesNotMatch", "wrong_secret"),
    "one flipped letter": (flipped, "SignatureDoesNotMatch", "wrong_secret"),
    "unknown": (lambda rig: rig.key(access_key_id=f"LTAI5t{made(18)}"), "InvalidAccessKeyId.NotFound", "unknown_key"),
    "disabled": (disabled, "InvalidAccessKeyId.Inactive", "key_disabled"),
}


@pytest.mark.parametrize("name", KEYS)
def test_the_sdk_and_our_client_agree_about_a_key(ali: AliCloudRig, name: str):
    make, code, ours = KEYS[name]
    submitted = make(ali)
    assert Sdk(ali).caller(submitted) == code
    assert last_checked(ali.validate(submitted)).code == ours


# The same roles

ROLES: dict[str, tuple[str | None, str, str]] = {
    "good": (EXTERNAL_ID, "", "ok"),
    "other external id": ("te-of-someone-else", "NoPermission", "role_not_assumable"),
    "no external id": (None, "", "unsafe_trust"),
}


@pytest.mark.parametrize("name", ROLES)
def test_the_sdk_and_our_client_agree_about_a_role(ali: AliCloudRig, name: str):
    asks_for, code, ours = ROLES[name]
    submitted = ali.role(asks_for)
    assert Sdk(ali).assume(ali.cloud.platform, submitted.reveal("role_arn"), EXTERNAL_ID) == code
    assert last_checked(ali.validate(submitted)).code == ours


def test_both_find_out_about_a_role_that_is_missing(ali: AliCloudRig):
    missing = f"acs:ram::{ali.cloud.account}:role/missing"
    assert Sdk(ali).assume(ali.cloud.platform, missing, EXTERNAL_ID) == "EntityNotExist.Role"
    assert last_checked(ali.validate(ali.role(role_arn=missing))).code == "unknown_role"


@pytest.mark.parametrize("external_id", [None, "te-random"])
def test_the_sdk_is_denied_what_our_trust_probe_must_be_denied(ali: AliCloudRig, external_id: str | None):
    submitted = ali.role()
    assert Sdk(ali).assume(ali.cloud.platform, submitted.reveal("role_arn"), external_id) == "NoPermission"
    assert ali.validate(submitted).outcome is Outcome.ACTIVE


# The same permissions, clocks and throttling


@pytest.mark.parametrize("action", RAM_CALLS)
def test_the_sdk_and_our_client_agree_about_a_permission(ali: AliCloudRig, action: str):
    assert Sdk(ali).reads(action) == ""
    ali.cloud.user.actions.remove(action)
    assert Sdk(ali).reads(action) == "NoPermission"
    assert last_checked(ali.validate()).missing_permissions == (action,)


@pytest.mark.parametrize("offset", [-3600, 3600])
def test_with_a_wrong_clock_neither_is_let_in(ali: AliCloudRig, offset: int):
    ali.stand_in.clock_offset = offset
    assert Sdk(ali).caller(ali.key()) == "InvalidTimeStamp.Expired"
    with pytest.raises(ClockSkew):
        ali.validate()


def test_both_hear_that_they_are_too_fast(ali: AliCloudRig):
    body = {"Code": "Throttling.User", "Message": "Request was denied due to user flow control.", "RequestId": "r"}
    ali.stand_in.faults.add(Fault("", times=2, status=400, body=body))
    assert Sdk(ali).caller(ali.key()) == "Throttling.User"
    with pytest.raises(Throttled):
        ali.validate()


# The same names


@pytest.mark.parametrize(("module", "service"), [(sts, "sts"), (ram, "ram")], ids=["sts", "ram"])
def test_the_sdk_goes_to_the_same_host(module: Any, service: str):
    config = openapi.Config(access_key_id="a", access_key_secret="b", region_id=REGION)
    assert module.Client(config)._endpoint == SERVICES[service].host
