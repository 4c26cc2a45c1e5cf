"""The route of the audit trail, and how routes put a request into it that only a workflow carries out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.concurrency import run_in_threadpool

from api.auth.access import Access, AccessDep, Holder
from api.auth.permissions import Tenancy, needs, new_router
from api.http.idempotency import Operation
from api.http.openapi import errors
from api.routes.accounts import Cursor, Limit
from api.routes.audit_schemas import AuditEventsAnswer
from domain.audit.events import AuditFilter, audit_event
from domain.callers.access import Scope
from domain.errors import InvalidInput, Problem
from domain.timestamps import stamp

router = new_router("/audit-events", tag="audit")

Exact = Annotated[str | None, Query(min_length=1, max_length=200)]
Moment = Annotated[str | None, Query(max_length=40, examples=["2026-11-24T00:00:00Z"])]


@router.get(
    "",
    dependencies=[needs(Scope.AUDIT_READ, Tenancy.NAMED)],
    responses=errors(400, 404),
    summary="Read the audit trail",
)
def list_audit_events(
    access: AccessDep,
    tenant_id: Holder,
    action: Exact = None,
    actor: Exact = None,
    target: Exact = None,
    since: Moment = None,
    until: Moment = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuditEventsAnswer:
    """Oldest first, without delay. `tenant_id` may be `platform` for the platform's callers: what belongs to no tenant.
    `since` is the first moment that counts and `until` the first that does not."""
    tenant = access.key_holder(tenant_id)
    first = "" if since is None else _moment(since, "since")
    end = None if until is None else _moment(until, "until")
    if end is not None and end <= first:
        message = "until is not after since, so there can be no event; send a later one."
        raise InvalidInput(problems=[Problem("contradiction", message, "/until")])
    wanted = AuditFilter(
        action=action,
        actor=actor,
        target=target,
        since=first,
        until=end,
    )
    return AuditEventsAnswer.of(access.services.audit.page(tenant, wanted, limit=limit, cursor=cursor))


async def record(
    access: Access,
    operation: Operation,
    *,
    tenant_id: str,
    action: str,
    target: str,
    details: Mapping[str, str] | None = None,
) -> None:
    """Before the workflow hears of it; a repeat is not recorded again. Raises Trouble, and then nothing happens."""
    event = audit_event(
        access.caller.origin,
        operation=operation.id,
        tenant_id=tenant_id,
        action=action,
        target=target,
        at=operation.at,
        outcome="requested",
        details=details,
    )
    await run_in_threadpool(access.services.audit.record, event)


def _moment(text: str, name: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return stamp(moment)
    except (ValueError, OverflowError):
        pass
    message = (
        f"Write {name} as a date and time with its offset, such as 2026-11-24T00:00:00Z; in an address a + is written "
        "%2B."
    )
    raise InvalidInput(problems=[Problem("invalid", message, f"/{name}")])
