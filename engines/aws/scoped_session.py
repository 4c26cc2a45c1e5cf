"""Makes the credential that an engine elsewhere gets for an AWS account: a session of an hour, for reading settings.

A role is assumed with a session policy that lets it read settings and no more, whatever the role itself may do. With an
access key we ask for a session of a federated user, narrowed alike, which takes the permission sts:GetFederationToken.
Without that it is a session token: as short-lived, but it may do all that the user may. Neither can call IAM
(https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html), so an engine elsewhere cannot check
IAM in an account with an access key. The stored key itself is never handed over.
"""

from collections.abc import Sequence
from typing import Any

from domain.errors import InvalidInput
from domain.onboarding.credentials import Credential
from engines.aws.session import ACCESS_KEY, ROLE, SESSION_SECONDS, AwsSessions, refused, session_of
from providers.aws.checks import SENTENCES
from providers.aws.errors import Signer
from providers.aws.permissions import session_policy
from providers.aws.provider import judged
from providers.checks import Refused

MAX_NAME_CHARACTERS = 32
DENIED = frozenset({"AccessDenied"})


class AwsNarrower:
    def __init__(self, sessions: AwsSessions, engine_permissions: Sequence[str] = ()) -> None:
        self._sessions = sessions
        self._policy = session_policy(engine_permissions)

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        """Raises CredentialRefused, Trouble."""
        policy = {"Policy": self._policy}
        match credential.credential_type:
            case kind if kind == ROLE:
                name = f"te-scan-{execution_id}"
                return self._sessions.assume(credential, external_id=external_id, session_name=name, **policy)
            case kind if kind == ACCESS_KEY:
                return self._of_user(credential, execution_id, policy)
            case _:
                raise InvalidInput("This is not a credential for AWS.")

    def _of_user(self, key: Credential, execution_id: str, policy: dict[str, Any]) -> Credential:
        name = f"te-{execution_id.replace('-', '')}"[:MAX_NAME_CHARACTERS]
        with self._sessions.open(key) as clients:
            sts = clients.client("sts", self._sessions.region)
            try:
                with judged(Signer.CUSTOMER, granted_by=DENIED):
                    answer = sts.get_federation_token(Name=name, DurationSeconds=SESSION_SECONDS, **policy)
                    return session_of(answer["Credentials"])
                with judged(Signer.CUSTOMER):
                    return session_of(sts.get_session_token(DurationSeconds=SESSION_SECONDS)["Credentials"])
            except Refused as refusal:
                raise refused(refusal.reason.value, *SENTENCES[refusal.reason]) from None
