"""Routes of schedules: when an account is scanned."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Response
from starlette.concurrency import run_in_threadpool

from api.auth.access import Access, AccessDep, missing
from api.auth.permissions import Tenancy, needs, new_router
from api.http.errors import Reply
from api.http.idempotency import Once, Operation, once, reply
from api.http.json_body import json_body
from api.http.openapi import errors, posted, request_body
from api.routes.accounts import Cursor, Limit
from api.routes.schedule_schemas import (
    ChangeScheduleRequest,
    CreatedAnswer,
    CreateScheduleRequest,
    DeletedAnswer,
    EmptyRequest,
    NotificationChannels,
    PreviewAnswer,
    PreviewCadenceRequest,
    ScheduleAnswer,
    SchedulesAnswer,
)
from api.schedule_calls import NOT_ACTIVE, ScheduleCalls
from api.schedule_wishes import Wishes, fires_anew
from domain.accounts import AccountStatus, ProviderType
from domain.callers.access import Scope
from domain.errors import Conflict, InvalidInput, NotFound, Problem, SealBroken, Trouble
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from domain.scans.notifications import WEBHOOK_SECRET, NotificationSettings
from domain.schedules.schedule import Cadence, ChangeKind, Preview, Schedule, ScheduleChange, ScheduleStatus
from domain.timestamps import parse, stamp

router = new_router("/schedules", tag="schedules")

PREVIEWED = 10


@router.post(
    "",
    dependencies=[needs(Scope.SCHEDULES_WRITE, Tenancy.NAMED)],
    status_code=201,
    response_model=CreatedAnswer,
    responses=posted(404, 409),
    openapi_extra=request_body(CreateScheduleRequest),
    summary="Schedule an account",
)
async def create_schedule(
    posting: Annotated[Once[CreateScheduleRequest], Depends(once(CreateScheduleRequest))],
) -> Response:
    """Refused (400) when it would never fire, or fires differently than it reads."""

    async def effect(operation: Operation) -> Reply:
        access = posting.access
        created = await run_in_threadpool(_made_before, access, posting.body, operation)
        created = created or await _made(access, posting.body, operation)
        next_run_at = await run_in_threadpool(_next_run, access, created)
        answer = CreatedAnswer(schedule_id=created.schedule_id, name=created.name, next_run_at=next_run_at)
        return reply(201, answer)

    return await posting.answer(effect, schedule_id=str(uuid4()))


@router.post(
    "/preview",
    dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.NONE)],
    response_model=PreviewAnswer,
    responses=posted(),
    openapi_extra=request_body(PreviewCadenceRequest),
    summary="When would it fire",
)
async def preview_cadence(
    posting: Annotated[Once[PreviewCadenceRequest], Depends(once(PreviewCadenceRequest))],
) -> Response:
    """The next ten times of a cadence that nothing has yet."""

    async def effect(_: Operation) -> Reply:
        cadence = _wishes(posting.access).cadence(posting.body)
        return reply(200, PreviewAnswer.of(await run_in_threadpool(_previewed, posting.access, cadence)))

    return await posting.answer(effect)


@router.get(
    "", dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.NAMED)], responses=errors(400, 404), summary="List schedules"
)
def list_schedules(
    access: AccessDep,
    tenant_id: str | None = None,
    account_id: str | None = None,
    status: ScheduleStatus | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SchedulesAnswer:
    """Of a tenant or one of its accounts; of all tenants for the platform's administrators. A change shows after a
    moment."""
    tenant = _tenant(access, tenant_id, account_id)
    page = access.services.scans.schedules.page(
        tenant, account_id=account_id, status=status, limit=limit, cursor=cursor
    )
    next_runs: dict[str, str] = {}
    with suppress(Trouble):
        next_runs.update(access.services.scans.temporal.next_runs(page.items))
    return SchedulesAnswer.of(page, next_runs)


@router.get(
    "/{schedule_id}",
    dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.OWNED)],
    responses=errors(404),
    summary="Get a schedule",
)
def get_schedule(schedule_id: str, access: AccessDep) -> ScheduleAnswer:
    """One schedule."""
    schedule = access.schedule(schedule_id)
    return _answer(access, schedule)


@router.put(
    "/{schedule_id}",
    dependencies=[needs(Scope.SCHEDULES_WRITE, Tenancy.OWNED)],
    responses=posted(404, 409),
    openapi_extra=request_body(ChangeScheduleRequest),
    summary="Change a schedule",
)
async def change_schedule(
    schedule_id: str,
    access: AccessDep,
    changes: Annotated[ChangeScheduleRequest, Depends(json_body(ChangeScheduleRequest))],
) -> ScheduleAnswer:
    """Changes the fields that are sent; a scan that is running goes on. Refused (409) when the schedule changed
    meanwhile."""
    before = await run_in_threadpool(access.schedule, schedule_id)
    wished = await run_in_threadpool(_wishes(access).changed, before, changes)
    if wished.fires and not before.fires:
        await run_in_threadpool(_may_resume, access, wished)
    if fires_anew(before, wished):
        await run_in_threadpool(_previewed, access, wished.cadence)
    operation, channels = _operation(), changes.notification_channels
    change = await run_in_threadpool(_change, access, ChangeKind.UPDATE, wished, operation, channels)
    changed = await ScheduleCalls(access.services).change(change)
    return await run_in_threadpool(_answer, access, changed)


@router.delete(
    "/{schedule_id}",
    dependencies=[needs(Scope.SCHEDULES_WRITE, Tenancy.OWNED)],
    responses=errors(404, 409),
    summary="Delete a schedule",
)
async def delete_schedule(schedule_id: str, access: AccessDep) -> DeletedAnswer:
    """It fires no more. A scan that is running goes on; its results and those before it stay."""
    schedule = await run_in_threadpool(access.schedule, schedule_id)
    operation = _operation()
    schedule = replace(schedule, notifications=NotificationSettings())  # there may be an address in the clear
    change = ScheduleChange(ChangeKind.DELETE, schedule, access.caller.origin, operation.id, operation.at)
    await ScheduleCalls(access.services).change(change)
    return DeletedAnswer(schedule_id=schedule_id)


@router.post(
    "/{schedule_id}/preview",
    dependencies=[needs(Scope.SCHEDULES_READ, Tenancy.OWNED)],
    response_model=PreviewAnswer,
    responses=posted(404),
    openapi_extra=request_body(EmptyRequest, optional=True),
    summary="When does it fire",
)
async def preview_schedule(
    schedule_id: str, posting: Annotated[Once[EmptyRequest], Depends(once(EmptyRequest, optional=True))]
) -> Response:
    """The next ten times of a schedule, as if it were not paused. Each run starts up to some minutes later, so that
    not all start in one second."""

    async def effect(_: Operation) -> Reply:
        schedule = await run_in_threadpool(posting.access.schedule, schedule_id)
        foreseen = posting.access.services.scans.temporal.preview
        return reply(200, PreviewAnswer.of(await run_in_threadpool(foreseen, schedule.cadence, count=PREVIEWED)))

    return await posting.answer(effect)


async def _made(access: Access, body: CreateScheduleRequest, operation: Operation) -> Schedule:
    wished = await run_in_threadpool(_wished, access, body, operation)
    change = await run_in_threadpool(_change, access, ChangeKind.CREATE, wished, operation, body.notification_channels)
    return await ScheduleCalls(access.services).change(change)


def _made_before(access: Access, body: CreateScheduleRequest, operation: Operation) -> Schedule | None:
    """What an earlier request of the same key made. Its time may have come since, so it is not asked for again."""
    with suppress(NotFound):
        if operation.repeated:
            tenant = access.tenant(body.tenant_id)
            return access.services.scans.schedules.get(tenant.tenant_id, operation.ids["schedule_id"])
    return None


def _wishes(access: Access) -> Wishes:
    def owns(tenant_id: str, account_number: str) -> bool:
        return access.services.accounts.holds(tenant_id, ProviderType.AWS, account_number)

    scans = access.services.scans
    return Wishes(scans.channels, scans.offers, access.services.limits.min_interval_seconds, owns)


def _wished(access: Access, body: CreateScheduleRequest, operation: Operation) -> Schedule:
    access.active_tenant(body.tenant_id)
    account = access.account(body.account_id)
    if account.tenant_id != body.tenant_id:
        raise missing("account", "account_id")
    schedule_id, by = operation.ids["schedule_id"], access.caller.principal
    schedule = _wishes(access).new(body, account, schedule_id=schedule_id, at=operation.at, by=by)
    _previewed(access, schedule.cadence)
    return schedule


def _may_resume(access: Access, schedule: Schedule) -> None:
    """Raises TenantDisabled, and Conflict when the account is not active: nothing would be scanned."""
    access.active_tenant(schedule.tenant_id)
    account = access.account(schedule.account_id)
    if account.status not in (AccountStatus.ACTIVE, AccountStatus.ACTIVE_LIMITED, AccountStatus.DEGRADED):
        raise Conflict(NOT_ACTIVE)


def _previewed(access: Access, cadence: Cadence) -> Preview:
    """Raises InvalidInput for a cadence that would never fire, or too often."""
    preview = access.services.scans.temporal.preview(cadence, count=PREVIEWED)
    field = {"cron": "/cron_expression", "interval": "/interval_seconds", "one_time": "/run_at"}[cadence.schedule_type]
    if not preview.fire_times:
        raise InvalidInput(problems=[Problem("never_fires", "This would never fire; name a time that comes.", field)])
    moments = [parse(text) for text in preview.fire_times]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    least = access.services.limits.min_interval_seconds
    if gaps and min(gaps) < least:
        message = f"This fires more often than once in {least} seconds; leave more time between two scans."
        raise InvalidInput(problems=[Problem("too_often", message, field)])
    return preview


def _change(
    access: Access, kind: ChangeKind, schedule: Schedule, operation: Operation, channels: NotificationChannels | None
) -> ScheduleChange:
    """With the address of a webhook sealed for the schedule, and its secret, if one was sent."""
    of_schedule = {"tenant_id": schedule.tenant_id, "schedule_id": schedule.schedule_id, "change_id": operation.id}
    told, sealer = schedule.notifications, access.services.sealer
    closed = tuple(channel.closed(sealer, **of_schedule) for channel in told.channels)
    schedule = replace(schedule, notifications=replace(told, channels=closed))
    secret = channels.webhook.secret if channels and channels.webhook else None
    sealed = None
    if secret is not None:
        context = SealContext(schedule.tenant_id, schedule.schedule_id, operation.id, SealPurpose.WEBHOOK)
        sealed = sealer.seal(Credential(WEBHOOK_SECRET, {"secret": secret}), context)
    return ScheduleChange(kind, schedule, access.caller.origin, operation.id, operation.at, sealed_secret=sealed)


def _tenant(access: Access, tenant_id: str | None, account_id: str | None) -> str | None:
    """Whose schedules are listed. Raises NotFound, and Forbidden for all tenants at once."""
    if account_id is not None:
        account = access.account(account_id)
        if tenant_id not in (None, account.tenant_id):
            raise missing("account", "account_id")
        return account.tenant_id
    if tenant_id is not None or access.caller.tenant_id is not None:
        return access.tenant(tenant_id or access.caller.tenant_id or "").tenant_id
    access.administer()
    return None


def _answer(access: Access, schedule: Schedule) -> ScheduleAnswer:
    """With the address of a webhook in full for whoever may change it, and as long as it can be opened."""
    told, opener = schedule.notifications, access.services.scans.addresses
    if Scope.SCHEDULES_WRITE in access.caller.scopes:
        with suppress(Trouble, SealBroken):
            of_schedule = {"tenant_id": schedule.tenant_id, "schedule_id": schedule.schedule_id}
            channels = tuple(channel.opened(opener, **of_schedule) for channel in told.channels)
            opened = replace(schedule, notifications=replace(told, channels=channels))
            return ScheduleAnswer.of(opened, _next_run(access, schedule), in_full=True)
    return ScheduleAnswer.of(schedule, _next_run(access, schedule))


def _next_run(access: Access, schedule: Schedule) -> str | None:
    with suppress(Trouble):
        return access.services.scans.temporal.next_run(schedule)
    return None


def _operation() -> Operation:
    return Operation(uuid4().hex, stamp(datetime.now(UTC)), {}, repeated=False)
