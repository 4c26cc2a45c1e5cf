"""Workload identity federation: no key of the customer's anywhere. Our own issuer says for which account we act, the
customer's pool trusts that statement and no other, and lends us its service account for minutes.

Sources: "Workload Identity Federation with OpenID Connect", "Security Token Service API" and "IAM Service Account
Credentials API" of Google Cloud.
"""

from secrets import token_hex
from typing import Protocol

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step
from domain.ports import IdentityTokens
from providers.checks import Refused, failed, malformed, passed, warned
from providers.gcp.description import WORKLOAD_IDENTITY
from providers.gcp.errors import FEDERATION, Reason

LOAN_SECONDS = 900

REFUSED_TOKEN = (Reason.SUBJECT_REFUSED, Reason.TOKEN_REFUSED)
"""What Google says to a token that the provider's condition does not let in."""

UNSAFE_TRUST = (
    "The service account can also be used with the identity of another account of this platform, so others could reach "
    "your project through us."
)
OPEN_POOL = (
    "The identity provider lets in every account of this platform. The service account itself is for this one only, so "
    "nobody else can use it."
)
SAFE_TRUST = (
    "Run the script again, or set the provider's attribute condition to assertion.sub == '<the external id that we "
    "gave for this account>', and let only the principal of that subject use the service account; then submit again."
)


class Federation(Protocol):
    """What the access needs of Google Cloud. The methods raise Refused or Trouble."""

    def federated_token(self, identity_token: str, provider: str) -> str: ...
    def token_of_account(self, federated_token: str, account: str, *, seconds: int) -> str: ...


class FederatedAccess:
    """A service account, used through the customer's pool."""

    def __init__(
        self,
        gcp: Federation,
        identity: IdentityTokens,
        credential: Credential,
        expectation: Expectation,
        *,
        loan_seconds: int = LOAN_SECONDS,
    ) -> None:
        reveal = credential.reveal
        self._gcp = gcp
        self._identity = identity
        self._credential = credential
        self._external_id = expectation.external_id
        self._loan_seconds = loan_seconds
        self.account = reveal("service_account_email")
        self.project_id = reveal("project_id")
        self._provider = (
            f"//iam.googleapis.com/projects/{reveal('project_number')}/locations/global/workloadIdentityPools/"
            f"{reveal('pool_id')}/providers/{reveal('provider_id')}"
        )

    def shape(self) -> Step:
        if problem := malformed(WORKLOAD_IDENTITY, self._credential):
            return problem
        if self._credential.reveal("external_id") not in ("", self._external_id):
            return failed(
                "shape",
                "external_id_mismatch",
                message="The external id is not the one that we gave for this account.",
                remedy="Leave it out here, and put the one that we gave into the provider's attribute condition.",
            )
        return passed("shape", "The fields are well formed.")

    def token(self) -> str:
        return self._lent(self._federated(self._external_id))

    def trust(self) -> Step:
        """A pool that lets in another subject than our external id may let in whoever makes us try."""
        try:
            federated = self._federated(f"te-probe-{token_hex(16)}")
        except Refused as refusal:
            _expect(refusal, *REFUSED_TOKEN)
            return passed("trust", "The identity provider lets in this account of the platform and no other.")
        try:
            self._lent(federated)
        except Refused as refusal:
            _expect(refusal, Reason.IMPERSONATION_DENIED)
            return warned("trust", "open_pool", message=OPEN_POOL, remedy=SAFE_TRUST)
        return failed("trust", "unsafe_trust", message=UNSAFE_TRUST, remedy=SAFE_TRUST)

    def _lent(self, federated_token: str) -> str:
        return self._gcp.token_of_account(federated_token, self.account, seconds=self._loan_seconds)

    def _federated(self, subject: str) -> str:
        """By default a provider takes tokens whose audience is its own name."""
        return self._gcp.federated_token(self._identity.token(subject, self._provider), self._provider)


def _expect(refusal: Refused, *reasons: Reason) -> None:
    """The same way was open a moment ago. Another refusal proves nothing; the next attempt finds out."""
    if refusal.reason not in reasons:
        raise FEDERATION.unavailable() from None
