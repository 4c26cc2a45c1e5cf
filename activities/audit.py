"""The audit event of a step: named by its workflow and step, so that the step done again gives the same event."""

from collections.abc import Mapping

from temporalio import activity

from domain.audit import AuditEvent, Origin, audit_event
from domain.runs import reason_of
from domain.scans import Execution, ScanEnd


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


def scan_ended(origin: Origin, execution: Execution, end: ScanEnd, *, step: str) -> AuditEvent:
    details = {"schedule": execution.schedule_id, "triggered_by": execution.triggered_by.value}
    if reason := reason_of(end):
        details["reason"] = reason
    return event_of(
        origin,
        step=step,
        tenant_id=execution.tenant_id,
        action="scan.ended",
        target=f"execution:{execution.execution_id}",
        at=end.completed_at,
        outcome=end.status.value,
        details=details,
    )
