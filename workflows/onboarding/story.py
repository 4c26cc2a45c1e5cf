"""What an operator reads in the Web UI: current details of an onboarding, in Markdown."""

from domain.onboarding.messages import OnboardingState, OnboardingView, SubmissionOutcome
from domain.onboarding.validation import StepStatus

_HEADLINES = {
    OnboardingState.REGISTERING: "Registering the account",
    OnboardingState.WAITING: "Waiting for the customer's credential",
    OnboardingState.STORING: "Storing the credential",
    OnboardingState.VALIDATING: "Proving the credential against the cloud",
    OnboardingState.ACTIVATING: "Activating the account",
    OnboardingState.ACTIVE: "Active",
    OnboardingState.ACTIVE_LIMITED: "Active, with limits: permissions are missing",
    OnboardingState.FAILED: "Failed",
    OnboardingState.EXPIRED: "Expired: no credential was accepted in time",
    OnboardingState.CANCELLED: "Cancelled",
}
_MARKS = {
    StepStatus.PASSED: "✓",
    StepStatus.WARNED: "⚠",
    StepStatus.FAILED: "✗",
    StepStatus.SKIPPED: "–",
}


def details(view: OnboardingView) -> str:
    """The state in a headline, the limits that apply, and the steps of the latest submission."""
    lines = [f"**{_HEADLINES[view.state]}**", ""]
    if view.reason:
        lines += [f"Reason: `{view.reason}`", ""]
    if not view.state.final:
        lines += [f"Attempts: {view.attempts} of {view.max_attempts}. Ends by itself at {view.expires_at}.", ""]
    if view.account_number:
        lines += [f"Cloud account: `{view.account_number}`", ""]
    if view.history:
        lines += _outcome(view.history[-1])
    return "\n".join(lines)


def _outcome(outcome: SubmissionOutcome) -> list[str]:
    lines = [f"Latest submission: `{outcome.result.value}`. {outcome.message}", ""]
    for step in outcome.steps:
        missing = (
            f" Missing: {', '.join(f'`{name}`' for name in step.missing_permissions)}."
            if step.missing_permissions
            else ""
        )
        lines.append(f"- {_MARKS[step.status]} {step.name}: {step.message}{missing}")
    return lines
