"""What a submission is answered: the sentences of each way it can end."""

from dataclasses import replace

from domain.errors import AccountAlreadyOnboarded, SealBroken, Throttled, Unavailable
from domain.onboarding.messages import OnboardingState, Result, SubmissionOutcome
from domain.onboarding.validation import Outcome, Step, StepStatus, Verdict

_ACCEPTED = {
    Outcome.ACTIVE: "The account is active.",
    Outcome.ACTIVE_LIMITED: "The account is active; some permissions are missing, so some checks cannot run.",
}
_CLOSED = "The account is active; some regions are closed to the credential, so they cannot be scanned."
_THE_CLOUD = "The cloud did not answer for a long time. Your credential is not at fault; submit it again later."
_OURSELVES = "The check could not be finished on our side. Your credential is not at fault; submit it again later."


def accepted(submission_id: str, verdict: Verdict, attempt: int) -> SubmissionOutcome:
    closed_only = verdict.outcome is Outcome.ACTIVE_LIMITED and not any(s.missing_permissions for s in verdict.steps)
    return SubmissionOutcome(
        submission_id=submission_id,
        result=Result(verdict.outcome.value),
        message=_CLOSED if closed_only else _ACCEPTED[verdict.outcome],
        steps=verdict.steps,
        account_number=verdict.account_number,
        attempt=attempt,
    )


def refused(submission_id: str, verdict: Verdict, attempt: int) -> SubmissionOutcome:
    """The first failed step says why; for a duplicate that is the claim."""
    failed = next(step for step in verdict.steps if step.status is StepStatus.FAILED)
    duplicate = failed.code == AccountAlreadyOnboarded.code
    return SubmissionOutcome(
        submission_id=submission_id,
        result=Result.DUPLICATE if duplicate else Result.REFUSED,
        message=failed.message,
        steps=verdict.steps,
        account_number=verdict.account_number,
        attempt=attempt,
    )


def inconclusive(submission_id: str, code: str) -> SubmissionOutcome:
    """No verdict was possible. Nobody's attempt is counted for that. `code` is that of the last error."""
    if code == SealBroken.code:
        step = Step("seal", StepStatus.FAILED, code, SealBroken.default_message)
        return SubmissionOutcome(submission_id, Result.REFUSED, step.message, (step,))
    ours = code not in (Unavailable.code, Throttled.code)
    return SubmissionOutcome(submission_id, Result.PROVIDER_UNAVAILABLE, _OURSELVES if ours else _THE_CLOUD)


def closed(submission_id: str) -> SubmissionOutcome:
    return SubmissionOutcome(submission_id, Result.CLOSED, "The onboarding ended before the credential was accepted.")


def as_duplicate(verdict: Verdict) -> Verdict:
    """An accepted verdict, refused because another account of the tenant holds the same cloud account."""
    claim = Step(
        "claim",
        StepStatus.FAILED,
        AccountAlreadyOnboarded.code,
        AccountAlreadyOnboarded.default_message,
        remedy="Use the account that exists, or submit a credential of another cloud account.",
    )
    return replace(verdict, outcome=Outcome.REFUSED, steps=(*verdict.steps, claim))


def state_of(verdict: Verdict) -> OnboardingState:
    """The final state of an onboarding whose verdict was accepted."""
    return OnboardingState(verdict.outcome.value)
