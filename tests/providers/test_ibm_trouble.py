"""What is not the customer's fault, what time cures, and what no answer of ours shows."""

from collections.abc import Iterator

import pytest

from domain.errors import PlatformConfig, Propagating, Throttled, Trouble, Unavailable
from domain.onboarding.validation import Outcome
from emulators.clouds.faults import GARBAGE, HUGE, Fault
from emulators.clouds.ibm import ACCOUNT_SERVICES, Policy, errors, refused
from emulators.clouds.server import StandIn
from providers.ibm.provider import IbmProvider
from tests.providers.ibm_rig import DETAILS, GROUPS, POLICIES, TOKEN, IbmRig, running_ibm
from tests.providers.stand_in_rig import EXPECTED, JUST_MADE, QUICK, everything_of
from transport.client import GuardedClient

UNKNOWN = "k" * 44
RETRY = {"Retry-After": "7"}
NO_TOKEN = errors(401, "unauthorized", "BXNIM0308E")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_ibm(tmp_path_factory.mktemp("ibm")) as stand_in:
        yield stand_in


@pytest.fixture
def ibm(server: StandIn) -> Iterator[IbmRig]:
    with IbmRig(server, bounds=QUICK) as rig:
        yield rig


# What was made a moment ago


def test_a_key_that_was_just_made_is_waited_for(ibm: IbmRig):
    with pytest.raises(Propagating) as raised:
        ibm.validate(JUST_MADE, api_key=UNKNOWN)
    assert raised.value.retry_after == 3
    assert ibm.finding(api_key=UNKNOWN) == ("identify", "unknown_key")


def test_policies_that_were_just_assigned_are_waited_for(ibm: IbmRig):
    ibm.cloud.policies = [Policy(ibm.cloud.iam_id, ACCOUNT_SERVICES)]
    with pytest.raises(Propagating):
        ibm.validate(JUST_MADE)
    ibm.cloud.policies.clear()
    with pytest.raises(Propagating):
        ibm.validate(JUST_MADE)
    assert ibm.finding() == ("permissions", "missing_permissions")


def test_what_time_does_not_cure_is_a_verdict_at_once(ibm: IbmRig):
    ibm.cloud.key.disabled = True
    assert ibm.finding(JUST_MADE) == ("identify", "key_disabled")


# Trouble that passes, or that is ours

FAULTS: dict[str, tuple[Fault, type[Trouble]]] = {
    "token throttled": (Fault(TOKEN, status=429, body=refused("BXNIM0508E", "Slow."), headers=RETRY), Throttled),
    "token 503": (Fault(TOKEN, status=503, body=GARBAGE, headers=RETRY), Unavailable),
    "token 500 with a code": (Fault(TOKEN, status=500, body=refused("BXNIM0415E", "No.")), Unavailable),
    "token cut": (Fault(TOKEN, cut=True), Unavailable),
    "token garbage": (Fault(TOKEN, status=200, body=GARBAGE), Unavailable),
    "token huge": (Fault(TOKEN, status=200, body=HUGE), Unavailable),
    "token drips": (Fault(TOKEN, status=200, body={"access_token": "a.b.c"}, drip_seconds=0.2), Unavailable),
    "token late": (Fault(TOKEN, status=200, delay_seconds=1.2), Unavailable),
    "token empty": (Fault(TOKEN, status=200, body={}), Unavailable),
    "token no token": (Fault(TOKEN, status=200, body={"access_token": "a.b.c\r\nx: y"}), Unavailable),
    "token redirected": (Fault(TOKEN, status=302, headers={"Location": "https://attacker.example/"}), Unavailable),
    "two refusals without a code": (Fault(TOKEN, times=2, status=400, body={}), PlatformConfig),
    "proxy denies twice": (Fault(TOKEN, times=2, status=403, body=GARBAGE), PlatformConfig),
    "proxy asks who we are": (Fault(TOKEN, times=2, status=407, body=GARBAGE), PlatformConfig),
    "details throttled": (Fault(DETAILS, status=429, headers=RETRY), Throttled),
    "details 502": (Fault(DETAILS, status=502, body=GARBAGE), Unavailable),
    "details forget the token": (Fault(DETAILS, status=401, body=NO_TOKEN), Unavailable),
    "details denied by a proxy": (Fault(DETAILS, status=403, body=GARBAGE), PlatformConfig),
    "details without an account": (Fault(DETAILS, status=200, body={"iam_id": "iam-ServiceId-1"}), Unavailable),
    "details of a strange account": (
        Fault(DETAILS, status=200, body={"iam_id": "iam-ServiceId-1", "account_id": "../../x"}),
        Unavailable,
    ),
    "policies throttled": (Fault(POLICIES, status=429, headers=RETRY), Throttled),
    "policies 504": (Fault(POLICIES, status=504), Unavailable),
    "policies cut": (Fault(POLICIES, cut=True), Unavailable),
    "policies gone": (Fault(POLICIES, status=404, body=errors(404, "not_found")), Unavailable),
    "policies denied by a proxy": (Fault(POLICIES, status=403, body=GARBAGE), PlatformConfig),
    "policies without end": (
        Fault(POLICIES, times=99, status=200, body={"policies": [], "next": {"start": "again"}}),
        Unavailable,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_trouble_is_raised_and_never_a_verdict(ibm: IbmRig, name: str):
    fault, trouble = FAULTS[name]
    ibm.stand_in.faults.add(fault)
    with pytest.raises(trouble) as raised:
        ibm.validate()
    assert raised.value.retry_after == (7 if fault.headers == RETRY else None)
    assert len(ibm.places()) < 30


@pytest.mark.parametrize("status", [429, 500])
def test_trouble_with_the_access_groups_is_raised_too(ibm: IbmRig, status: int):
    ibm.cloud.policies = [Policy(ibm.cloud.iam_id, ACCOUNT_SERVICES)]
    ibm.stand_in.faults.add(Fault(GROUPS, status=status))
    with pytest.raises((Throttled, Unavailable)):
        ibm.validate()


def test_after_the_trouble_the_same_key_is_accepted(ibm: IbmRig):
    ibm.stand_in.faults.add(Fault(TOKEN, status=503))
    with pytest.raises(Unavailable):
        ibm.validate()
    assert ibm.validate().outcome is Outcome.ACTIVE


@pytest.mark.parametrize("offset", [-86_400, 86_400], ids=["slow", "fast"])
def test_a_wrong_clock_of_ours_changes_nothing_because_nothing_is_signed(ibm: IbmRig, offset: int):
    ibm.stand_in.clock_offset = offset
    assert ibm.validate().accepted


def test_a_certificate_authority_that_we_do_not_trust_is_our_trouble(ibm: IbmRig):
    with GuardedClient(ibm.stand_in.backend()) as client, pytest.raises(PlatformConfig):
        IbmProvider(client).validate(ibm.submitted(), EXPECTED)


@pytest.mark.parametrize(
    "body",
    [
        {"policies": None},
        {"policies": {"0": {}}},
        {"policies": [None, 7, [], {}, {"type": "access"}, {"type": "access", "roles": 7, "resources": [7]}]},
        {"policies": [{"type": "access", "resources": [{"attributes": [{"name": 7, "value": {}}, None]}]}]},
    ],
    ids=repr,
)
def test_policies_in_no_form_of_ibms_grant_nothing(ibm: IbmRig, body: dict[str, object]):
    ibm.stand_in.faults.add(Fault(POLICIES, status=200, body=body))
    assert ibm.finding() == ("permissions", "missing_permissions")


# What is never shown


def test_no_key_is_in_a_verdict(ibm: IbmRig):
    assert ibm.cloud.key.value not in repr(ibm.validate())
    assert UNKNOWN not in repr(ibm.validate(api_key=UNKNOWN))


@pytest.mark.parametrize("name", ["token garbage", "proxy denies twice", "details 502", "policies cut"])
def test_no_key_is_in_an_exception_or_in_what_it_came_from(ibm: IbmRig, name: str):
    ibm.stand_in.faults.add(FAULTS[name][0])
    with pytest.raises(Trouble) as raised:
        ibm.validate()
    assert ibm.cloud.key.value not in everything_of(raised.value)


def test_no_key_is_in_an_address(ibm: IbmRig):
    ibm.validate()
    assert not [line for line in ibm.stand_in.log if ibm.cloud.key.value in line]
