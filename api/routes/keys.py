"""Routes of API keys. A key can pass on what its maker may do, and no more."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Response
from starlette.concurrency import run_in_threadpool

from api.auth.access import Access, AccessDep, Holder
from api.auth.permissions import Tenancy, needs, new_router
from api.http.errors import Reply
from api.http.idempotency import Once, Operation, once, reply
from api.http.openapi import errors, posted, request_body
from api.routes.accounts import Cursor, Limit
from api.routes.key_schemas import ApiKeyMadeAnswer, ApiKeyRevokedAnswer, ApiKeysAnswer, CreateApiKeyRequest
from domain.callers.access import Scope
from domain.callers.api_keys import LAST_ADMINISTRATOR, key_event, new_key, new_key_id, remaining_administrator
from domain.errors import Conflict, MissingScope
from domain.timestamps import parse, stamp

router = new_router("/api-keys", tag="API keys")


@router.post(
    "",
    dependencies=[needs(Scope.KEYS_ADMIN, Tenancy.NAMED)],
    status_code=201,
    response_model=ApiKeyMadeAnswer,
    responses=posted(404, 409),
    openapi_extra=request_body(CreateApiKeyRequest),
    summary="Make an API key",
)
async def create_api_key(posting: Annotated[Once[CreateApiKeyRequest], Depends(once(CreateApiKeyRequest))]) -> Response:
    """The key is shown in this answer only. Refused (403) when it could do what its maker may not, and (409) for a
    disabled tenant. One of more than 365 days is made by the platform's callers only."""

    async def effect(operation: Operation) -> Reply:
        return await run_in_threadpool(_create, posting.access, posting.body, operation)

    return await posting.answer(effect, key_id=new_key_id())


@router.get(
    "",
    dependencies=[needs(Scope.KEYS_ADMIN, Tenancy.NAMED)],
    responses=errors(400, 404),
    summary="List a tenant's API keys",
)
def list_api_keys(access: AccessDep, tenant_id: Holder, limit: Limit = 50, cursor: Cursor = None) -> ApiKeysAnswer:
    """Those that expired or were revoked too. A key itself is never shown."""
    holder = access.key_holder(tenant_id)
    return ApiKeysAnswer.of(access.services.api_keys.page(holder, limit=limit, cursor=cursor))


@router.delete(
    "/{key_id}",
    dependencies=[needs(Scope.KEYS_ADMIN, Tenancy.OWNED)],
    responses=errors(404, 409),
    summary="Revoke an API key",
)
def revoke_api_key(key_id: str, access: AccessDep) -> ApiKeyRevokedAnswer:
    """It is refused everywhere within five seconds. A key that is revoked already stays so. Refused (403) for a key
    that may do what the caller may not, and (409) for the last one that administers the platform."""
    key, now, store = access.api_key(key_id), stamp(datetime.now(UTC)), access.services.api_keys
    if key.key_id != access.caller.key_id:
        for scope in sorted(key.held - access.caller.scopes):
            raise MissingScope(scope=scope)
    remaining = None
    # Somebody who signs in with a token administers the platform without a key.
    if key.platform and Scope.KEYS_ADMIN in key.held and access.caller.key_id and key.revoked_at is None:
        remaining = remaining_administrator(key, store.administrators(), at=now)
        if remaining is None:
            raise Conflict(LAST_ADMINISTRATOR)
    event = key_event(key, "api_key.revoked", access.caller.origin, operation=uuid4().hex, at=now)
    revoked = store.revoke(key.tenant_id, key.key_id, event, remaining=remaining)
    return ApiKeyRevokedAnswer(key_id=revoked.key_id, revoked_at=revoked.revoked_at or now)


def _create(access: Access, body: CreateApiKeyRequest, operation: Operation) -> Reply:
    role, scopes = body.granted()
    holder, store = access.key_holder(body.tenant_id, making=True), access.services.api_keys
    if not access.caller.platform:
        body.refuse_long_life()
    text, key = new_key(
        holder,
        body.name,
        now=parse(operation.at),
        lifetime=timedelta(days=body.expires_in_days),
        role=role,
        scopes=scopes,
        key_id=operation.ids["key_id"],
    )
    for scope in sorted(key.held - access.caller.scopes):
        raise MissingScope(scope=scope)
    store.add(key, key_event(key, "api_key.created", access.caller.origin, operation=operation.id, at=operation.at))
    made = store.get(holder, key.key_id)
    # When an earlier try of this request made it, that one's text is gone, and ours opens nothing.
    shown = text if made.digest == key.digest else None
    answer = ApiKeyMadeAnswer(key_id=made.key_id, api_key=shown, prefix=made.prefix, expires_at=made.expires_at)
    return reply(201, answer, kept=answer.model_copy(update={"api_key": None}))
