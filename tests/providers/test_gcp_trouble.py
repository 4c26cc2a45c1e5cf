"""What is not the customer's fault, what time cures, and what no answer shows."""

from collections.abc import Callable, Iterator

import pytest

from domain.errors import ClockSkew, PlatformConfig, Propagating, Throttled, Trouble, Unavailable
from domain.onboarding.credentials import Credential
from emulators.clouds.faults import GARBAGE, HUGE, Fault
from emulators.clouds.gcp_tokens import pem_of
from emulators.clouds.server import StandIn, running_stand_in
from providers.gcp.provider import GcpProvider
from tests.providers.gcp_rig import PROJECT, TEST, TOKEN, GcpRig, made_key
from tests.providers.stand_in_rig import EXPECTED, JUST_MADE, QUICK, everything_of
from transport.client import GuardedClient


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("gcp"), []) as stand_in:
        yield stand_in


@pytest.fixture
def gcp(server: StandIn) -> Iterator[GcpRig]:
    with GcpRig(server) as rig:
        yield rig


# What was made a moment ago

NOT_THERE_YET: dict[str, Callable[[GcpRig], None]] = {
    "key": lambda rig: rig.cloud.account.keys.clear(),
    "account": lambda rig: rig.cloud.accounts.clear(),
    "role": lambda rig: rig.cloud.project.granted.clear(),
    "service": lambda rig: rig.cloud.disabled_services.add("cloudresourcemanager.googleapis.com"),
}


@pytest.mark.parametrize("made", NOT_THERE_YET)
def test_what_was_just_made_is_waited_for(gcp: GcpRig, made: str):
    NOT_THERE_YET[made](gcp)
    with pytest.raises(Propagating) as raised:
        gcp.validate(expectation=JUST_MADE)
    assert raised.value.retry_after == 3
    assert not gcp.validate().accepted


def test_what_time_does_not_cure_is_a_verdict_at_once(gcp: GcpRig):
    gcp.cloud.project.state = "DELETE_REQUESTED"
    assert gcp.finding(expectation=JUST_MADE) == ("ownership", "project_deleted")
    gcp.cloud.barred.add(gcp.cloud.account.email)
    assert gcp.finding(expectation=JUST_MADE) == ("ownership", "blocked_by_policy")


# Trouble that is not the customer's

RETRY = {"Retry-After": "7"}
EXHAUSTED = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota exceeded"}}
INTERNAL = {"error": {"code": 500, "status": "INTERNAL", "message": "Internal error encountered."}}
UNAUTHENTICATED = {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Request had invalid credentials."}}

FAULTS: dict[str, tuple[Fault, type[Trouble]]] = {
    "token throttled": (Fault(TOKEN, status=429, body={"error": "rate_limit_exceeded"}, headers=RETRY), Throttled),
    "token 503": (Fault(TOKEN, status=503, body=GARBAGE, headers=RETRY), Unavailable),
    "token 500 with a code": (Fault(TOKEN, status=500, body={"error": "invalid_grant"}), Unavailable),
    "token cut": (Fault(TOKEN, cut=True), Unavailable),
    "token garbage": (Fault(TOKEN, status=200, body=GARBAGE), Unavailable),
    "token huge": (Fault(TOKEN, status=200, body=HUGE), Unavailable),
    "token drips": (Fault(TOKEN, status=200, body={"access_token": "a.b.c"}, drip_seconds=0.2), Unavailable),
    "token late": (Fault(TOKEN, status=200, delay_seconds=1.2), Unavailable),
    "token empty": (Fault(TOKEN, status=200, body={}), Unavailable),
    "token no token": (Fault(TOKEN, status=200, body={"access_token": "a\r\nb"}), Unavailable),
    "token a number": (Fault(TOKEN, status=200, body={"access_token": 7}), Unavailable),
    "token redirected": (Fault(TOKEN, status=302, headers={"Location": "https://attacker.example/"}), Unavailable),
    "proxy denies": (Fault(TOKEN, status=403, body=GARBAGE), PlatformConfig),
    "scope refused": (Fault(TOKEN, status=400, body={"error": "invalid_scope"}), PlatformConfig),
    "project throttled": (Fault(PROJECT, status=429, body=EXHAUSTED, headers=RETRY), Throttled),
    "project 500": (Fault(PROJECT, status=500, body=INTERNAL), Unavailable),
    "project of another": (Fault(PROJECT, status=200, body={"projectId": "another"}), Unavailable),
    "token forgotten": (Fault(PROJECT, status=401, body=UNAUTHENTICATED), Unavailable),
    "permissions throttled": (Fault(TEST, status=429, body=EXHAUSTED, headers=RETRY), Throttled),
    "permissions 504": (Fault(TEST, status=504), Unavailable),
    "permissions cut": (Fault(TEST, cut=True), Unavailable),
    "permission unknown": (
        Fault(TEST, status=400, body={"error": {"code": 400, "status": "INVALID_ARGUMENT"}}),
        PlatformConfig,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_trouble_is_raised_and_never_a_verdict(server: StandIn, name: str):
    fault, trouble = FAULTS[name]
    with GcpRig(server, bounds=QUICK) as rig:
        server.faults.add(fault)
        with pytest.raises(trouble) as raised:
            rig.validate()
    assert raised.value.retry_after == (7 if fault.headers == RETRY else None)


def test_after_the_trouble_the_same_credential_is_accepted(gcp: GcpRig):
    gcp.stand_in.faults.add(Fault(TOKEN, status=503))
    with pytest.raises(Unavailable):
        gcp.validate()
    assert gcp.validate().accepted


@pytest.mark.parametrize("offset", [-7200, 7200], ids=["slow", "fast"])
def test_a_wrong_clock_of_ours_is_not_blamed_on_the_key(gcp: GcpRig, offset: int):
    gcp.stand_in.clock_offset = offset
    with pytest.raises(ClockSkew):
        gcp.validate()


@pytest.mark.parametrize("offset", [-240, 240], ids=["slow", "fast"])
def test_a_clock_that_is_some_minutes_off_is_good_enough(gcp: GcpRig, offset: int):
    gcp.stand_in.clock_offset = offset
    assert gcp.validate().accepted


def test_a_certificate_authority_that_we_do_not_trust_is_our_trouble(gcp: GcpRig):
    with GuardedClient(gcp.stand_in.backend()) as client, pytest.raises(PlatformConfig):
        GcpProvider(client).validate(gcp.submitted(), EXPECTED)


# What is never shown


def assert_hidden(shown: str, credential: Credential) -> None:
    lines = [line for line in pem_of(made_key()).splitlines() if not line.startswith("-----")]
    assert [line for line in lines if line in shown] == []
    assert credential.reveal("service_account_json") not in shown


def test_no_secret_is_in_a_verdict(gcp: GcpRig):
    credential = gcp.submitted()
    assert_hidden(repr(gcp.validate(credential)), credential)
    gcp.cloud.account.keys.clear()
    shown = repr(gcp.validate(credential))
    assert_hidden(shown, credential)
    assert gcp.cloud.key_id not in shown
    assert gcp.cloud.account.email not in shown


@pytest.mark.parametrize("name", ["token garbage", "scope refused", "project 500", "permissions cut"])
def test_no_secret_is_in_an_exception_or_in_what_it_came_from(gcp: GcpRig, name: str):
    credential = gcp.submitted()
    gcp.stand_in.faults.add(FAULTS[name][0])
    with pytest.raises(Trouble) as raised:
        gcp.validate(credential)
    shown = everything_of(raised.value)
    assert_hidden(shown, credential)
    assert "ya29" not in shown
    assert gcp.cloud.account.email not in shown
