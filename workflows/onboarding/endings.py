"""Why an onboarding ends without an active account."""

from dataclasses import dataclass

from domain.audit import Origin
from domain.onboarding import OnboardingState


@dataclass(frozen=True)
class Ending:
    """The state it ends in, the reason for people, and whoever brought it about."""

    state: OnboardingState
    reason: str
    origin: Origin
