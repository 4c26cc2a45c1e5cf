"""What an operator reads in the Web UI: current details of a run, in Markdown."""

from domain.scans.scan import Leaving, ScanOutcome, ScanState

_HEADLINES = {
    ScanState.ADMITTING: "Looking whether to run",
    ScanState.LEFT: "Left without running",
    ScanState.SCANNING: "Scanning",
    ScanState.COMPLETED: "Completed",
    ScanState.FAILED: "Failed",
    ScanState.CANCELLED: "Cancelled",
}
_REASONS = {
    Leaving.PAUSED: "the schedule is paused",
    Leaving.CHANGED: "the schedule was changed meanwhile",
    Leaving.DELETED: "the schedule was deleted",
    Leaving.RUNNING: "another run holds the schedule",
    Leaving.TENANT: "the tenant is disabled",
    Leaving.ACCOUNT: "the account is not active",
    Leaving.REPEATED_HOUR: "the clock was set back and the schedule has fired already",
    Leaving.NOT_DUE: "the schedule does not fire at this time, or has run since",
    Leaving.ENDED: "the scan has run and ended",
    Leaving.NO_ENGINE: "no engine scans this cloud here",
    Leaving.UNREADABLE: "a record that it needs cannot be read",
    Leaving.CADENCE: "the schedule's time zone or interval does not exist",
}


def details(outcome: ScanOutcome) -> str:
    """The state in a headline, the reason for it, and the counts."""
    lines = [f"**{_HEADLINES[outcome.state]}**", "", f"Execution: `{outcome.execution_id}`", ""]
    if outcome.leaving:
        lines += [f"Reason: {_REASONS[outcome.leaving]} (`{outcome.leaving.value}`)", ""]
    if outcome.error_code:
        lines += [f"Reason: `{outcome.error_code}`", ""]
        lines += [f"- {problem.message} {problem.remedy or ''}".rstrip() for problem in outcome.problems]
    if outcome.counts.total:
        counts = outcome.counts
        lines += [f"Checks: {counts.passed} passed, {counts.failed} failed, {counts.errors} not decided", ""]
    return "\n".join(lines)
