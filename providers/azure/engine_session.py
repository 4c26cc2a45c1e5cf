"""Makes what an engine elsewhere gets for an Azure subscription: an access token for Resource Manager.

Entra ID lets it live for 60 to 90 minutes (learn.microsoft.com, "Access tokens in the Microsoft identity platform") and
takes no narrower scope: it may do what the service principal may do through management.azure.com, in every subscription
where that has a role. It opens no other service, so not the data of Key Vault or Storage.
"""

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation
from providers.azure.errors import SENTENCES
from providers.azure.provider import AzureProvider
from providers.engine_sessions import prove

TOKEN = "azure_access_token"  # noqa: S105  # a credential type


class AzureNarrower:
    def __init__(self, provider: AzureProvider) -> None:
        self._provider = provider

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        """Raises CredentialRefused, Trouble."""
        proof = self._provider.proof(credential, Expectation(external_id))
        prove(proof.shape, proof.identify, SENTENCES)
        ids = {name: credential.reveal(name) for name in ("tenant_id", "subscription_id")}
        return Credential(TOKEN, {"access_token": proof.token, **ids})
