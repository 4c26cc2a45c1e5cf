"""Makes what an engine elsewhere gets for a Google Cloud project: an access token of the service account, for an hour.

Its scope is cloud-platform.read-only, so it changes nothing, whatever roles the service account has; it reads all that
these let it read, data too.
"""

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation
from providers.engine_sessions import SESSION_SECONDS, prove
from providers.gcp.errors import SENTENCES
from providers.gcp.provider import GcpProvider

TOKEN = "gcp_access_token"  # noqa: S105  # a credential type


class GcpNarrower:
    def __init__(self, provider: GcpProvider) -> None:
        self._provider = provider

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        """Raises CredentialRefused, Trouble."""
        proof = self._provider.proof(credential, Expectation(external_id), loan_seconds=SESSION_SECONDS)
        prove(proof.access.shape, proof.identify, SENTENCES)
        return Credential(TOKEN, {"access_token": proof.token, "project_id": proof.access.project_id})
