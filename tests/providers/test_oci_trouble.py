"""What is not the customer's fault, what time cures, and what no answer shows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from domain.errors import ClockSkew, PlatformConfig, Propagating, Throttled, Trouble, Unavailable
from domain.onboarding.validation import Outcome
from emulators.clouds.faults import GARBAGE, HUGE, Fault
from emulators.clouds.oci import made_ocid, pem
from emulators.clouds.server import StandIn, running_stand_in
from providers.oci.provider import OciProvider
from tests.providers.oci_rig import GROUPS, IDENTIFY, NAMESPACE, OciRig, made_key
from tests.providers.stand_in_rig import EXPECTED, JUST_MADE, QUICK, everything_of
from transport.client import GuardedClient

BUSY = {"code": "TooManyRequests", "message": "Too many requests for the user"}
NO_USER = {
    "code": "NotAuthenticated",
    "message": "The required information to complete authentication was not provided",
}
RETRY = {"Retry-After": "7"}

PLACES = {"identify": IDENTIFY, "permissions": GROUPS, "namespace": NAMESPACE}
KINDS: dict[str, tuple[Fault, type[Trouble]]] = {
    "throttled": (Fault("", status=429, body=BUSY, headers=RETRY), Throttled),
    "throttled without a body": (Fault("", status=429, body=GARBAGE), Throttled),
    "500": (Fault("", status=500, body={"code": "InternalServerError"}), Unavailable),
    "503": (Fault("", status=503, body={"code": "ServiceUnavailable"}, headers=RETRY), Unavailable),
    "cut": (Fault("", cut=True), Unavailable),
    "garbage": (Fault("", status=200, body=GARBAGE), Unavailable),
    "half an answer": (Fault("", status=200, body=b'{"id": "oc'), Unavailable),
    "a number": (Fault("", status=200, body=b"7"), Unavailable),
    "nested": (Fault("", status=200, body=b"[" * 60_000), Unavailable),
    "huge": (Fault("", status=200, body=HUGE), Unavailable),
    "drip": (Fault("", status=200, body={"id": "x" * 50}, drip_seconds=0.1), Unavailable),
    "late": (Fault("", status=200, delay_seconds=1.0), Unavailable),
    "redirected": (Fault("", status=302, headers={"Location": "https://attacker.example/"}), Unavailable),
    "a proxy's page": (Fault("", status=403, body=GARBAGE), PlatformConfig),
    "a proxy that wants a password": (Fault("", status=407, body=GARBAGE), PlatformConfig),
    "a wrong request of ours": (Fault("", status=400, body={"code": "InvalidParameter"}), PlatformConfig),
}
FAULTS = {
    f"{place}, {kind}": (replace(fault, match=match), trouble)
    for place, match in PLACES.items()
    for kind, (fault, trouble) in KINDS.items()
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("oci"), []) as stand_in:
        yield stand_in


@pytest.fixture
def oci(server: StandIn) -> Iterator[OciRig]:
    with OciRig(server) as rig:
        yield rig


@pytest.mark.parametrize("name", FAULTS)
def test_trouble_is_raised_without_any_value_and_is_never_a_verdict(server: StandIn, name: str):
    fault, trouble = FAULTS[name]
    with OciRig(server, bounds=QUICK) as rig:
        server.faults.add(fault)
        with pytest.raises(trouble) as raised:
            rig.validate()
    assert raised.value.retry_after == (7 if fault.headers == RETRY else None)
    assert (type(raised.value), rig.names.asked.count("attacker.example")) == (trouble, 0)
    assert [value for value in values(rig) if value in everything_of(raised.value)] == []


def test_after_the_trouble_the_same_key_is_accepted(oci: OciRig):
    oci.stand_in.faults.add(Fault(IDENTIFY, cut=True))
    with pytest.raises(Unavailable):
        oci.validate()
    assert oci.validate().outcome is Outcome.ACTIVE


@pytest.mark.parametrize("offset", [-3600, -310, 310, 3600])
def test_a_wrong_clock_of_ours_is_never_the_customers_fault(oci: OciRig, offset: int):
    oci.stand_in.clock_offset = offset
    with pytest.raises(ClockSkew):
        oci.validate()


def test_a_wrong_key_stays_one_when_the_clocks_differ_by_what_oci_allows(oci: OciRig):
    oci.stand_in.clock_offset = 120
    oci.cloud.user.keys.clear()
    assert oci.finding() == ("identify", "not_authenticated")


def test_a_certificate_authority_that_we_do_not_trust_is_our_trouble(oci: OciRig):
    with GuardedClient(oci.stand_in.backend()) as client, pytest.raises(PlatformConfig, match="TLS"):
        OciProvider(client).validate(oci.submitted(), EXPECTED)


def test_a_name_that_leads_inside_is_not_followed(oci: OciRig):
    oci.names.address = "169.254.169.254"
    with pytest.raises(PlatformConfig, match="DNS"):
        oci.validate()
    assert oci.stand_in.log == []


# What was made a moment ago


def test_a_key_that_was_just_added_is_waited_for(oci: OciRig):
    oci.cloud.user.keys.clear()
    with pytest.raises(Propagating) as raised:
        oci.validate(JUST_MADE)
    assert raised.value.retry_after == 3
    assert not oci.validate(EXPECTED).accepted


def test_what_time_does_not_cure_is_a_verdict_at_once(oci: OciRig):
    assert oci.finding(JUST_MADE, private_key=pem(made_key("other"))) == ("shape", "fingerprint_mismatch")
    oci.cloud.user.state = "INACTIVE"
    assert oci.finding(JUST_MADE) == ("identify", "inactive_user")


def test_a_service_that_does_not_know_the_proved_key_yet_is_not_a_missing_permission(oci: OciRig):
    oci.stand_in.faults.add(Fault(r"^kms", status=401, body=NO_USER))
    with pytest.raises(Unavailable):
        oci.validate()


# What is never shown


def values(rig: OciRig, **changed: object) -> list[str]:
    """Every submitted value but the region, which is a word of Oracle's; of keys the lines of digits."""
    fields = {name: str(value) for name, value in (rig.cloud.demo_credential() | changed).items() if name != "region"}
    return [line for value in fields.values() for line in value.splitlines() if line and not line.startswith("-----")]


@pytest.mark.parametrize("granted", [True, False])
def test_a_verdict_shows_no_key_and_names_the_account_only_where_it_should(oci: OciRig, granted: bool):
    if not granted:
        oci.cloud.granted.clear()
    verdict = oci.validate()
    assert [value for value in values(oci) if value in repr(verdict.steps)] == []


@pytest.mark.parametrize(
    "changed",
    [{"user_ocid": made_ocid("user")}, {"pass_phrase": "correct horse battery"}, {"fingerprint": "ab:" * 15 + "cd"}],
    ids=["user", "pass phrase", "fingerprint"],
)
def test_a_refusal_shows_no_submitted_value(oci: OciRig, changed: dict[str, object]):
    verdict = oci.validate(**changed)
    assert not verdict.accepted
    assert [value for value in values(oci, **changed) if value in repr(verdict)] == []
