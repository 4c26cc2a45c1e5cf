"""The audit event of a step: named by its workflow and step, so that the step done again gives the same event."""

from collections.abc import Mapping

from temporalio import activity

from domain.audit import AuditEvent, Origin, audit_event


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
