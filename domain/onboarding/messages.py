"""The messages of the onboarding workflow: what starts it, what it is told, what it answers.

They are stored in workflow histories, so they carry no credential (a sealed one at most), and they only ever gain
fields that have a default.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.accounts import ProviderType
from domain.audit.events import Origin
from domain.onboarding.validation import Step


class OnboardingState(StrEnum):
    """Where the onboarding is. The last five are final."""

    REGISTERING = "registering"
    WAITING = "waiting_for_credential"
    STORING = "storing_credential"
    VALIDATING = "validating"
    ACTIVATING = "activating"
    ACTIVE = "active"
    ACTIVE_LIMITED = "active_limited"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset(
    {
        OnboardingState.ACTIVE,
        OnboardingState.ACTIVE_LIMITED,
        OnboardingState.FAILED,
        OnboardingState.EXPIRED,
        OnboardingState.CANCELLED,
    }
)


@dataclass(frozen=True)
class OnboardRequest:
    """Starts an onboarding. Every limit is a value in here, so that a changed setting never changes a running one."""

    tenant_id: str
    account_id: str
    account_name: str
    provider_type: ProviderType
    auth_method: str
    external_id: str
    origin: Origin
    deadline_seconds: int = 7 * 24 * 3600
    max_attempts: int = 10
    provider_patience_seconds: int = 600
    """How long a cloud may be out of order before a submission is answered with `provider_unavailable`."""
    late_write_seconds: int = 60
    """How long after the end the removal of an unused credential is repeated, for a write that was still on its way."""


@dataclass(frozen=True)
class Submission:
    """One credential handed in, sealed in the context of tenant, account and submission id."""

    submission_id: str
    auth_method: str
    sealed: str
    origin: Origin
    just_created: bool = False
    """The customer says that the role or key was made moments ago: what the cloud does not know yet, or does not grant
    yet, is asked again for as long as that cloud may need (`ProviderDescription.propagation_seconds`)."""


class Result(StrEnum):
    """How a submission ended."""

    ACTIVE = "active"
    ACTIVE_LIMITED = "active_limited"
    REFUSED = "refused"
    DUPLICATE = "account_already_onboarded"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    """The cloud did not answer for a long time. Does not count as an attempt."""
    CLOSED = "onboarding_closed"
    """The onboarding was cancelled or expired while this submission was under way."""


@dataclass(frozen=True)
class SubmissionOutcome:
    """The answer to a submission."""

    submission_id: str
    result: Result
    message: str
    steps: tuple[Step, ...] = ()
    account_number: str | None = None
    attempt: int = 0
    """Which counted attempt this was, from 1; 0 when it did not count."""


@dataclass(frozen=True)
class Registered:
    """The account row exists and the onboarding waits for a credential until `expires_at`."""

    account_id: str
    external_id: str
    expires_at: str


@dataclass(frozen=True)
class Cancellation:
    """Asks to end the onboarding."""

    origin: Origin
    reason: str = ""


@dataclass(frozen=True)
class OnboardingView:
    """What the query answers: everything a person asks of an onboarding under way."""

    account_id: str
    state: OnboardingState
    attempts: int
    max_attempts: int
    expires_at: str
    history: tuple[SubmissionOutcome, ...] = ()
    """The latest outcomes, oldest first."""
    reason: str | None = None
    account_number: str | None = None
