"""The audit event of a step: named by its workflow and step, so that the step done again gives the same event."""

from collections.abc import Mapping

from temporalio import activity

from domain.audit.events import AuditEvent, Origin, audit_event
from domain.scans.runs import reason_of
from domain.scans.scan import Execution, ScanEnd


def event_of(
    origin: Origin,
    *,
    step: str,
    tenant_id: str,
    action: str,
    target: str,
    at: str,
    outcome: str = "ok",
    details: Mapping[str, str] | None = None,
) -> AuditEvent:
    """`step` names the change within its workflow."""
    return audit_event(
        origin,
        operation=f"{activity.info().workflow_id}/{step}",
        tenant_id=tenant_id,
        action=action,
        target=target,
        at=at,
        outcome=outcome,
        details=details,
    )


def scan_started(origin: Origin, execution: Execution) -> AuditEvent:
    return _scan_event(origin, execution, "scan.started", step="scan.started", at=execution.started_at)


def scan_ended(origin: Origin, execution: Execution, end: ScanEnd, *, step: str) -> AuditEvent:
    at, outcome, reason = end.completed_at, end.status.value, reason_of(end)
    return _scan_event(origin, execution, "scan.ended", step=step, at=at, outcome=outcome, reason=reason)


def _scan_event(
    origin: Origin,
    execution: Execution,
    action: str,
    *,
    step: str,
    at: str,
    outcome: str = "ok",
    reason: str | None = None,
) -> AuditEvent:
    details = {"schedule": execution.schedule_id, "triggered_by": execution.triggered_by.value}
    return event_of(
        origin,
        step=step,
        tenant_id=execution.tenant_id,
        action=action,
        target=f"execution:{execution.execution_id}",
        at=at,
        outcome=outcome,
        details=details | ({"reason": reason} if reason else {}),
    )
