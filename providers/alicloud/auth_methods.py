"""What is special to each way of giving access to an AliCloud account: a key that we use, or a role that we assume."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from domain.errors import PlatformConfig, Propagating
from domain.onboarding.credentials import Credential, Secret
from domain.onboarding.validation import Expectation, Step
from providers.alicloud.calls import SESSION_SECONDS, Session
from providers.alicloud.description import ACCESS_KEY, RAM_ROLE
from providers.alicloud.errors import Reason, Signer
from providers.alicloud.signature import AccessKey
from providers.checks import Refused, failed, malformed, passed
from providers.external_ids import PROBE_SESSION, mismatch, safe_trust
from providers.rest import text
from transport.client import GuardedClient

PROPAGATION_SECONDS = 3.0

ROLE_CHECKLIST = (
    "AliCloud does not say why, so check three things and submit again. 1. The role ARN is the one that the script "
    "printed. 2. The role's trust policy allows sts:AssumeRole to this platform's user. 3. Its condition on "
    "sts:ExternalId is exactly the external id that we gave for this account. A role that was made a moment ago may "
    "need a minute."
)
UNSAFE_TRUST = (
    "The role can also be assumed without its external id or with a wrong one, so others could reach your account "
    "through us."
)
SAFE_TRUST = (
    "Run our script, or add to the role's trust policy the condition StringEquals with sts:ExternalId and exactly the "
    "external id that we gave for this account; then submit again."
)
NOT_OURS = (
    "The platform does not run as the AliCloud user that customers trust; the operators have been told. Your "
    "credential is not at fault."
)


class Proof(Protocol):
    """The first three steps of one method."""

    session: Session
    account_number: str
    """As AliCloud says; empty until `identify` has passed."""
    caller_arn: str
    """Who AliCloud says the credential is."""

    def shape(self) -> Step: ...
    def identify(self) -> Step: ...
    def trust(self) -> Step: ...


class KeyProof:
    """An AccessKey pair in the customer's account."""

    def __init__(self, client: GuardedClient, credential: Credential, expectation: Expectation) -> None:
        self._key = AccessKey(credential.reveal("access_key_id"), Secret(credential.reveal("access_key_secret")))
        self.session = Session(client, self._key, Signer.CUSTOMER)
        self.account_number = ""
        self.caller_arn = ""
        self._is_root = False
        self._credential = credential
        self._expectation = expectation

    def shape(self) -> Step:
        return malformed(ACCESS_KEY, self._credential) or passed("shape", "The AccessKey pair is well formed.")

    def identify(self) -> Step:
        try:
            found = self.session.caller()
        except Refused as refusal:
            if refusal.reason is Reason.UNKNOWN_KEY and self._expectation.may_propagate:
                raise Propagating("AliCloud does not know the new key yet.", retry_after=PROPAGATION_SECONDS) from None
            raise
        self.account_number, self.caller_arn = text(found, "AccountId"), text(found, "Arn")
        self._is_root = text(found, "IdentityType") == "Account"
        return passed("identify", "AliCloud knows the AccessKey, and the secret belongs to it.")

    def trust(self) -> Step:
        if self._is_root:
            return failed(
                "trust",
                "root_key",
                message="This is a key of the account itself, which may do everything.",
                remedy="Delete the account's AccessKey, and submit one of a RAM user that may only read, or a role.",
            )
        return passed("trust", "The key belongs to a RAM user, not to the account itself.")


class RoleProof:
    """A role in the customer's account, which we assume with our external id. `own` is our user's session."""

    session: Session

    def __init__(
        self,
        own: Session,
        principal_arn: str,
        credential: Credential,
        expectation: Expectation,
        *,
        permissions: Sequence[str],
        session_name: str = "te-validation",
        seconds: str = SESSION_SECONDS,
    ) -> None:
        self.role_arn = credential.reveal("role_arn")
        self.account_number = ""
        self.caller_arn = ""
        self._own = own
        self._principal_arn = principal_arn
        self._credential = credential
        self._expectation = expectation
        self._permissions = permissions
        self._session_name = session_name
        self._seconds = seconds

    def shape(self) -> Step:
        if problem := malformed(RAM_ROLE, self._credential):
            return problem
        if problem := mismatch(self._credential, self._expectation):
            return problem
        return passed("shape", "The role's ARN is well formed.")

    def identify(self) -> Step:
        if session := self._assume(self._expectation.external_id, session_name=self._session_name):
            self.session = session
            found = session.caller()
            self.account_number, self.caller_arn = text(found, "AccountId"), text(found, "Arn")
            return passed("identify", "The role can be assumed with its external id.")
        self._check_own_user()
        if self._expectation.may_propagate:
            raise Propagating(retry_after=PROPAGATION_SECONDS)
        message = "The role cannot be assumed."
        return failed("identify", "role_not_assumable", message=message, remedy=ROLE_CHECKLIST)

    def trust(self) -> Step:
        opens = partial(self._assume, session_name=PROBE_SESSION)
        return safe_trust(opens, unsafe=UNSAFE_TRUST, remedy=SAFE_TRUST)

    def _assume(self, external_id: str | None, *, session_name: str) -> Session | None:
        """None when AliCloud denies it; trouble on the way is raised and never taken for a denial."""
        try:
            return self._own.assume(
                self.role_arn,
                external_id=external_id,
                session_name=session_name,
                permissions=self._permissions,
                seconds=self._seconds,
            )
        except Refused as refusal:
            if refusal.reason is Reason.ACCESS_DENIED:
                return None
            if refusal.reason is Reason.UNKNOWN_ROLE and self._expectation.may_propagate:
                raise Propagating(retry_after=PROPAGATION_SECONDS) from None
            raise

    def _check_own_user(self) -> None:
        """AliCloud gives the same answer when our user is not the one that the role trusts."""
        if text(self._own.caller(), "Arn") != self._principal_arn:
            raise PlatformConfig(NOT_OURS)
