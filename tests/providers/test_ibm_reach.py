"""Where hostile fields and answers lead: to no host but IAM's, to no file, and into no header."""

from collections.abc import Iterator

import pytest

from domain.errors import PlatformConfig, Unavailable
from domain.onboarding.validation import Outcome
from emulators.clouds.faults import Fault
from emulators.clouds.ibm import ACCOUNT_SERVICES, Group, Policy
from emulators.clouds.server import StandIn
from providers.ibm.provider import is_ibm_host
from tests.providers.hostile import ELSEWHERE, watch
from tests.providers.ibm_rig import DETAILS, POLICIES, TOKEN, IbmRig, running_ibm

HOST = "iam.cloud.ibm.com"
PADDING = "k" * 44


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_ibm(tmp_path_factory.mktemp("ibm")) as stand_in:
        yield stand_in


@pytest.fixture
def ibm(server: StandIn) -> Iterator[IbmRig]:
    with IbmRig(server) as rig:
        yield rig


@pytest.mark.parametrize("value", ELSEWHERE, ids=ascii)
@pytest.mark.parametrize("name", ["api_key", "account_number"])
def test_a_hostile_field_reaches_nothing(ibm: IbmRig, name: str, value: str):
    padded = () if value.isalnum() else (f"{PADDING}{value}k",)
    for hostile in (value, *padded):
        with watch() as opened:
            verdict = ibm.validate(**{name: hostile})
        assert (verdict.outcome, verdict.steps[0].code) == (Outcome.REFUSED, "malformed")
        assert (opened, ibm.names.asked, ibm.stand_in.log) == ([], [], [])


@pytest.mark.parametrize("name", ["url", "iam_url", "endpoint", "auth_url", "apikey_file", "iam_profile_crn"])
def test_a_field_that_would_name_another_host_or_a_file_is_refused(ibm: IbmRig, name: str):
    with watch() as opened:
        verdict = ibm.validate(**{name: "https://attacker.example/"})
    assert verdict.steps[0].code == "malformed"
    assert (opened, ibm.names.asked) == ([], [])


def test_a_good_key_asks_for_iam_and_no_other(ibm: IbmRig):
    assert ibm.validate().accepted
    assert set(ibm.names.asked) == {HOST}


@pytest.mark.parametrize("path", [TOKEN, DETAILS, POLICIES])
@pytest.mark.parametrize("location", ["https://attacker.example/", "http://169.254.169.254/", "//localhost/"])
def test_a_redirect_is_not_followed(ibm: IbmRig, path: str, location: str):
    ibm.stand_in.faults.add(Fault(path, status=307, headers={"Location": location}))
    with pytest.raises(Unavailable):
        ibm.validate()
    assert set(ibm.names.asked) == {HOST}


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_name_that_leads_inside_is_not_connected_to(ibm: IbmRig, address: str):
    ibm.names.address = address
    with watch() as opened, pytest.raises(PlatformConfig):
        ibm.validate()
    assert [event for event in opened if event.startswith("socket")] == []


def test_a_next_page_is_asked_for_at_our_own_address(ibm: IbmRig):
    following = {"href": "https://attacker.example/v1/policies?start=1", "start": "0"}
    ibm.stand_in.faults.add(Fault(POLICIES, status=200, body={"policies": [], "next": following}))
    ibm.validate()
    assert set(ibm.names.asked) == {HOST}
    assert ibm.places().count(POLICIES) >= 2


@pytest.mark.parametrize(
    "value", ["../../identity/token", "x&iam_id=y", "x#", "x\r\nX-Header: 1", "\u2028", "{}"], ids=ascii
)
def test_the_id_of_a_group_stays_one_value_of_the_query(ibm: IbmRig, value: str):
    ibm.cloud.policies = [Policy(ibm.cloud.iam_id, ACCOUNT_SERVICES)]
    ibm.cloud.groups = [Group(id=value, members=[ibm.cloud.iam_id])]
    ibm.validate()
    assert ibm.places()[-1] == POLICIES
    assert ibm.cloud.asked_for[-1] == value


@pytest.mark.parametrize(
    "host",
    [f"{HOST}.attacker.example", f"attacker.example@{HOST}", "iam.test.cloud.ibm.com", "cloud.ibm.com", f"{HOST}.", ""],
)
def test_only_iam_is_on_the_list(host: str):
    assert not is_ibm_host(host)
