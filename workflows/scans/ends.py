"""The ends of a run, and what each of them says to people."""

from temporalio.exceptions import ActivityError, TimeoutError

from domain.errors import NotYet, Problem
from domain.scans.runs import ENGINE_FAILED, NOTHING_SCANNED, TIMED_OUT
from domain.scans.scan import ExecutionStatus, ScanEnd, StoredResult
from workflows.errors import code_of, problems_of

_TOO_LONG = Problem(
    TIMED_OUT,
    "The scan was not finished within the time that a scan may take.",
    remedy="Scan fewer regions or services at a time, or ask the operators for more time.",
)


_NOTHING = Problem(
    NOTHING_SCANNED,
    "The scan decided nothing: no check came to a pass or a failure.",
    remedy="Look in the findings for what could not be decided, and at the regions and services of the schedule.",
)


def completed(result: StoredResult, *, at: str) -> ScanEnd:
    """What decided nothing is a failure, with a result that says why."""
    if result.nothing_decided:
        return ScanEnd(ExecutionStatus.FAILED, at, NOTHING_SCANNED, result=result, problems=(_NOTHING,))
    return ScanEnd(ExecutionStatus.COMPLETED, at, result=result)


def cancelled(*, at: str) -> ScanEnd:
    return ScanEnd(ExecutionStatus.CANCELLED, at)


def gave_up(code: str | None, *, at: str) -> ScanEnd:
    """`code` is that of the engine elsewhere."""
    code = code or ENGINE_FAILED
    message = "The scan engine did not finish this scan; the operators can ask those who run it."
    return ScanEnd(ExecutionStatus.FAILED, at, code, problems=(Problem(code, message),))


def failed(error: ActivityError, *, in_process: bool, at: str) -> ScanEnd:
    """A scan in a worker has all of its time for one step, and an engine elsewhere that is not finished yet had it."""
    code = code_of(error)
    if code == NotYet.code or (in_process and isinstance(error.cause, TimeoutError)):
        return ScanEnd(ExecutionStatus.FAILED, at, TIMED_OUT, problems=(_TOO_LONG,))
    return ScanEnd(ExecutionStatus.FAILED, at, code, problems=problems_of(error))
