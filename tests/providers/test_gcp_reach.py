"""Where hostile fields lead: to no host but Google's own, to no file, and into no header."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from domain.errors import InvalidInput, PlatformConfig, Trouble
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Outcome
from emulators.clouds.faults import Fault
from emulators.clouds.server import StandIn, running_stand_in
from providers.gcp.provider import HOSTS, is_gcp_host
from tests.providers.gcp_rig import PROJECT, TEST, TOKEN, GcpRig
from tests.providers.hostile import ELSEWHERE, watch
from tests.providers.stand_in_rig import EXPECTED

MEMBERS = ["client_email", "private_key", "private_key_id", "project_id", "type"]

HOSTILE_FILES = {
    "external account with a file": {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://attacker.example/sts",
        "credential_source": {"file": "/etc/passwd"},
    },
    "external account with a command": {
        "type": "external_account",
        "token_url": "https://attacker.example/sts",
        "credential_source": {"executable": {"command": "/usr/bin/id"}},
    },
    "external account with an address": {
        "type": "external_account",
        "token_url": "https://attacker.example/sts",
        "credential_source": {"url": "http://169.254.169.254/latest/meta-data/"},
    },
    "authorised user": {
        "type": "authorized_user",
        "client_id": "x",
        "client_secret": "y",
        "refresh_token": "z",
        "token_uri": "https://attacker.example/",
    },
    "impersonated account": {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": "https://attacker.example/",
        "source_credentials": {"type": "authorized_user"},
    },
    "service account of Google's private cloud": {
        "type": "gdch_service_account",
        "ca_cert_path": "/etc/passwd",
        "token_uri": "https://attacker.example/",
    },
}

IGNORED: dict[str, Any] = {
    "token_uri": "https://attacker.example/token",
    "auth_uri": "http://169.254.169.254/",
    "universe_domain": "attacker.example",
    "quota_project_id": "x\r\nHost: attacker.example",
    "client_x509_cert_url": "file:///etc/passwd",
    "token_url": "https://attacker.example/sts",
    "credential_source": {"file": "/etc/passwd", "url": "https://attacker.example/"},
    "service_account_impersonation_url": "https://attacker.example/",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("gcp"), []) as stand_in:
        yield stand_in


@pytest.fixture
def gcp(server: StandIn) -> Iterator[GcpRig]:
    with GcpRig(server) as rig:
        yield rig


def assert_it_reaches_nothing(gcp: GcpRig, credential: Credential) -> str:
    with watch() as reached:
        verdict = gcp.provider.validate(credential, EXPECTED)
        assert reached == []
    assert (verdict.outcome, verdict.steps[0].status) == (Outcome.REFUSED, "failed")
    assert (gcp.names.asked, gcp.stand_in.log) == ([], [])
    return repr(verdict)


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("value", ELSEWHERE, ids=ascii)
def test_a_hostile_member_of_the_key_file_reaches_nothing(gcp: GcpRig, name: str, value: str):
    assert value not in assert_it_reaches_nothing(gcp, gcp.kept(**{name: value}))


@pytest.mark.parametrize("value", ELSEWHERE, ids=ascii)
def test_a_hostile_project_reaches_nothing(gcp: GcpRig, value: str):
    fields = {**gcp.submitted().reveal_all(), "project_id": value}
    assert value not in assert_it_reaches_nothing(gcp, Credential("gcp_service_account", fields))


@pytest.mark.parametrize("tail", ELSEWHERE, ids=ascii)
@pytest.mark.parametrize("name", ["client_email", "project_id"])
def test_a_good_value_with_a_hostile_tail_reaches_nothing(gcp: GcpRig, name: str, tail: str):
    assert_it_reaches_nothing(gcp, gcp.kept(**{name: f"{gcp.cloud.key_file()[name]}/{tail}"}))


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_another_kind_of_file_reaches_nothing(gcp: GcpRig, name: str):
    fields = {"service_account_json": json.dumps(HOSTILE_FILES[name])}
    shown = assert_it_reaches_nothing(gcp, Credential("gcp_service_account", fields))
    assert "attacker" not in shown


@pytest.mark.parametrize(
    "text", ["/etc/passwd", "file:///etc/passwd", "@/etc/passwd", "https://attacker.example/k.json"]
)
def test_the_name_of_a_file_is_no_file(gcp: GcpRig, text: str):
    assert_it_reaches_nothing(gcp, Credential("gcp_service_account", {"service_account_json": text}))


@pytest.mark.parametrize("name", IGNORED)
def test_what_else_a_key_file_says_is_never_used(gcp: GcpRig, name: str):
    assert gcp.validate(gcp.submitted(**{name: IGNORED[name]})).outcome is Outcome.ACTIVE
    assert gcp.validate(gcp.kept(**{name: IGNORED[name]})).outcome is Outcome.ACTIVE
    assert set(gcp.names.asked) == set(HOSTS[:2])


@pytest.mark.parametrize(
    "location", ["https://attacker.example/", "http://169.254.169.254/", "//localhost/", "file:///x"]
)
@pytest.mark.parametrize("place", [TOKEN, PROJECT, TEST])
def test_a_redirect_is_not_followed(gcp: GcpRig, place: str, location: str):
    gcp.stand_in.faults.add(Fault(place, status=307, headers={"Location": location}))
    with pytest.raises(Trouble):
        gcp.validate()
    assert all(is_gcp_host(name) for name in gcp.names.asked)


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_name_of_googles_that_leads_inside_is_not_connected_to(gcp: GcpRig, address: str):
    gcp.names.address = address
    with watch() as reached, pytest.raises((PlatformConfig, InvalidInput)):
        gcp.validate()
    assert [event for event in reached if event.startswith("socket")] == []


@pytest.mark.parametrize(
    "host",
    [
        "googleapis.com",
        "www.googleapis.com",
        "metadata.google.internal",
        "oauth2.googleapis.com.attacker.example",
        "attacker.example/oauth2.googleapis.com",
        "OAUTH2.googleapis.com",
        "oauth2.googleapis.com.",
        "storage.googleapis.com",
        "",
    ],
)
def test_only_the_hosts_that_are_needed_are_on_the_list(host: str):
    assert not is_gcp_host(host)
