"""Azure: what it asks for, and the proof that a service principal works.

Three calls: a token of Entra ID, the subscription, and what the service principal may do there. The global cloud only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInput
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from providers.azure.certificate import ClientCertificate
from providers.azure.checks import Proof
from providers.azure.description import DESCRIPTION
from providers.azure.errors import JUDGE, codes
from providers.azure.permissions import Grant, grants_in
from providers.azure.setup import setup_of
from providers.checks import without_damage
from providers.rest import Rest, form, get, text
from transport.client import GuardedClient

LOGIN_HOST = "login.microsoftonline.com"
MANAGEMENT_HOST = "management.azure.com"

SCOPE = f"https://{MANAGEMENT_HOST}/.default"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SUBSCRIPTION_VERSION = "2022-12-01"
PERMISSIONS_VERSION = "2022-04-01"
MAX_PAGES = 20


def is_azure_host(host: str) -> bool:
    return host in (LOGIN_HOST, MANAGEMENT_HOST)


class AzureProvider:
    """The `CloudProvider` of Azure. The client may reach the hosts of `is_azure_host`."""

    def __init__(self, client: GuardedClient, engine_permissions: Sequence[str] = ()) -> None:
        self._description = DESCRIPTION.with_permissions(engine_permissions)
        self._api = Azure(Rest(client, JUDGE, codes))

    @property
    def description(self) -> ProviderDescription:
        return self._description

    def setup(self, request: SetupRequest) -> Setup:
        return setup_of(request, [permission.name for permission in self._description.permissions])

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        return self.proof(credential, expectation).verdict()

    def proof(self, credential: Credential, expectation: Expectation) -> Proof:
        methods = {method.credential_type: method for method in DESCRIPTION.methods}
        if credential.credential_type not in methods:
            raise InvalidInput("This is not a credential for Azure.")
        method = methods[credential.credential_type]
        undamaged = without_damage([method], credential)
        return Proof(self._api, method, undamaged, expectation, self._description.permissions)


@dataclass(frozen=True)
class Azure:
    """The calls. IDs are GUIDs, checked before. Each raises Refused or Trouble."""

    rest: Rest

    def token(self, tenant_id: str, client_id: str, proof: str | ClientCertificate) -> str:
        """An access token for Resource Manager, proved by a client secret or by a certificate."""
        url = f"https://{LOGIN_HOST}/{tenant_id}/oauth2/v2.0/token"
        given = {"client_secret": proof} if isinstance(proof, str) else _asserted(proof, client_id, url)
        body = {"grant_type": "client_credentials", "client_id": client_id, "scope": SCOPE, **given}
        return text(self.rest.call(form(url, body)), "access_token")

    def subscription(self, token: str, subscription_id: str) -> Mapping[str, Any]:
        return self.rest.call(get(_address(subscription_id, "", SUBSCRIPTION_VERSION), token))

    def grants(self, token: str, subscription_id: str) -> Sequence[Grant]:
        """What the caller may do at the scope of the subscription, its own roles and those that it inherits. The path
        is not in the published specification, but the service has it (github.com/Azure/azure-rest-api-specs, 19473)."""
        url = _address(subscription_id, "/providers/Microsoft.Authorization/permissions", PERMISSIONS_VERSION)
        found: list[Grant] = []
        for _ in range(MAX_PAGES):
            page = self.rest.call(get(url, token))
            found += grants_in(page)
            url = text(page, "nextLink")
            if not url:
                return found
            if not url.startswith(f"https://{MANAGEMENT_HOST}/"):
                break
        raise JUDGE.unavailable()


def _address(subscription_id: str, path: str, version: str) -> str:
    return f"https://{MANAGEMENT_HOST}/subscriptions/{subscription_id}{path}?api-version={version}"


def _asserted(certificate: ClientCertificate, client_id: str, audience: str) -> Mapping[str, str]:
    assertion = certificate.assertion(client_id, audience)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
