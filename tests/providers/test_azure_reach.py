"""Where hostile fields lead: to no host but Azure's two, to no file, and into no header."""

import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from domain.errors import InvalidInput, PlatformConfig, Unavailable
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Outcome
from emulators.clouds.azure import AzureCloud
from emulators.clouds.faults import Fault
from emulators.clouds.server import ADDRESS, StandIn
from providers.azure.provider import AzureProvider, is_azure_host
from tests.providers.azure_rig import certificate_credential, running_azure, secret_credential
from tests.providers.hostile import watch
from tests.providers.stand_in_rig import EXPECTED
from transport.client import GuardedClient
from transport.guard import PublicOnly

GUID = "11111111-2222-4333-8444-555555555555"

HOSTILE_IDS = [
    "attacker.example",
    "https://attacker.example/",
    "//attacker.example/",
    "@attacker.example/",
    f"{GUID}@attacker.example",
    f"{GUID}/../../attacker.example",
    f"{GUID}%2f..%2f..%2fattacker.example",
    f"{GUID}?x=",
    f"{GUID}#",
    f"{GUID}\\..\\x",
    f"{GUID}\r\nHost: attacker.example",
    f"{GUID}\nX-Header: 1",
    f"{GUID[:-1]}\u0665",
    f"{GUID[:-1]}\uff15",
    f"{GUID}\u2028",
    "..",
    "common",
    "organizations",
    "169.254.169.254",
    "2130706433",
    "0x7f.1",
    "[::ffff:127.0.0.1]",
    "localhost:443",
    "file:///etc/passwd",
    "{GUID}",
]

HOSTILE_CERTIFICATES = [
    "/etc/passwd",
    "file:///etc/passwd",
    "@/etc/passwd",
    "https://attacker.example/key.pem",
    "-----BEGIN CERTIFICATE-----\nfile:///etc/passwd\n-----END CERTIFICATE-----",
    "-----BEGIN PRIVATE KEY-----\n/etc/passwd\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: /etc/hosts\n\nA\n-----END RSA PRIVATE KEY-----",
    '{"key_file": "/etc/passwd"}',
]


class Names:
    """The name server that the client asks, and what it was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = answers or (ADDRESS,)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return [self.answers[min(len(self.asked), len(self.answers)) - 1]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_azure(tmp_path_factory.mktemp("azure")) as stand_in:
        yield stand_in


@pytest.fixture
def cloud(server: StandIn) -> AzureCloud:
    server.faults.clear()
    server.log.clear()
    cloud = AzureCloud()
    server.clouds = [cloud]
    return cloud


def provider_asking(names: Names, server: StandIn) -> AzureProvider:
    backend = PublicOnly(names, stand_ins=[(ADDRESS, server.port)])
    return AzureProvider(GuardedClient(backend, is_allowed=is_azure_host, ca_file=server.ca_file))


def assert_untouched(names: Names, server: StandIn, opened: Sequence[str]) -> None:
    assert (names.asked, server.log) == ([], [])
    assert opened == []


@pytest.mark.parametrize("name", ["tenant_id", "client_id", "subscription_id"])
@pytest.mark.parametrize("value", HOSTILE_IDS, ids=ascii)
def test_a_hostile_id_reaches_nothing(cloud: AzureCloud, server: StandIn, name: str, value: str):
    names = Names()
    provider, credential = provider_asking(names, server), secret_credential(cloud, **{name: value})
    with watch() as opened:
        verdict = provider.validate(credential, EXPECTED)
    assert (verdict.outcome, verdict.steps[0].code) == (Outcome.REFUSED, "malformed")
    assert value not in repr(verdict)
    assert_untouched(names, server, opened)


@pytest.mark.parametrize("value", HOSTILE_CERTIFICATES, ids=ascii)
def test_a_certificate_that_names_a_file_or_an_address_reads_neither(cloud: AzureCloud, server: StandIn, value: str):
    names = Names()
    provider, credential = provider_asking(names, server), certificate_credential(cloud, client_certificate=value)
    with watch() as opened:
        verdict = provider.validate(credential, EXPECTED)
    assert (verdict.outcome, verdict.steps[0].name) == (Outcome.REFUSED, "shape")
    assert verdict.steps[0].code != "ok"
    assert_untouched(names, server, opened)


@pytest.mark.parametrize("name", ["authority", "authority_host", "token_url", "resource", "scope", "base_url"])
def test_a_field_that_would_name_another_host_is_refused(cloud: AzureCloud, server: StandIn, name: str):
    names = Names()
    credential = secret_credential(cloud, **{name: "https://attacker.example/"})
    assert provider_asking(names, server).validate(credential, EXPECTED).steps[0].code == "malformed"
    assert names.asked == []


def test_a_good_credential_asks_for_azures_two_hosts_and_no_other(cloud: AzureCloud, server: StandIn):
    names = Names()
    assert provider_asking(names, server).validate(secret_credential(cloud), EXPECTED).accepted
    assert set(names.asked) == {"login.microsoftonline.com", "management.azure.com"}


@pytest.mark.parametrize("secret", ["a&client_id=other&x=", "a=b&scope=x%0d%0aHost:+evil", "%26grant_type%3Dpassword"])
def test_a_secret_stays_one_value_of_the_form(cloud: AzureCloud, server: StandIn, secret: str):
    provider_asking(Names(), server).validate(secret_credential(cloud, client_secret=secret), EXPECTED)
    [form] = cloud.forms
    assert (form["client_secret"], form["client_id"]) == (secret, cloud.application.client_id)
    assert set(form) == {"grant_type", "client_id", "client_secret", "scope"}


REDIRECTS: dict[str, Callable[[], Fault]] = {
    "token": lambda: Fault("/token", status=307, headers={"Location": "https://attacker.example/token"}),
    "subscription": lambda: Fault("/subscriptions/", status=301, headers={"Location": "https://169.254.169.254/"}),
    "permissions": lambda: Fault("/permissions", status=308, headers={"Location": "http://localhost/"}),
}


@pytest.mark.parametrize("place", REDIRECTS)
def test_a_redirect_is_not_followed(cloud: AzureCloud, server: StandIn, place: str):
    names = Names()
    server.faults.add(REDIRECTS[place]())
    with pytest.raises(Unavailable):
        provider_asking(names, server).validate(secret_credential(cloud), EXPECTED)
    assert all(is_azure_host(host) for host in names.asked)


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_name_of_azures_that_leads_inside_is_not_connected_to(cloud: AzureCloud, server: StandIn, address: str):
    provider, credential = provider_asking(Names(address), server), secret_credential(cloud)
    with watch() as opened, pytest.raises(PlatformConfig):
        provider.validate(credential, EXPECTED)
    assert [event for event in opened if event.startswith("socket")] == []


def test_a_name_that_leads_elsewhere_the_second_time_is_not_connected_to(cloud: AzureCloud, server: StandIn):
    names = Names(ADDRESS, "169.254.169.254")
    with pytest.raises(PlatformConfig):
        provider_asking(names, server).validate(secret_credential(cloud), EXPECTED)
    assert [line.split("/")[0] for line in server.log] == ["POST login.microsoftonline.com"]


@pytest.mark.parametrize(
    "host",
    [
        "login.microsoftonline.com.attacker.example",
        "attacker.example",
        "management.azure.com@attacker.example",
        "LOGIN.MICROSOFTONLINE.COM.",
        "login.microsoftonline.us",
        "management.chinacloudapi.cn",
        "graph.microsoft.com",
        "",
    ],
)
def test_only_the_two_hosts_are_on_the_list(host: str):
    assert not is_azure_host(host)


def test_the_environment_names_no_proxy(cloud: AzureCloud, server: StandIn, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server((ADDRESS, 0)) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{ADDRESS}:{proxy.getsockname()[1]}")
        assert provider_asking(Names(), server).validate(secret_credential(cloud), EXPECTED).accepted
        proxy.settimeout(0.05)
        with pytest.raises(TimeoutError):
            proxy.accept()


def test_an_undeclared_credential_type_is_no_input(cloud: AzureCloud, server: StandIn):
    with pytest.raises(InvalidInput):
        provider_asking(Names(), server).validate(Credential("azure_cli", {"path": str(Path.home())}), EXPECTED)
