"""What the end of a run makes of its two rows."""

from dataclasses import replace

from domain.scans import Counts, Execution, ExecutionStatus, ScanEnd, TriggeredBy
from domain.schedules import FAILED_REPEATEDLY, Schedule, ScheduleStatus, ScheduleType


def closed(execution: Execution, end: ScanEnd) -> Execution:
    return replace(
        execution,
        status=end.status,
        completed_at=end.completed_at,
        error_code=end.error_code,
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
    if not row.fires:
        return row
    once = row.cadence.schedule_type is ScheduleType.ONE_TIME
    if once and execution.triggered_by is TriggeredBy.SCHEDULER:
        return replace(row, status=ScheduleStatus.COMPLETED, spec_version=row.spec_version + 1)
    if failures >= pause_after:
        version = row.spec_version + 1
        return replace(row, status=ScheduleStatus.ERROR, status_reason=FAILED_REPEATEDLY, spec_version=version)
    return row
