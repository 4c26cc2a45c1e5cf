"""Routes of tenants, for the platform's administrators. They are plain conditional writes: no workflow is needed."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Response
from starlette.concurrency import run_in_threadpool

from api.auth.access import Access, AccessDep
from api.auth.permissions import Tenancy, needs, new_router
from api.http.errors import Reply
from api.http.idempotency import Once, Operation, once, reply
from api.http.json_body import json_body
from api.http.openapi import errors, posted, request_body
from api.routes.accounts import Cursor, Limit
from api.routes.tenant_schemas import ChangeTenantRequest, CreateTenantRequest, TenantAnswer, TenantsAnswer
from domain.audit.events import AuditEvent, audit_event
from domain.callers.access import Scope
from domain.callers.tenants import Tenant
from domain.timestamps import stamp

router = new_router("/tenants", tag="tenants")


@router.post(
    "",
    dependencies=[needs(Scope.TENANTS_ADMIN, Tenancy.PLATFORM)],
    status_code=201,
    response_model=TenantAnswer,
    responses=posted(403, 409),
    openapi_extra=request_body(CreateTenantRequest),
    summary="Make a tenant",
)
async def create_tenant(posting: Annotated[Once[CreateTenantRequest], Depends(once(CreateTenantRequest))]) -> Response:
    """Refused (409) when another tenant has that name."""

    async def effect(operation: Operation) -> Reply:
        tenant = await run_in_threadpool(_create, posting.access, posting.body, operation)
        return reply(201, TenantAnswer.of(tenant))

    return await posting.answer(effect, tenant_id=str(uuid4()))


@router.get(
    "", dependencies=[needs(Scope.TENANTS_ADMIN, Tenancy.PLATFORM)], responses=errors(400, 403), summary="List tenants"
)
def list_tenants(access: AccessDep, limit: Limit = 50, cursor: Cursor = None) -> TenantsAnswer:
    """All tenants, a page at a time."""
    return TenantsAnswer.of(access.services.tenants.page(limit=limit, cursor=cursor))


@router.get(
    "/{tenant_id}",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.NAMED)],
    responses=errors(404),
    summary="Get a tenant",
)
def get_tenant(tenant_id: str, access: AccessDep) -> TenantAnswer:
    """One tenant."""
    return TenantAnswer.of(access.tenant(tenant_id))


@router.patch(
    "/{tenant_id}",
    dependencies=[needs(Scope.TENANTS_ADMIN, Tenancy.PLATFORM)],
    responses=posted(403, 404, 409),
    openapi_extra=request_body(ChangeTenantRequest),
    summary="Change a tenant",
)
def change_tenant(
    tenant_id: str, access: AccessDep, changes: Annotated[ChangeTenantRequest, Depends(json_body(ChangeTenantRequest))]
) -> TenantAnswer:
    """Changes the fields that are sent. Refused (409) when the name is taken, or when the tenant changed meanwhile."""
    changed = changes.applied_to(access.tenant(tenant_id), at=stamp(datetime.now(UTC)))
    event = _event(access, changed, "tenant.changed", operation=uuid4().hex)
    return TenantAnswer.of(access.services.tenants.update(changed, event))


def _create(access: Access, body: CreateTenantRequest, operation: Operation) -> Tenant:
    tenant = Tenant(
        tenant_id=operation.ids["tenant_id"],
        tenant_name=body.tenant_name,
        created_at=operation.at,
        updated_at=operation.at,
        description=body.description,
    )
    event = _event(access, tenant, "tenant.created", operation=operation.id)
    return access.services.tenants.create(tenant, event)


def _event(access: Access, tenant: Tenant, action: str, *, operation: str) -> AuditEvent:
    return audit_event(
        access.caller.origin,
        operation=operation,
        tenant_id=tenant.tenant_id,
        action=action,
        target=f"tenant:{tenant.tenant_id}",
        at=tenant.updated_at,
    )
