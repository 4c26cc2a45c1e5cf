"""Makes what an engine elsewhere gets for an AliCloud account: a session of an hour of the customer's role, with a
policy that allows the actions that we publish and no others, whatever the role itself may do.

Sessions are made of roles only (www.alibabacloud.com, "AssumeRole"). A RAM user can have none of itself, so an
AccessKey is handed over as it is.
"""

import re

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation
from providers.alicloud.description import ACCESS_KEY
from providers.alicloud.errors import SENTENCES
from providers.alicloud.provider import AliCloudProvider
from providers.engine_sessions import SESSION_SECONDS, prove

SESSION = "alicloud_session"


class AliCloudNarrower:
    def __init__(self, provider: AliCloudProvider) -> None:
        self._provider = provider

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        """Raises CredentialRefused, Trouble."""
        if credential.credential_type == ACCESS_KEY.credential_type:
            return credential
        proof = self._provider.role_proof(
            credential,
            Expectation(external_id),
            session_name=re.sub(r"[^A-Za-z0-9.@_-]", "-", f"te-scan-{execution_id}")[:64],
            seconds=str(SESSION_SECONDS),
        )
        prove(proof.shape, proof.identify, SENTENCES)
        key = proof.session.key
        token = key.token.reveal() if key.token else ""
        return Credential(
            SESSION, {"access_key_id": key.id, "access_key_secret": key.secret.reveal(), "security_token": token}
        )
