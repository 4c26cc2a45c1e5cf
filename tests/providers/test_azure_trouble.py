"""What is not the customer's fault, what time cures, and what no answer shows."""

from collections.abc import Iterator

import pytest

from domain.errors import ClockSkew, PlatformConfig, Propagating, Throttled, Trouble, Unavailable
from domain.onboarding.credentials import Credential
from emulators.clouds.azure import Application
from emulators.clouds.faults import GARBAGE, HUGE, Fault
from emulators.clouds.server import StandIn
from providers.azure.provider import AzureProvider
from tests.providers.azure_rig import OTHER, SECRETS, Rig, certificate_credential, running_azure, secret_credential
from tests.providers.stand_in_rig import EXPECTED, JUST_MADE
from transport.client import GuardedClient
from transport.exchange import Bounds

TOKEN, SUBSCRIPTION, PERMISSION = r"/token$", r"/subscriptions/[^/]+$", r"/permissions$"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_azure(tmp_path_factory.mktemp("azure")) as stand_in:
        yield stand_in


@pytest.fixture
def azure(server: StandIn) -> Iterator[Rig]:
    with Rig(server) as rig:
        yield rig


# What was made a moment ago


def unregistered(rig: Rig) -> Credential:
    credential = certificate_credential(rig.cloud)
    rig.cloud.application.certificates.clear()
    return credential


def roleless(rig: Rig) -> Credential:
    rig.cloud.subscription.roles.clear()
    return secret_credential(rig.cloud)


NOT_THERE_YET = {
    "application": lambda rig: secret_credential(rig.cloud, client_id=OTHER),
    "secret": lambda rig: secret_credential(rig.cloud, client_secret="Aa1~not-known-yet"),
    "certificate": unregistered,
    "role": roleless,
}


@pytest.mark.parametrize("made", NOT_THERE_YET)
def test_what_was_just_made_is_waited_for(azure: Rig, made: str):
    credential = NOT_THERE_YET[made](azure)
    with pytest.raises(Propagating) as raised:
        azure.validate(credential, JUST_MADE)
    assert raised.value.retry_after == 3
    assert not azure.validate(credential).accepted


def test_what_time_does_not_cure_is_a_verdict_at_once(azure: Rig):
    unknown = secret_credential(azure.cloud, tenant_id=OTHER)
    assert azure.finding(unknown, JUST_MADE) == ("identify", "unknown_tenant")
    azure.cloud.application.secrets = dict.fromkeys(azure.cloud.application.secrets, 1.0)
    assert azure.finding(None, JUST_MADE) == ("identify", "expired_credential")


# Trouble that is not the customer's

BUSY = {"error": "temporarily_unavailable", "error_description": "AADSTS90055", "error_codes": [90055]}
THROTTLED = {"error": {"code": "SubscriptionRequestsThrottled", "message": "slow down"}}
RETRY = {"Retry-After": "7"}

FAULTS: dict[str, tuple[Fault, type[Trouble]]] = {
    "token throttled": (Fault(TOKEN, status=429, body=BUSY, headers=RETRY), Throttled),
    "token 503": (Fault(TOKEN, status=503, body=GARBAGE, headers=RETRY), Unavailable),
    "token 500 with a code": (Fault(TOKEN, status=500, body={"error": "invalid_client"}), Unavailable),
    "token cut": (Fault(TOKEN, cut=True), Unavailable),
    "token garbage": (Fault(TOKEN, status=200, body=GARBAGE), Unavailable),
    "token huge": (Fault(TOKEN, status=200, body=HUGE), Unavailable),
    "token drips": (Fault(TOKEN, status=200, body={"access_token": "a.b.c"}, drip_seconds=0.2), Unavailable),
    "token late": (Fault(TOKEN, status=200, delay_seconds=1.5), Unavailable),
    "token empty": (Fault(TOKEN, status=200, body={}), Unavailable),
    "token no token": (Fault(TOKEN, status=200, body={"access_token": "a\r\nb"}), Unavailable),
    "token a number": (Fault(TOKEN, status=200, body={"access_token": 7}), Unavailable),
    "token redirected": (Fault(TOKEN, status=302, headers={"Location": "https://attacker.example/"}), Unavailable),
    "proxy denies": (Fault(TOKEN, status=403, body=GARBAGE), PlatformConfig),
    "unknown code": (Fault(TOKEN, status=400, body={"error": "invalid_request", "error_codes": [1]}), PlatformConfig),
    "subscription throttled": (Fault(SUBSCRIPTION, status=429, body=THROTTLED, headers=RETRY), Throttled),
    "subscription 502": (Fault(SUBSCRIPTION, status=502, body=GARBAGE), Unavailable),
    "subscription garbage": (Fault(SUBSCRIPTION, status=200, body={"value": []}), Unavailable),
    "token forgotten": (
        Fault(SUBSCRIPTION, status=401, body={"error": {"code": "InvalidAuthenticationToken"}}),
        Unavailable,
    ),
    "permissions throttled": (Fault(PERMISSION, status=429, body=THROTTLED, headers=RETRY), Throttled),
    "permissions 504": (Fault(PERMISSION, status=504), Unavailable),
    "permissions cut": (Fault(PERMISSION, cut=True), Unavailable),
}


@pytest.mark.parametrize("name", FAULTS)
def test_trouble_is_raised_and_never_a_verdict(server: StandIn, name: str):
    fault, trouble = FAULTS[name]
    rig = Rig(server, bounds=Bounds(seconds=1, read_seconds=0.7))
    server.faults.add(fault)
    with rig.client, pytest.raises(trouble) as raised:
        rig.validate()
    assert raised.value.retry_after == (7 if fault.headers == RETRY else None)


def test_after_the_trouble_the_same_credential_is_accepted(azure: Rig):
    azure.stand_in.faults.add(Fault(TOKEN, status=503))
    with pytest.raises(Unavailable):
        azure.validate()
    assert azure.validate().accepted


@pytest.mark.parametrize("offset", [-3600, 3600], ids=["slow", "fast"])
def test_a_wrong_clock_of_ours_is_not_blamed_on_a_certificate(azure: Rig, offset: int):
    azure.stand_in.clock_offset = offset
    with pytest.raises(ClockSkew):
        azure.validate(certificate_credential(azure.cloud))


def test_a_clock_that_is_a_minute_off_is_good_enough(azure: Rig):
    azure.stand_in.clock_offset = 60
    assert azure.validate(certificate_credential(azure.cloud)).accepted


def test_a_certificate_authority_that_we_do_not_trust_is_our_trouble(azure: Rig):
    with GuardedClient(azure.stand_in.backend()) as client, pytest.raises(PlatformConfig):
        AzureProvider(client).validate(secret_credential(azure.cloud), EXPECTED)


# What is never shown


def assert_hidden(shown: str, credential: Credential) -> None:
    hidden = [credential.reveal(name) for name in SECRETS if credential.reveal(name)]
    lines = [line for value in hidden for line in value.splitlines() if not line.startswith("-----")]
    assert lines
    assert [line for line in lines if line in shown] == []


def test_no_secret_is_in_a_verdict(azure: Rig):
    for credential in (secret_credential(azure.cloud), certificate_credential(azure.cloud, "open sesame")):
        assert_hidden(repr(azure.validate(credential)), credential)
        azure.cloud.application.enabled = False
        assert_hidden(repr(azure.validate(credential)), credential)
        azure.cloud.application.enabled = True


@pytest.mark.parametrize("name", ["token garbage", "unknown code", "subscription 502"])
def test_no_secret_is_in_an_exception_or_in_what_it_came_from(azure: Rig, name: str):
    credential = secret_credential(azure.cloud)
    azure.stand_in.faults.add(FAULTS[name][0])
    with pytest.raises(Trouble) as raised:
        azure.validate(credential)
    assert_hidden(f"{raised.value!r} {raised.value.message}", credential)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_no_submitted_id_is_in_a_sentence(azure: Rig):
    azure.cloud.tenants[azure.cloud.tenant_id][OTHER] = Application(OTHER)
    verdict = azure.validate(secret_credential(azure.cloud, client_id=OTHER))
    assert not verdict.accepted
    assert OTHER not in repr(verdict)
