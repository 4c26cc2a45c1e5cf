"""Why an onboarding ends without an active account."""

from dataclasses import dataclass

from domain.audit.events import Origin
from domain.onboarding.messages import OnboardingState


@dataclass(frozen=True)
class Ending:
    """The state it ends in, the reason for people, and whoever brought it about."""

    state: OnboardingState
    reason: str
    origin: Origin
