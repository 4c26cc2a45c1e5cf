"""Routes of runs and of what they found."""

from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Query, Response
from starlette.concurrency import run_in_threadpool

from api.auth.access import Access, AccessDep
from api.auth.permissions import Tenancy, needs, new_router
from api.http.errors import Reply
from api.http.idempotency import Once, Operation, once, reply
from api.http.openapi import errors, posted, request_body
from api.routes.accounts import Cursor, Limit
from api.routes.audit import record
from api.routes.execution_schemas import (
    CancelledAnswer,
    ExecutionAnswer,
    ExecutionDetailAnswer,
    ExecutionsAnswer,
    ScanResultDetailAnswer,
    ScanResultsAnswer,
)
from api.routes.schedule_schemas import EmptyRequest, TriggeredAnswer
from api.schedule_calls import ScheduleCalls
from domain.callers.access import Scope
from domain.errors import NotFound
from domain.pages import MAX_PAGE
from domain.scans.scan import ExecutionStatus
from domain.schedules.schedule import Schedule

router = new_router(tag="scans")

MOST_SKIPPED = 1000
Offset = Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="How many to skip; a cursor goes further.")]


@router.post(
    "/schedules/{schedule_id}/trigger",
    dependencies=[needs(Scope.SCANS_RUN, Tenancy.OWNED)],
    response_model=TriggeredAnswer,
    responses=posted(404, 409),
    openapi_extra=request_body(EmptyRequest, optional=True),
    summary="Scan now",
)
async def trigger_schedule(
    schedule_id: str, posting: Annotated[Once[EmptyRequest], Depends(once(EmptyRequest, optional=True))]
) -> Response:
    """Starts a scan, also of a paused schedule. Refused (409) while one is running: `Location` leads
    to it."""

    async def effect(operation: Operation) -> Reply:
        access, execution_id = posting.access, operation.ids["execution_id"]
        schedule = await run_in_threadpool(access.schedule, schedule_id)
        if not (operation.repeated and await run_in_threadpool(_ran, access, schedule, execution_id)):
            await ScheduleCalls(access.services).trigger(schedule, execution_id, access.caller.origin)
        return reply(200, TriggeredAnswer(scan_id=execution_id))

    return await posting.answer(effect, execution_id=str(uuid4()))


@router.get(
    "/schedules/{schedule_id}/executions",
    dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.OWNED)],
    responses=errors(400, 404),
    summary="List a schedule's runs",
)
def list_executions(
    schedule_id: str, access: AccessDep, limit: Limit = 50, offset: Offset = 0, cursor: Cursor = None
) -> ExecutionsAnswer:
    """Newest first. A change shows after a moment."""
    schedule = access.schedule(schedule_id)
    start, total = cursor or _skip(access, schedule, offset), _total(schedule)
    if offset and start is None:
        return ExecutionsAnswer(executions=[], total=total, next_cursor=None)
    page = access.services.scans.executions.page(
        schedule.tenant_id, schedule_id=schedule.schedule_id, account_id=None, limit=limit, cursor=start
    )
    found = [ExecutionAnswer.of(execution) for execution in page.items]
    return ExecutionsAnswer(
        executions=found, total=total, next_cursor=page.next_cursor, unreadable=len(page.unreadable)
    )


@router.get(
    "/executions/{execution_id}",
    dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.OWNED)],
    responses=errors(404),
    summary="Get a run",
)
def get_execution(execution_id: str, access: AccessDep) -> ExecutionDetailAnswer:
    """One run, how it ended, and who was told."""
    return ExecutionDetailAnswer.of(access.execution(execution_id))


@router.post(
    "/executions/{execution_id}/cancel",
    dependencies=[needs(Scope.SCANS_RUN, Tenancy.OWNED)],
    status_code=202,
    response_model=CancelledAnswer,
    responses=posted(404, 409),
    openapi_extra=request_body(EmptyRequest, optional=True),
    summary="Stop a run",
)
async def cancel_execution(
    execution_id: str, posting: Annotated[Once[EmptyRequest], Depends(once(EmptyRequest, optional=True))]
) -> Response:
    """Reaches the engine; the run then ends as cancelled. Refused (409) when it has ended, or came to its own end
    first. An engine that takes its time is not waited for: get the run to see how it ended."""

    async def effect(operation: Operation) -> Reply:
        access = posting.access
        execution = await run_in_threadpool(access.execution, execution_id)
        if not (operation.repeated and execution.status is ExecutionStatus.CANCELLED):
            await record(
                access,
                operation,
                tenant_id=execution.tenant_id,
                action="cancellation.requested",
                target=f"execution:{execution_id}",
            )
            await ScheduleCalls(access.services).cancel(execution, access.caller.origin, operation.id)
        return reply(202, CancelledAnswer(execution_id=execution_id))

    return await posting.answer(effect)


@router.get(
    "/accounts/{account_id}/scan-results",
    dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.OWNED)],
    responses=errors(400, 404),
    summary="List an account's results",
)
def list_scan_results(
    account_id: str, access: AccessDep, limit: Limit = 50, cursor: Cursor = None
) -> ScanResultsAnswer:
    """Newest first. A change shows after a moment."""
    account = access.account(account_id)
    page = access.services.scans.results.page(account.tenant_id, account_id=account_id, limit=limit, cursor=cursor)
    return ScanResultsAnswer.of(page)


@router.get(
    "/scan-results/{scan_id}",
    dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.OWNED)],
    responses=errors(404),
    summary="Get a result",
)
def get_scan_result(scan_id: str, access: AccessDep) -> ScanResultDetailAnswer:
    """The numbers of a scan, and a link to its findings."""
    result = access.result(scan_id)
    return ScanResultDetailAnswer.of_link(result, access.services.scans.results.link(result))


def _ran(access: Access, schedule: Schedule, execution_id: str) -> bool:
    """Whether the run was admitted: then it has a row, whatever became of it."""
    try:
        access.services.scans.executions.get(schedule.tenant_id, execution_id)
    except NotFound:
        return False
    return True


def _total(schedule: Schedule) -> int:
    return schedule.run_count + (schedule.running_execution_id is not None)


def _skip(access: Access, schedule: Schedule, offset: int) -> str | None:
    """The cursor behind `offset` runs; None at the start, and when there are no more."""
    cursor, left = None, offset
    while left > 0:
        page = access.services.scans.executions.page(
            schedule.tenant_id,
            schedule_id=schedule.schedule_id,
            account_id=None,
            limit=min(left, MAX_PAGE),
            cursor=cursor,
        )
        left, cursor = left - len(page.items) - len(page.unreadable), page.next_cursor
        if cursor is None:
            break
    return cursor
