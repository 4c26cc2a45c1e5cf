"""What is not the customer's fault, what time cures, and what no answer shows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from domain.errors import ClockSkew, PlatformConfig, Propagating, Throttled, Trouble, Unavailable
from domain.onboarding.catalogue import SetupRequest
from domain.onboarding.credentials import Credential, Secret
from domain.onboarding.validation import Outcome
from emulators.clouds.alicloud import Key, made
from emulators.clouds.faults import GARBAGE, HUGE, Fault
from emulators.clouds.server import StandIn, running_stand_in
from providers.alicloud.provider import AliCloudProvider, PlatformAliCloud
from providers.alicloud.signature import AccessKey
from tests.providers.alicloud_rig import RAM, STS, AliCloudRig
from tests.providers.stand_in_rig import EXPECTED, JUST_MADE, QUICK, everything_of
from transport.client import GuardedClient

RETRY = {"Retry-After": "7"}


def error(status: int, code: str, **more: object) -> Fault:
    return Fault("", status=status, body={"RequestId": "r", "Code": code, "Message": "m"}, **more)  # type: ignore[arg-type]


KINDS: dict[str, tuple[Fault, type[Trouble]]] = {
    "throttled": (error(400, "Throttling", headers=RETRY), Throttled),
    "throttled user": (error(400, "Throttling.User"), Throttled),
    "throttled API": (error(400, "Throttling.Api"), Throttled),
    "throttled by 429": (Fault("", status=429, body=GARBAGE), Throttled),
    "500": (error(500, "InternalError"), Unavailable),
    "503": (error(503, "ServiceUnavailable", headers=RETRY), Unavailable),
    "used nonce": (error(400, "SignatureNonceUsed"), Unavailable),
    "cut": (Fault("", cut=True), Unavailable),
    "garbage": (Fault("", status=200, body=GARBAGE), Unavailable),
    "half an answer": (Fault("", status=200, body=b'{"AccountId": "1'), Unavailable),
    "nested": (Fault("", status=200, body=b"[" * 60_000), Unavailable),
    "huge": (Fault("", status=200, body=HUGE), Unavailable),
    "drip": (Fault("", status=200, body={"AccountId": "1" * 50}, drip_seconds=0.1), Unavailable),
    "late": (Fault("", status=200, delay_seconds=1.0), Unavailable),
    "redirected": (Fault("", status=302, headers={"Location": "https://attacker.example/"}), Unavailable),
    "expired time": (error(400, "InvalidTimeStamp.Expired"), ClockSkew),
    "a proxy's page": (Fault("", status=403, body=GARBAGE), PlatformConfig),
    "a wrong request of ours": (error(400, "IncompleteSignature"), PlatformConfig),
    "an operation that is gone": (error(404, "InvalidAction.NotFound"), PlatformConfig),
}
FAULTS = {
    f"{place}, {kind}": (replace(fault, match=match), trouble)
    for place, match in {"identify": STS, "permissions": RAM}.items()
    for kind, (fault, trouble) in KINDS.items()
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("alicloud"), []) as stand_in:
        yield stand_in


@pytest.fixture
def ali(server: StandIn) -> Iterator[AliCloudRig]:
    with AliCloudRig(server) as rig:
        yield rig


def submitted(rig: AliCloudRig, method: str) -> Credential:
    return rig.key() if method == "key" else rig.role()


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("method", ["key", "role"])
def test_trouble_is_raised_without_any_secret_and_is_never_a_verdict(server: StandIn, name: str, method: str):
    fault, trouble = FAULTS[name]
    with AliCloudRig(server, bounds=QUICK) as rig:
        server.faults.add(fault)
        credential = submitted(rig, method)
        with pytest.raises(trouble) as raised:
            rig.validate(credential)
        assert raised.value.retry_after == (7 if fault.headers == RETRY else None)
        assert [value for value in hidden(rig, credential) if value in everything_of(raised.value)] == []
        assert (type(raised.value), rig.names.asked.count("attacker.example")) == (trouble, 0)


@pytest.mark.parametrize("name", [name for name in FAULTS if name.startswith("identify")])
def test_trouble_with_the_trust_probe_never_counts_as_a_denial(server: StandIn, name: str):
    fault, trouble = FAULTS[name]
    with AliCloudRig(server, bounds=QUICK) as rig:
        role = rig.role()
        # the role is assumed, and says who it is
        server.faults.add(Fault(STS, times=2, status=200, body=assumed(rig)), fault)
        with pytest.raises(trouble):
            rig.validate(role)
        assert len(server.log) == 3


def assumed(rig: AliCloudRig) -> dict[str, object]:
    """An answer that both AssumeRole and GetCallerIdentity could give."""
    key = rig.cloud.user
    credentials = {"AccessKeyId": key.id, "AccessKeySecret": key.secret, "SecurityToken": "token"}
    return {"Credentials": credentials, "AccountId": key.account, "Arn": key.arn}


@pytest.mark.parametrize("credentials", [{}, {"AccessKeyId": "a"}, {"AccessKeyId": "a\r\nb", "AccessKeySecret": "c"}])
def test_a_session_that_is_none_is_unavailable(ali: AliCloudRig, credentials: dict[str, str]):
    body = {"Credentials": credentials | {"SecurityToken": "t"} if credentials else None}
    role = ali.role()
    ali.stand_in.faults.add(Fault(STS, status=200, body=body))
    with pytest.raises(Unavailable):
        ali.validate(role)


def test_after_the_trouble_the_same_key_is_accepted(ali: AliCloudRig):
    ali.stand_in.faults.add(Fault(STS, cut=True))
    with pytest.raises(Unavailable):
        ali.validate()
    assert ali.validate().outcome is Outcome.ACTIVE


@pytest.mark.parametrize("offset", [-3600, 3600])
@pytest.mark.parametrize("method", ["key", "role"])
def test_a_wrong_clock_of_ours_is_never_the_customers_fault(ali: AliCloudRig, method: str, offset: int):
    ali.stand_in.clock_offset = offset
    with pytest.raises(ClockSkew):
        ali.validate(submitted(ali, method))


def test_a_wrong_secret_stays_one_when_the_clocks_differ_by_what_alicloud_allows(ali: AliCloudRig):
    ali.stand_in.clock_offset = 600
    assert ali.finding(ali.key(access_key_secret=made(30))) == ("identify", "wrong_secret")


def test_a_certificate_authority_that_we_do_not_trust_is_our_trouble(ali: AliCloudRig):
    with GuardedClient(ali.stand_in.backend()) as client, pytest.raises(PlatformConfig, match="TLS"):
        AliCloudProvider(client).validate(ali.key(), EXPECTED)


# Our own key


def running_as(ali: AliCloudRig, platform: PlatformAliCloud) -> AliCloudProvider:
    return AliCloudProvider(ali.client, platform)


OURS = {
    "unknown": lambda own: replace(own, key=replace(own.key, id="LTAI5tunknown000000")),
    "wrong secret": lambda own: replace(own, key=replace(own.key, secret=Secret(made(30)))),
}


@pytest.mark.parametrize("name", OURS)
def test_a_refusal_of_our_own_key_never_blames_the_customer(ali: AliCloudRig, name: str):
    with pytest.raises(PlatformConfig, match=r"InvalidAccessKeyId|SignatureDoesNotMatch"):
        running_as(ali, OURS[name](ali.platform())).validate(ali.role(), EXPECTED)


def test_a_process_without_our_key_offers_roles_and_proves_none(ali: AliCloudRig):
    api = running_as(ali, PlatformAliCloud(ali.cloud.platform.arn))
    assert [method.method for method in api.description.methods] == ["access_key", "ram_role"]
    assert ali.cloud.platform.arn in (api.setup(SetupRequest("te-1", auth_method="ram_role")).script or "")
    with pytest.raises(PlatformConfig):
        api.validate(ali.role(), EXPECTED)


def test_a_disabled_key_of_our_own_never_blames_the_customer(ali: AliCloudRig):
    ali.cloud.platform.is_active = False
    with pytest.raises(PlatformConfig, match="Inactive"):
        ali.validate(ali.role())


def test_a_user_of_our_own_that_may_not_assume_roles_never_blames_the_customer(ali: AliCloudRig):
    ali.cloud.platform.actions.clear()
    with pytest.raises(PlatformConfig):
        ali.validate(ali.role())


def test_a_denial_is_ours_while_we_run_as_another_user(ali: AliCloudRig):
    other = Key(ali.cloud.platform.account, ali.cloud.platform.arn + "-2", actions={"sts:AssumeRole"})
    ali.cloud.keys[other.id] = other
    platform = PlatformAliCloud(ali.cloud.platform.arn, AccessKey(other.id, Secret(other.secret)))
    with pytest.raises(PlatformConfig, match="does not run as"):
        running_as(ali, platform).validate(ali.role(), EXPECTED)


# What was made a moment ago


def test_a_key_that_was_just_made_is_waited_for(ali: AliCloudRig):
    unknown = ali.key(access_key_id=f"LTAI5t{made(18)}")
    with pytest.raises(Propagating) as raised:
        ali.validate(unknown, JUST_MADE)
    assert raised.value.retry_after == 3
    assert not ali.validate(unknown).accepted


@pytest.mark.parametrize("asks_for", ["te-of-someone-else", None])
def test_a_role_that_was_just_made_is_waited_for(ali: AliCloudRig, asks_for: str | None):
    role = ali.role("te-of-someone-else")
    if asks_for is None:
        ali.cloud.roles.clear()
    with pytest.raises(Propagating):
        ali.validate(role, JUST_MADE)
    assert not ali.validate(role).accepted


def test_what_time_does_not_cure_is_a_verdict_at_once(ali: AliCloudRig):
    assert ali.finding(ali.key(access_key_secret=made(30)), JUST_MADE) == ("identify", "wrong_secret")
    assert ali.finding(ali.role(None), JUST_MADE) == ("trust", "unsafe_trust")


@pytest.mark.parametrize("code", ["InvalidAccessKeyId.NotFound", "SignatureDoesNotMatch"])
def test_a_service_that_does_not_know_the_proved_key_is_not_a_missing_permission(ali: AliCloudRig, code: str):
    ali.stand_in.faults.add(replace(error(404, code), match=r"^vpc"))
    with pytest.raises(Unavailable):
        ali.validate()


# What is never shown


def hidden(rig: AliCloudRig, credential: Credential) -> list[str]:
    """The submitted values but the role's name, which is no secret, and our own."""
    submitted = [credential.reveal(name) for name in credential if name != "role_arn"]
    sessions = [text for key in rig.cloud.keys.values() if key.token for text in (key.secret, key.token)]
    return [*submitted, *sessions, rig.cloud.platform.id, rig.cloud.platform.secret]


@pytest.mark.parametrize("method", ["key", "role"])
@pytest.mark.parametrize("granted", [True, False])
def test_a_verdict_shows_no_secret(ali: AliCloudRig, method: str, granted: bool):
    credential = submitted(ali, method)
    if not granted:
        ali.cloud.user.actions.clear()
        for role in ali.cloud.roles.values():
            role.actions.clear()
    verdict = ali.validate(credential)
    assert [value for value in hidden(ali, credential) if value in repr(verdict)] == []


def test_the_platforms_own_key_does_not_show_itself(ali: AliCloudRig):
    shown = repr(ali.platform())
    assert ali.cloud.platform.arn in shown
    assert ali.cloud.platform.id not in shown
    assert ali.cloud.platform.secret not in shown
