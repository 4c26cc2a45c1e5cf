"""The official SDK against the stand-in of Azure: what it accepts or refuses, our client does too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from domain.errors import Trouble
from domain.onboarding.credentials import Credential
from emulators.clouds.azure import READER, Subscription
from emulators.clouds.azure_tokens import made_certificate
from emulators.clouds.faults import Fault
from emulators.clouds.server import ADDRESS, StandIn
from providers.azure.certificate import read_certificate
from tests.providers.azure_rig import OTHER, Rig, certificate_credential, running_azure, secret_credential

pytestmark = pytest.mark.oracle

identity = pytest.importorskip("azure.identity")
subscription = pytest.importorskip("azure.mgmt.subscription")
exceptions = pytest.importorskip("azure.core.exceptions")
msal = pytest.importorskip("msal")
jwt = pytest.importorskip("jwt")

SCOPE = "https://management.azure.com/.default"


@dataclass(frozen=True)
class Answer:
    """Whether the credential was accepted, and the status and code of Azure's refusal where the SDK tells them."""

    accepted: bool
    code: str = ""


class Sdk:
    """The SDK's own way: azure-identity for the token, azure-mgmt-subscription for the subscription."""

    def __init__(self, stand_in: StandIn) -> None:
        self._url = f"https://{ADDRESS}:{stand_in.port}"
        self._options = {"connection_verify": stand_in.ca_file, "retry_total": 0}

    def validate(self, credential: Credential) -> Answer:
        with self._credential(credential) as proof:
            client = subscription.SubscriptionClient(
                proof, base_url=self._url, credential_scopes=[SCOPE], **self._options
            )
            with client:
                try:
                    found = client.subscriptions.get(credential.reveal("subscription_id"))
                except exceptions.AzureError as error:
                    return Answer(accepted=False, code=getattr(getattr(error, "error", None), "code", "") or "")
        return Answer(accepted=found.subscription_id == credential.reveal("subscription_id"))

    def token(self, credential: Credential) -> bool:
        with self._credential(credential) as proof:
            try:
                return bool(proof.get_token(SCOPE).token)
            except exceptions.ClientAuthenticationError:
                return False

    def _credential(self, credential: Credential) -> Any:
        reveal = credential.reveal
        options = {**self._options, "authority": self._url, "disable_instance_discovery": True}
        if credential.credential_type == "azure_certificate":
            return identity.CertificateCredential(
                reveal("tenant_id"),
                reveal("client_id"),
                certificate_data=reveal("client_certificate").encode(),
                password=reveal("passphrase") or None,
                **options,
            )
        return identity.ClientSecretCredential(
            reveal("tenant_id"), reveal("client_id"), reveal("client_secret"), **options
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_azure(tmp_path_factory.mktemp("azure")) as stand_in:
        yield stand_in


@pytest.fixture
def azure(server: StandIn) -> Iterator[Rig]:
    with Rig(server) as rig:
        rig.cloud.hosts = (*rig.cloud.hosts, ADDRESS)  # the SDK is given an address for its authority
        yield rig


def flipped(rig: Rig) -> Credential:
    secret = secret_credential(rig.cloud).reveal("client_secret")
    return secret_credential(rig.cloud, client_secret=("A" if secret[0] != "A" else "B") + secret[1:])


def expired(rig: Rig) -> Credential:
    rig.cloud.application.secrets = dict.fromkeys(rig.cloud.application.secrets, 1.0)
    return secret_credential(rig.cloud)


def disabled(rig: Rig) -> Credential:
    rig.cloud.application.enabled = False
    return secret_credential(rig.cloud)


def unregistered(rig: Rig) -> Credential:
    credential = certificate_credential(rig.cloud)
    rig.cloud.application.certificates.clear()
    return credential


def past(rig: Rig) -> Credential:
    pem, certificate = made_certificate(days=-1)
    rig.cloud.application.certificates.append(certificate)
    return certificate_credential(rig.cloud, client_certificate=pem)


def foreign(rig: Rig) -> Credential:
    other = Subscription(tenant_id=OTHER)
    rig.cloud.subscriptions[other.subscription_id] = other
    return secret_credential(rig.cloud, subscription_id=other.subscription_id)


def roleless(rig: Rig) -> Credential:
    rig.cloud.subscription.roles.clear()
    return secret_credential(rig.cloud)


def blocked(rig: Rig) -> Credential:
    rig.cloud.application.blocked = True
    return secret_credential(rig.cloud)


Make = Callable[[Rig], Credential]

ACCEPTED: dict[str, Make] = {
    "secret": lambda rig: secret_credential(rig.cloud),
    "certificate": lambda rig: certificate_credential(rig.cloud),
    "encrypted certificate": lambda rig: certificate_credential(rig.cloud, "open sesame"),
}
REFUSED_BY_ENTRA: dict[str, Make] = {
    "wrong secret": lambda rig: secret_credential(rig.cloud, client_secret="Aa1~another-secret"),
    "one letter changed": flipped,
    "expired secret": expired,
    "other tenant": lambda rig: secret_credential(rig.cloud, tenant_id=OTHER),
    "other application": lambda rig: secret_credential(rig.cloud, client_id=OTHER),
    "disabled application": disabled,
    "blocked by a policy": blocked,
    "unregistered certificate": unregistered,
    "expired certificate": past,
}
REFUSED_BY_MANAGER: dict[str, tuple[Make, str]] = {
    "other subscription": (lambda rig: secret_credential(rig.cloud, subscription_id=OTHER), "unknown_subscription"),
    "subscription of another tenant": (foreign, "other_tenant"),
    "no role": (roleless, "no_role"),
}
SDK_CODES = {
    "unknown_subscription": "SubscriptionNotFound",
    "other_tenant": "InvalidAuthenticationTokenTenant",
    "no_role": "AuthorizationFailed",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_sdk_accepts_we_accept(azure: Rig, name: str):
    credential = ACCEPTED[name](azure)
    assert Sdk(azure.stand_in).validate(credential).accepted
    assert azure.validate(credential).accepted


@pytest.mark.parametrize("name", REFUSED_BY_ENTRA)
def test_what_the_sdk_gets_no_token_for_we_refuse_as_an_identity(azure: Rig, name: str):
    credential = REFUSED_BY_ENTRA[name](azure)
    assert not Sdk(azure.stand_in).token(credential)
    verdict = azure.validate(credential)
    assert (verdict.accepted, verdict.steps[1].status) == (False, "failed")


@pytest.mark.parametrize("name", REFUSED_BY_MANAGER)
def test_what_resource_manager_tells_the_sdk_it_tells_us(azure: Rig, name: str):
    make, code = REFUSED_BY_MANAGER[name]
    credential = make(azure)
    answer = Sdk(azure.stand_in).validate(credential)
    assert (answer.accepted, answer.code) == (False, SDK_CODES[code])
    assert azure.finding(credential) == ("ownership", code)


@pytest.mark.parametrize("offset", [-3600, 3600], ids=["slow", "fast"])
def test_neither_gets_a_token_with_a_wrong_clock(azure: Rig, offset: int):
    credential = certificate_credential(azure.cloud)
    azure.stand_in.clock_offset = offset
    assert not Sdk(azure.stand_in).token(credential)
    with pytest.raises(Trouble):
        azure.validate(credential)


def test_a_certificate_that_the_sdk_cannot_read_we_do_not_send(azure: Rig):
    fields = azure.cloud.certificate_credential("right") | {"passphrase": "wrong"}
    credential = Credential("azure_certificate", {name: str(value) for name, value in fields.items()})
    with pytest.raises(ValueError, match=r".+"):
        Sdk(azure.stand_in).token(credential)
    assert azure.finding(credential) == ("shape", "certificate_unreadable")


def test_an_outage_that_the_sdk_takes_for_a_refusal_is_trouble_to_us(azure: Rig):
    credential = secret_credential(azure.cloud)
    azure.stand_in.faults.add(Fault("/token", status=503, times=2))
    assert not Sdk(azure.stand_in).token(credential)
    with pytest.raises(Trouble):
        azure.validate(credential)


def test_the_reader_role_is_enough_for_both(azure: Rig):
    azure.cloud.subscription.roles[azure.cloud.application.object_id] = [READER]
    credential = secret_credential(azure.cloud)
    assert Sdk(azure.stand_in).validate(credential).accepted
    assert azure.validate(credential).accepted


def test_the_newer_assertion_of_msal_is_accepted_as_ours_is(azure: Rig):
    """With the certificate in hand MSAL signs as we do: PS256, and the certificate named by SHA-256."""
    credential = certificate_credential(azure.cloud)
    pem = credential.reveal("client_certificate")
    application = msal.ConfidentialClientApplication(
        credential.reveal("client_id"),
        client_credential={"private_key": pem, "public_certificate": pem},
        authority=f"https://{ADDRESS}:{azure.stand_in.port}/{credential.reveal('tenant_id')}",
        instance_discovery=False,
        verify=azure.stand_in.ca_file,
    )
    assert "access_token" in application.acquire_token_for_client([SCOPE])
    assert azure.validate(credential).accepted
    theirs, ours = (jwt.get_unverified_header(form["client_assertion"]) for form in azure.cloud.forms)
    # MSAL pads the thumbprint, which RFC 7515 does not
    assert (theirs["alg"], theirs["x5t#S256"].rstrip("=")) == (ours["alg"], ours["x5t#S256"])


def test_our_assertion_is_what_a_jwt_library_accepts(azure: Rig):
    certificate = read_certificate(certificate_credential(azure.cloud).reveal("client_certificate"), "")
    audience = "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    assertion = certificate.assertion("the-client", audience)
    key = certificate.certificate.public_key()
    claims = jwt.decode(assertion, key, algorithms=["PS256"], audience=audience)
    assert (claims["iss"], claims["sub"]) == ("the-client", "the-client")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(assertion[:-8] + "AAAAAAAA", key, algorithms=["PS256"], options={"verify_aud": False})
