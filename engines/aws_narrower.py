"""Makes the credential that an engine elsewhere gets for an AWS account: a session of an hour, for reading settings.

A role is assumed with session policies that let it read settings and no more, whatever the role itself may do. With an
access key we ask for a session of a federated user, narrowed alike, which takes the permission sts:GetFederationToken.
Without that it is a session token: as short-lived, but it may do all that the user may. Neither can call IAM
(https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html), so an engine elsewhere cannot check
IAM in an account with an access key. The stored key itself is never handed over.
"""

import json
from functools import lru_cache
from typing import Any

from domain.credentials import Credential
from domain.errors import InvalidInput
from engines.aws_session import ACCESS_KEY, ROLE, SESSION_SECONDS, AwsSessions, refused, session_of
from providers.aws import judged
from providers.aws_failures import Signer
from providers.aws_steps import SENTENCES
from providers.aws_template import template_with
from providers.proving import Refused

MAX_NAME_CHARACTERS = 32
DENIED = frozenset({"AccessDenied"})


class AwsNarrower:
    def __init__(self, sessions: AwsSessions) -> None:
        self._sessions = sessions

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        """Raises CredentialRefused, Trouble."""
        policy = reading(self._sessions.partition)
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


@lru_cache(maxsize=8)
def reading(partition: str) -> dict[str, Any]:
    """The policies of a session that reads settings, as STS takes them: AWS's own policy for auditors, with what our
    template grants and denies beside it. Together they allow every permission that we publish."""
    role = json.loads(template_with({}))["Resources"]["ReadOnlyRole"]["Properties"]
    statements = [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
    return {
        "PolicyArns": [{"arn": f"arn:{partition}:iam::aws:policy/SecurityAudit"}],
        # Within the 2,048 characters that AWS allows, and so without blanks.
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")),
    }
