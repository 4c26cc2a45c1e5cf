"""Where hostile fields lead: to no host but those of the region, to no file, and into no header."""

from collections.abc import Iterator

import pytest

from domain.errors import PlatformConfig, Trouble, Unavailable
from domain.onboarding.validation import Outcome
from emulators.clouds.faults import Fault
from emulators.clouds.oci import REGION
from emulators.clouds.server import StandIn, running_stand_in
from providers.oci.regions import HOSTS, REGIONS, SERVICES, is_oci_host
from tests.providers.hostile import ELSEWHERE, watch
from tests.providers.oci_rig import OciRig

HOSTILE_REGIONS = [
    "us-mars-1",
    "IAD",
    "eu-frankfurt-1/",
    "eu-frankfurt-1/../x",
    "eu-frankfurt-1\n.attacker.example",
    "eu-frankfurt-1.oci.oraclecloud.com.attacker.example",
    "eu-frankfurt-1|us-ashburn-1",
    "eu-frankfurt-\u0661",
    "EU-FRANKFURT-1",
]
HOSTILE_KEYS = [
    "/etc/passwd",
    "file:///etc/passwd",
    "https://attacker.example/key.pem",
    "-----BEGIN PRIVATE KEY-----\nfile:///etc/passwd\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: /etc/hosts\n\nA\n-----END RSA PRIVATE KEY-----",
    '{"key_file": "/etc/passwd"}',
    "key_file=/etc/passwd",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("oci"), []) as stand_in:
        yield stand_in


@pytest.fixture
def oci(server: StandIn) -> Iterator[OciRig]:
    with OciRig(server) as rig:
        yield rig


def assert_it_reaches_nothing(oci: OciRig, name: str, value: str) -> None:
    submitted = oci.submitted(**{name: value})
    with watch() as reached:
        verdict = oci.provider.validate(submitted, oci.expected)
        assert reached == []
    assert (verdict.outcome, verdict.steps[0].status) == (Outcome.REFUSED, "failed")
    assert (oci.names.asked, oci.stand_in.log) == ([], [])
    assert value not in repr(verdict)


@pytest.mark.parametrize("name", ["user_ocid", "tenancy_ocid", "fingerprint", "region", "private_key"])
@pytest.mark.parametrize("value", ELSEWHERE, ids=ascii)
def test_a_hostile_field_reaches_nothing(oci: OciRig, name: str, value: str):
    assert_it_reaches_nothing(oci, name, value)


@pytest.mark.parametrize("tail", ELSEWHERE, ids=ascii)
@pytest.mark.parametrize("name", ["user_ocid", "tenancy_ocid"])
def test_an_ocid_with_a_hostile_tail_reaches_nothing(oci: OciRig, name: str, tail: str):
    assert_it_reaches_nothing(oci, name, f"{oci.cloud.demo_credential()[name]}/{tail}")


@pytest.mark.parametrize("value", HOSTILE_REGIONS, ids=ascii)
def test_a_region_off_the_list_reaches_nothing(oci: OciRig, value: str):
    assert_it_reaches_nothing(oci, "region", value)


@pytest.mark.parametrize("value", HOSTILE_KEYS, ids=ascii)
def test_a_key_that_names_a_file_or_an_address_reads_neither(oci: OciRig, value: str):
    assert_it_reaches_nothing(oci, "private_key", value)


@pytest.mark.parametrize("name", ["key_file", "security_token_file", "endpoint", "proxy", "service_endpoint"])
def test_a_field_of_the_clouds_own_configuration_file_is_refused(oci: OciRig, name: str):
    assert_it_reaches_nothing(oci, name, "https://attacker.example/")


def test_a_good_key_asks_for_the_regions_hosts_and_no_other(oci: OciRig):
    assert oci.validate().accepted
    assert all(is_oci_host(name) and f".{REGION}." in name for name in oci.names.asked)
    assert len(set(oci.names.asked)) == len(SERVICES)


@pytest.mark.parametrize("namespace", ["../../x", "a/b", "%2e%2e", "x?y#z", "x y", "é"])
def test_a_namespace_that_oci_names_stays_one_part_of_the_path(oci: OciRig, namespace: str):
    oci.cloud.namespace = namespace
    oci.stand_in.faults.add(Fault(r"/b$", status=503))
    with pytest.raises(Unavailable):
        oci.validate()
    assert oci.stand_in.log[-1].startswith("GET objectstorage.eu-frankfurt-1.oraclecloud.com/n/")
    assert oci.stand_in.log[-1].count("/") == 3


@pytest.mark.parametrize(
    "location", ["https://attacker.example/", "http://169.254.169.254/", "//localhost/", "file:///x"]
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(oci: OciRig, status: int, location: str):
    oci.stand_in.faults.add(Fault("/users/", status=status, headers={"Location": location}))
    with pytest.raises(Trouble):
        oci.validate()
    assert (len(oci.stand_in.log), set(oci.names.asked)) == (1, {f"identity.{REGION}.oci.oraclecloud.com"})


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_name_of_oracles_that_leads_inside_is_not_connected_to(oci: OciRig, address: str):
    oci.names.address = address
    with watch() as reached, pytest.raises(PlatformConfig):
        oci.validate()
    assert [event for event in reached if event.startswith("socket")] == []


@pytest.mark.parametrize(
    "host",
    [
        "oraclecloud.com",
        "identity.us-mars-1.oci.oraclecloud.com",
        "identity.eu-frankfurt-1.oci.oraclecloud.com.attacker.example",
        "attacker.example/identity.eu-frankfurt-1.oci.oraclecloud.com",
        "IDENTITY.eu-frankfurt-1.oci.oraclecloud.com",
        "identity.eu-frankfurt-1.oci.oraclecloud.com.",
        "console.eu-frankfurt-1.oraclecloud.com",
        "127.0.0.1",
        "",
    ],
)
def test_only_the_services_of_known_regions_are_on_the_list(host: str):
    assert not is_oci_host(host)


def test_the_list_has_each_service_of_each_region():
    assert len(HOSTS) == len(SERVICES) * len(REGIONS)
