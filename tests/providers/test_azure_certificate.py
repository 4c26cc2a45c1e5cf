"""The proof of a service principal by a certificate."""

from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.onboarding.validation import Outcome
from emulators.clouds.azure_tokens import made_certificate, parsed
from emulators.clouds.server import StandIn
from providers.azure.certificate import read_certificate
from tests.providers.azure_rig import Rig, certificate_credential, running_azure


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_azure(tmp_path_factory.mktemp("azure")) as stand_in:
        yield stand_in


@pytest.fixture
def azure(server: StandIn) -> Iterator[Rig]:
    with Rig(server) as rig:
        yield rig


@pytest.mark.parametrize("passphrase", ["", "correct horse battery staple ä"], ids=["plain", "encrypted"])
def test_a_certificate_makes_an_active_account(azure: Rig, passphrase: str):
    verdict = azure.validate(certificate_credential(azure.cloud, passphrase))
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())


def test_the_certificate_of_a_chain_that_belongs_to_the_key_is_used(azure: Rig):
    chained = certificate_credential(azure.cloud)
    issuer, _ = made_certificate()
    pem = issuer[: issuer.index("-----BEGIN PRIVATE KEY")] + chained.reveal("client_certificate")
    assert azure.validate(certificate_credential(azure.cloud, client_certificate=pem)).accepted


def test_a_key_in_the_older_form_of_openssl_is_read(azure: Rig):
    key = rsa.generate_private_key(65537, 2048)
    pem, certificate = made_certificate(key=key)
    azure.cloud.application.certificates.append(certificate)
    older = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    pem = pem[: pem.index("-----BEGIN PRIVATE KEY")] + older
    assert azure.validate(certificate_credential(azure.cloud, client_certificate=pem)).accepted


GARBLED = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
PRIVATE = "-----BEGIN PRIVATE KEY-----"


def key_only() -> str:
    return PRIVATE + made_certificate()[0].split(PRIVATE)[1]


def short_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505  # to be refused


UNUSABLE: dict[str, tuple[Callable[[], str], str, str]] = {
    "garbage": (lambda: GARBLED, "", "malformed"),
    "wrong phrase": (lambda: made_certificate("right")[0], "wrong", "certificate_unreadable"),
    "no phrase": (lambda: made_certificate("right")[0], "", "certificate_unreadable"),
    "needless phrase": (lambda: made_certificate()[0], "unneeded", "certificate_unreadable"),
    "two keys": (lambda: made_certificate()[0] + made_certificate()[0], "", "certificate_unreadable"),
    "no certificate": (key_only, "", "certificate_unreadable"),
    "no key": (lambda: made_certificate()[0].split(PRIVATE)[0], "", "malformed"),
    "two halves": (lambda: made_certificate()[0].split(PRIVATE)[0] + key_only(), "", "key_mismatch"),
    "short key": (lambda: made_certificate(key=short_key())[0], "", "key_unsupported"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_certificate_that_cannot_be_used_is_found_before_azure_is_asked(azure: Rig, name: str):
    make, passphrase, code = UNUSABLE[name]
    given = {"client_certificate": make()} | ({"passphrase": passphrase} if passphrase else {})
    assert azure.finding(certificate_credential(azure.cloud, **given)) == ("shape", code)
    assert azure.calls() == []


def test_a_certificate_that_is_not_registered_is_refused(azure: Rig):
    credential = certificate_credential(azure.cloud)
    azure.cloud.application.certificates.clear()
    assert azure.finding(credential) == ("identify", "certificate_refused")


def test_an_expired_certificate_is_refused_as_such(azure: Rig):
    pem, certificate = made_certificate(days=-1)
    azure.cloud.application.certificates.append(certificate)
    found = azure.finding(certificate_credential(azure.cloud, client_certificate=pem))
    assert found == ("identify", "certificate_expired")


def test_the_assertion_is_what_the_documentation_asks_for(azure: Rig):
    credential = certificate_credential(azure.cloud)
    certificate = read_certificate(credential.reveal("client_certificate"), "")
    audience = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    header, claims = parsed(certificate.assertion("the-client", audience))
    assert (header["alg"], header["typ"], set(header)) == ("PS256", "JWT", {"alg", "typ", "x5t#S256"})
    assert (claims["aud"], claims["iss"], claims["sub"]) == (audience, "the-client", "the-client")
    assert claims["nbf"] == claims["iat"] < claims["exp"] <= claims["nbf"] + 600
    assert parsed(certificate.assertion("the-client", audience))[1]["jti"] != claims["jti"]


def test_the_private_key_is_never_sent(azure: Rig):
    azure.validate(certificate_credential(azure.cloud))
    [form] = azure.cloud.forms
    assert set(form) == {"grant_type", "client_id", "scope", "client_assertion_type", "client_assertion"}


def test_a_certificate_shows_nothing_of_itself(azure: Rig):
    certificate = read_certificate(certificate_credential(azure.cloud).reveal("client_certificate"), "")
    assert repr(certificate) == "ClientCertificate()"
