"""Makes what an engine elsewhere gets for an IBM Cloud account: an access token of IAM, for an hour.

IAM takes no scope with an API key, so the token may do all that the key's service ID may do. It cannot be renewed
without the key.
"""

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation
from providers.engine_sessions import prove
from providers.ibm.errors import SENTENCES
from providers.ibm.provider import IbmProvider

TOKEN = "ibm_access_token"  # noqa: S105  # a credential type


class IbmNarrower:
    def __init__(self, provider: IbmProvider) -> None:
        self._provider = provider

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        """Raises CredentialRefused, Trouble."""
        proof = self._provider.proof(credential, Expectation(external_id))
        prove(proof.shape, proof.identify, SENTENCES)
        return Credential(TOKEN, {"access_token": proof.token, "account_id": proof.account_id})
