"""What the narrowers have in common: a credential is proved to the cloud, and what that has opened is handed over.

The first two steps of a validation are that proof, so a credential that stopped working is refused in the same
sentences as when it was submitted.
"""

from collections.abc import Callable

from domain.errors import CredentialRefused, Problem
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Step, StepStatus
from providers.checks import Sentences, run_steps

SESSION_SECONDS = 3_600
"""How long what is handed over lives, where the cloud lets us choose."""


class PassThrough:
    """The `Narrower` of a cloud whose keys are not exchanged for anything: the engine gets the stored one."""

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        return credential


def prove(shape: Callable[[], Step], identify: Callable[[], Step], sentences: Sentences) -> None:
    """Raises CredentialRefused, Trouble."""
    for step in run_steps((("shape", shape), ("identify", identify)), sentences):
        if step.status is StepStatus.FAILED:
            problem = Problem(step.code, step.message, step=step.name, remedy=step.remedy)
            raise CredentialRefused(problems=[problem])
