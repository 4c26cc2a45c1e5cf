"""Where hostile fields lead: to no host but AliCloud's, to no file, and into no header."""

from collections.abc import Iterator

import pytest

from domain.errors import PlatformConfig, Trouble
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Outcome
from emulators.clouds.faults import Fault
from emulators.clouds.server import StandIn, running_stand_in
from providers.alicloud.permissions import HOSTS, SERVICES, is_alicloud_host
from tests.providers.alicloud_rig import RAM, STS, AliCloudRig
from tests.providers.hostile import ELSEWHERE, watch

HOSTILE_ARNS = [
    "acs:ram::1234567890123456:role/x/../../y",
    "acs:ram::1234567890123456:role/x?y",
    "acs:ram::1234567890123456:role/x&Action=CreateUser",
    "acs:ram::1234567890123456:role/x%26Action%3DCreateUser",
    "acs:ram::1234567890123456:role/x\r\nHost: attacker.example",
    "acs:ram::1234567890123456:role/x y",
    "acs:ram::1234567890123456:user/x",
    "acs:ram::1234567890123456:root",
    "acs:ram::attacker.example:role/x",
    "acs:ram:cn-hangzhou:1234567890123456:role/x",
    "arn:aws:iam::123456789012:role/x",
    "acs:ram::\u0661234567890123456:role/x",
    "acs:ram::1234567890123456:role/\uff58",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("alicloud"), []) as stand_in:
        yield stand_in


@pytest.fixture
def ali(server: StandIn) -> Iterator[AliCloudRig]:
    with AliCloudRig(server) as rig:
        yield rig


def assert_it_reaches_nothing(ali: AliCloudRig, submitted: Credential, value: str) -> None:
    with watch() as reached:
        verdict = ali.provider.validate(submitted, ali.expected)
        assert reached == []
    assert (verdict.outcome, verdict.steps[0].status) == (Outcome.REFUSED, "failed")
    assert (ali.names.asked, ali.stand_in.log) == ([], [])
    assert value not in repr(verdict)


@pytest.mark.parametrize("name", ["access_key_id", "access_key_secret"])
@pytest.mark.parametrize("value", ELSEWHERE, ids=ascii)
def test_a_hostile_field_of_a_key_reaches_nothing(ali: AliCloudRig, name: str, value: str):
    assert_it_reaches_nothing(ali, ali.key(**{name: value}), value)


@pytest.mark.parametrize("value", [value for value in ELSEWHERE if not value.isdigit()], ids=ascii)
def test_a_hostile_account_number_reaches_nothing(ali: AliCloudRig, value: str):
    assert_it_reaches_nothing(ali, ali.role(account_number=value), value)


@pytest.mark.parametrize("name", ["role_arn", "external_id"])
@pytest.mark.parametrize("value", ELSEWHERE, ids=ascii)
def test_a_hostile_field_of_a_role_reaches_nothing(ali: AliCloudRig, name: str, value: str):
    assert_it_reaches_nothing(ali, ali.role(**{name: value}), value)


@pytest.mark.parametrize("value", HOSTILE_ARNS, ids=ascii)
def test_an_arn_that_says_more_than_a_role_reaches_nothing(ali: AliCloudRig, value: str):
    assert_it_reaches_nothing(ali, ali.role(role_arn=value), value)


@pytest.mark.parametrize("tail", ELSEWHERE, ids=ascii)
def test_a_key_with_a_hostile_tail_reaches_nothing(ali: AliCloudRig, tail: str):
    value = f"{ali.cloud.user.id},{tail}"
    assert_it_reaches_nothing(ali, ali.key(access_key_id=value), value)


@pytest.mark.parametrize("name", ["region", "region_id", "endpoint", "security_token", "sts_endpoint", "proxy"])
def test_a_field_that_would_name_another_place_is_refused(ali: AliCloudRig, name: str):
    value = "evil.example.com/x?"
    assert_it_reaches_nothing(ali, ali.key(**{name: value}), value)


@pytest.mark.parametrize("method", ["key", "role"])
def test_a_good_credential_asks_for_alicloud_s_hosts_and_no_other(ali: AliCloudRig, method: str):
    assert ali.validate(ali.key() if method == "key" else ali.role()).accepted
    assert set(ali.names.asked) == {service.host for service in SERVICES.values()}


@pytest.mark.parametrize(
    "location", ["https://attacker.example/", "http://169.254.169.254/", "//localhost/", "file:///x"]
)
@pytest.mark.parametrize("place", [STS, RAM])
def test_a_redirect_is_not_followed(ali: AliCloudRig, place: str, location: str):
    ali.stand_in.faults.add(Fault(place, status=307, headers={"Location": location}))
    with pytest.raises(Trouble):
        ali.validate()
    assert set(ali.names.asked) <= HOSTS


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_name_of_alicloud_s_that_leads_inside_is_not_connected_to(ali: AliCloudRig, address: str):
    ali.names.address = address
    with watch() as reached, pytest.raises(PlatformConfig):
        ali.validate()
    assert [event for event in reached if event.startswith("socket")] == []


@pytest.mark.parametrize(
    "host",
    [
        "aliyuncs.com",
        "sts.cn-hangzhou.aliyuncs.com",
        "sts.ap-southeast-1.aliyuncs.com.attacker.example",
        "attacker.example/sts.ap-southeast-1.aliyuncs.com",
        "STS.ap-southeast-1.aliyuncs.com",
        "ram.aliyuncs.com.",
        "100.100.100.200",
        "127.0.0.1",
        "",
    ],
)
def test_only_the_services_that_are_asked_are_on_the_list(host: str):
    assert not is_alicloud_host(host)
