"""The two ends of a run as writes: its execution's row and the claim on its schedule change in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from domain.audit.events import AuditEvent
from domain.errors import AlreadyExists, Conflict, NotFound, OnboardingError, ScanRunning, StaleVersion, Throttled
from domain.scans.runs import abandoned, abandonment, closed, released, turn
from domain.scans.scan import Execution, ExecutionStatus, ScanEnd
from domain.schedules.schedule import Schedule, ScheduleStatus
from stores.dynamodb.items import Row
from stores.dynamodb.ledger import Write, put, unless_foreign, update, written
from stores.dynamodb.schedule_rows import NOBODY, execution_to_row
from stores.dynamodb.tables import TableNames


class RunWrites:
    """Builds the writes; the store commits them."""

    def __init__(self, names: TableNames) -> None:
        self._names = names

    def claim(
        self, schedule: Schedule, execution: Execution, event: AuditEvent, *, stale: str | None
    ) -> Sequence[Write]:
        started = put(
            self._names.executions,
            execution_to_row(execution),
            condition="attribute_not_exists(#execution_id)",
            refusal=lambda _: AlreadyExists("An execution with this id exists."),
        )
        held = update(
            self._names.schedules,
            {"schedule_id": schedule.schedule_id},
            {"running_execution_id": execution.execution_id, "last_run_at": execution.started_at},
            condition="#tenant_id = :tenant AND #spec_version = :seen AND #running_execution_id IN (:nobody, :stale)",
            tenant=schedule.tenant_id,
            seen=schedule.spec_version,
            nobody=NOBODY,
            stale=stale or NOBODY,
            refusal=lambda row: _why_not(row, schedule),
        )
        if stale is None:
            return (held, started)
        gone = self._close(stale, schedule.tenant_id, abandoned(at=event.at))
        # Where it was closed meanwhile: look again, and claim what may be free now.
        gone = replace(gone, refusal=lambda _: Throttled(retry_after=0.1))
        return (held, started, gone, *written(self._names, abandonment(event, schedule, stale)))

    def release(
        self, schedule: Schedule | None, execution: Execution, end: ScanEnd, event: AuditEvent, *, pause_after: int
    ) -> Sequence[Write]:
        """`schedule` is the row as it was read just now."""
        closing = self._close(execution.execution_id, execution.tenant_id, end, execution)
        if schedule is None or schedule.running_execution_id != execution.execution_id:
            return (closing,)
        after = released(schedule, execution, end, at=event.at, pause_after=pause_after)
        turned = turn(event, schedule, after)
        return (closing, self._let_go(schedule, after), *(written(self._names, turned) if turned else ()))

    def _close(self, execution_id: str, tenant_id: str, end: ScanEnd, execution: Execution | None = None) -> Write:
        row = asdict(closed(execution, end)) if execution else {}
        change = {
            "status": end.status,
            "completed_at": end.completed_at,
            "error_code": end.error_code,
            "problems": [asdict(problem) for problem in end.problems],
            "result_location": row.get("result_location"),
            "counts": row.get("counts"),
            "deliveries": row.get("deliveries"),
        }
        return update(
            self._names.executions,
            {"execution_id": execution_id},
            change,
            condition="#tenant_id = :tenant_id AND #status = :running",
            tenant_id=tenant_id,
            running=ExecutionStatus.RUNNING,
            refusal=lambda row: unless_foreign(row, tenant_id, Conflict("The execution has ended.")),
        )

    def _let_go(self, before: Schedule, after: Schedule) -> Write:
        change = {
            "running_execution_id": NOBODY,
            # One of a newer version stays as it is.
            "status": None if after.status is ScheduleStatus.UNKNOWN else after.status,
            "status_reason": after.status_reason or "",
            "problems": [asdict(problem) for problem in after.problems],
            "spec_version": after.spec_version,
            "run_count": after.run_count,
            "success_count": after.success_count,
            "failure_count": after.failure_count,
            "consecutive_failures": after.consecutive_failures,
            "updated_at": after.updated_at,
        }
        return update(
            self._names.schedules,
            {"schedule_id": before.schedule_id},
            change,
            condition="#spec_version = :seen AND #running_execution_id = :held AND #run_count = :runs",
            seen=before.spec_version,
            held=before.running_execution_id,
            runs=before.run_count,
            # It was changed or deleted since it was read: read again, and do it once more.
            refusal=lambda _: Throttled(retry_after=0.1),
        )


def _why_not(row: Row | None, schedule: Schedule) -> OnboardingError:
    if row is None or row.get("tenant_id") != schedule.tenant_id:
        return NotFound()
    if row.get("spec_version") != schedule.spec_version:
        return StaleVersion()
    return ScanRunning(execution_id=row.get("running_execution_id") or None)
