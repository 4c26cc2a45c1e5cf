"""What the end of a run makes of its two rows, what becomes of a moment without a run, and the events of what is
decided on the way."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.audit.events import AuditEvent, consequence
from domain.errors import CODES, Problem
from domain.scans.scan import Counts, Execution, ExecutionStatus, ScanEnd, TriggeredBy
from domain.schedules.schedule import FAILED_REPEATEDLY, MISSED, Schedule, ScheduleStatus, ScheduleType
from domain.timestamps import parse

ABANDONED, ENGINE_FAILED, TIMED_OUT = "abandoned", "engine_failed", "timed_out"
NOTHING_SCANNED = "nothing_scanned"
_REASONS = CODES | {ABANDONED, ENGINE_FAILED, TIMED_OUT, NOTHING_SCANNED}
_ABANDONED = Problem(ABANDONED, "The scan was lost with its workflow.", remedy="Nothing; the next one starts anew.")
_MISSED = Problem(
    MISSED,
    "The moment passed without a scan: the account was not active, another scan was running, or the platform was down.",
    remedy="Name a new run_at.",
)


def abandoned(*, at: str) -> ScanEnd:
    """The end of a run whose workflow is gone."""
    return ScanEnd(ExecutionStatus.FAILED, at, ABANDONED, problems=(_ABANDONED,))


def reason_of(end: ScanEnd) -> str | None:
    """Why it failed, as the trail says it, which nothing is ever removed from: a code that an engine elsewhere made up
    stays on the execution."""
    if end.error_code is None:
        return None
    return end.error_code if end.error_code in _REASONS else ENGINE_FAILED


def abandonment(claim: AuditEvent, schedule: Schedule, execution_id: str) -> AuditEvent:
    """That the run which held the schedule was closed, because `claim` found its workflow gone."""
    return consequence(
        claim,
        action="scan.ended",
        target=f"execution:{execution_id}",
        outcome=ExecutionStatus.FAILED.value,
        details={"reason": ABANDONED, "schedule": schedule.schedule_id},
    )


def turn(release: AuditEvent, before: Schedule, after: Schedule) -> AuditEvent | None:
    """That the end of a run, which `release` tells of, changed the status of its schedule; None when it did not."""
    if after.status is before.status:
        return None
    target, details = f"schedule:{after.schedule_id}", {"execution": before.running_execution_id or ""}
    if after.status is ScheduleStatus.COMPLETED:
        return consequence(release, action="schedule.completed", target=target, details=details)
    details |= {"reason": after.status_reason or "", "failures": str(after.consecutive_failures)}
    return consequence(release, action="schedule.paused", target=target, details=details)


def closed(execution: Execution, end: ScanEnd) -> Execution:
    return replace(
        execution,
        status=end.status,
        completed_at=end.completed_at,
        error_code=end.error_code,
        problems=end.problems,
        counts=end.result.counts if end.result else Counts(),
        result_location=end.result.location if end.result else None,
        deliveries=end.deliveries,
    )


def released(schedule: Schedule, execution: Execution, end: ScanEnd, *, at: str, pause_after: int) -> Schedule:
    """The schedule when it is let go. A cancelled run counts as a run only. A one-time schedule that fired is
    completed, one that fails `pause_after` times in a row is paused with a reason; Temporal has to follow both."""
    succeeded, failed = end.status is ExecutionStatus.COMPLETED, end.status is ExecutionStatus.FAILED
    failures = 0 if succeeded else schedule.consecutive_failures + failed
    row = replace(
        schedule,
        running_execution_id=None,
        updated_at=at,
        run_count=schedule.run_count + 1,
        success_count=schedule.success_count + succeeded,
        failure_count=schedule.failure_count + failed,
        consecutive_failures=failures,
    )
    once = row.cadence.schedule_type is ScheduleType.ONE_TIME and execution.triggered_by is TriggeredBy.SCHEDULER
    if once and (row.fires or row.status_reason == MISSED):
        return _turned(row, ScheduleStatus.COMPLETED)
    if row.fires and failures >= pause_after:
        return _turned(row, ScheduleStatus.ERROR, FAILED_REPEATEDLY, end.problems)
    return row


def is_missed(schedule: Schedule, *, now: datetime, catch_up: timedelta) -> bool:
    """Whether the moment of a one-time schedule passed so long ago that nothing will start its run any more."""
    run_at = schedule.cadence.run_at
    if run_at is None or not schedule.fires or schedule.running_execution_id is not None:
        return False
    return now - parse(run_at) > catch_up


def missed(schedule: Schedule) -> Schedule:
    """The successor of such a schedule. Should its run have begun in this very moment, its end corrects this."""
    return _turned(schedule, ScheduleStatus.ERROR, MISSED, (_MISSED,))


def _turned(
    schedule: Schedule, status: ScheduleStatus, reason: str | None = None, problems: tuple[Problem, ...] = ()
) -> Schedule:
    version = schedule.spec_version + 1
    return replace(schedule, status=status, status_reason=reason, problems=problems, spec_version=version)
