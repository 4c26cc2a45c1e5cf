"""Routes of an onboarding: start it, look at it, end it."""

import secrets
from functools import partial
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Response
from starlette.concurrency import run_in_threadpool

from api.auth.access import AccessDep, Provider
from api.auth.permissions import Tenancy, needs, new_router
from api.http.errors import Reply
from api.http.idempotency import Once, Operation, once, reply
from api.http.openapi import errors, posted, request_body
from api.onboarding_calls import OnboardingCalls
from api.routes.audit import record
from api.routes.onboarding_schemas import (
    CancelAnswer,
    CancelOnboardingRequest,
    InitAnswer,
    OnboardingAnswer,
    StartOnboardingRequest,
)
from api.routes.template_address import template_address
from domain.accounts import OnboardingStatus, ProviderType
from domain.callers.access import Scope
from domain.onboarding.catalogue import AuthMethod, SetupRequest
from domain.onboarding.messages import Cancellation, OnboardRequest
from domain.ports import CloudProvider

router = new_router("/onboarding", tag="onboarding")


@router.post(
    "/{provider}/init",
    dependencies=[needs(Scope.ACCOUNTS_WRITE, Tenancy.NAMED)],
    status_code=201,
    response_model=InitAnswer,
    responses=posted(404, 409),
    openapi_extra=request_body(StartOnboardingRequest),
    summary="Start onboarding an account",
)
async def start_onboarding(
    provider: Provider, posting: Annotated[Once[StartOnboardingRequest], Depends(once(StartOnboardingRequest))]
) -> Response:
    """Registers the account and waits for its credential. The same Idempotency-Key gives the same ids again."""

    async def effect(operation: Operation) -> Reply:
        cloud, method = await run_in_threadpool(_check, posting, provider)
        request = _request(posting, operation, method=method, provider=cloud.description.provider_type)
        started = await OnboardingCalls(posting.access.services).register(request, operation.id)
        setup = cloud.setup(SetupRequest(started.external_id, request.account_name, method.method, request.account_id))
        url = template_address(posting.access.services, method, setup, started.external_id)
        return reply(201, InitAnswer.of(request, method, started=started, setup=setup, template_url=url))

    return await posting.answer(effect, account_id=str(uuid4()), external_id=f"te-{secrets.token_hex(16)}")


@router.get(
    "/{onboarding_id}",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.OWNED)],
    response_model=OnboardingAnswer,
    responses=errors(404),
    summary="Where it is",
)
async def get_onboarding(onboarding_id: str, access: AccessDep) -> OnboardingAnswer:
    """The live state of a running onboarding, or how one ended. `onboarding_id` is the account's id."""
    account = await run_in_threadpool(partial(access.account, onboarding_id, thing="onboarding"))
    if account.onboarding_status is OnboardingStatus.IN_PROGRESS:
        view = await OnboardingCalls(access.services).view(account)
        if view is not None:
            return OnboardingAnswer.running(account, view)
    return OnboardingAnswer.stored(account)


@router.post(
    "/{onboarding_id}/cancel",
    dependencies=[needs(Scope.ACCOUNTS_WRITE, Tenancy.OWNED)],
    status_code=202,
    response_model=CancelAnswer,
    responses=posted(404, 409),
    openapi_extra=request_body(CancelOnboardingRequest, optional=True),
    summary="End it",
)
async def cancel_onboarding(
    onboarding_id: str,
    posting: Annotated[Once[CancelOnboardingRequest], Depends(once(CancelOnboardingRequest, optional=True))],
) -> Response:
    """Ends an onboarding and removes what it stored. Refused once the account is active or becoming so."""

    async def effect(operation: Operation) -> Reply:
        access = posting.access
        account = await run_in_threadpool(partial(access.account, onboarding_id, thing="onboarding"))
        target = f"account:{account.account_id}"
        await record(access, operation, tenant_id=account.tenant_id, action="cancellation.requested", target=target)
        message = Cancellation(access.caller.origin, posting.body.reason or "")
        await OnboardingCalls(access.services).cancel(account, message, update_id=operation.id)
        return reply(202, CancelAnswer(onboarding_id=account.account_id, account_id=account.account_id))

    return await posting.answer(effect)


def _check(posting: Once[StartOnboardingRequest], provider: str) -> tuple[CloudProvider, AuthMethod]:
    """The cloud and the method asked for. Raises NotFound, TenantDisabled, InvalidInput."""
    posting.access.active_tenant(posting.body.tenant_id)
    cloud = posting.access.services.catalogue.provider(provider)
    return cloud, cloud.description.method(posting.body.auth_method)


def _request(
    posting: Once[StartOnboardingRequest], operation: Operation, *, method: AuthMethod, provider: ProviderType
) -> OnboardRequest:
    limits = posting.access.services.limits
    return OnboardRequest(
        tenant_id=posting.body.tenant_id,
        account_id=operation.ids["account_id"],
        account_name=posting.body.account_name,
        provider_type=provider,
        auth_method=method.method,
        external_id=operation.ids["external_id"],
        origin=posting.access.caller.origin,
        deadline_seconds=limits.deadline_seconds,
        max_attempts=limits.max_attempts,
        provider_patience_seconds=limits.provider_patience_seconds,
        late_write_seconds=limits.late_write_seconds,
    )
