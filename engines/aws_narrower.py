"""Makes the credential that an engine elsewhere gets for an AWS account: a session of an hour, for reading settings.

A role is assumed with a session policy that lets it read settings and no more, whatever the role itself may do. With an
access key we ask for a session of a federated user, narrowed alike, which takes the permission sts:GetFederationToken.
Without that it is a session token: as short-lived, but it may do all that the user may. Neither can call IAM
(https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html), so an engine elsewhere cannot check
IAM in an account with an access key. The stored key itself is never handed over.
"""

import json
from collections.abc import Sequence
from typing import Any

from domain.credentials import Credential
from domain.errors import InvalidInput
from engines.aws_session import ACCESS_KEY, ROLE, SESSION_SECONDS, AwsSessions, refused, session_of
from providers.aws import judged
from providers.aws_failures import Signer
from providers.aws_permissions import DROPPED, PERMISSIONS
from providers.aws_steps import SENTENCES
from providers.proving import Refused

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


def session_policy(engine_permissions: Sequence[str] = ()) -> str:
    """The policy of a session for an engine elsewhere: what we publish, but for what reads more than settings, and what
    the operator says that the engine needs."""
    published = [permission.name for permission in PERMISSIONS if permission.name not in DROPPED]
    actions = list(dict.fromkeys([*published, *engine_permissions]))
    # Within the 2,048 characters that AWS allows, and so without blanks.
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]},
        separators=(",", ":"),
    )
