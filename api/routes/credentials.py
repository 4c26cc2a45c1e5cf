"""Routes that hand in a credential: its shape is checked, it is sealed at once, and the workflow proves it."""

from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth.access import Access, Provider
from api.auth.permissions import Tenancy, needs, new_router
from api.http.errors import Reply
from api.http.idempotency import Once, Operation, once, reply
from api.http.openapi import PREFIX, Responses, refusing, request_body
from api.http.rate_limits import Per, RateLimiter, limiter_of
from api.onboarding_calls import OnboardingCalls
from api.probes import probe
from api.routes.audit import record
from api.routes.credential_schemas import (
    ValidateCredentialRequest,
    ValidatedAnswer,
    ValidateStackOutputsRequest,
    ValidatingAnswer,
)
from api.stack_outputs import StackOutputs, outputs_in
from domain.accounts import Account, OnboardingStatus, ProviderType
from domain.callers.access import Scope
from domain.errors import (
    AccountAlreadyOnboarded,
    CredentialRefused,
    InvalidInput,
    OnboardingClosed,
    OnboardingError,
    Problem,
    Unavailable,
)
from domain.onboarding.catalogue import parse_credential
from domain.onboarding.credentials import Credential, SealContext
from domain.onboarding.messages import Result, Submission, SubmissionOutcome
from domain.onboarding.validation import StepStatus

CLOUD_RETRY_SECONDS = 60

router = new_router("/onboarding", tag="onboarding")

RESPONSES: Responses = {
    **refusing(404, 409),
    202: {
        "model": ValidatingAnswer,
        "description": "Validation takes longer; follow `Location`.",
        "headers": {"Location": {"description": "The onboarding.", "schema": {"type": "string"}}},
    },
}


@dataclass(frozen=True, kw_only=True)
class Handover:
    """A credential as it was handed in."""

    provider: str
    account_id: str
    auth_method: str
    credentials: dict[str, object] = field(repr=False)
    just_created: bool
    outputs: StackOutputs | None = None
    """Where its fields are in the body; None when they are there as they are here."""


@router.post(
    "/{provider}/validate",
    dependencies=[needs(Scope.CREDENTIALS_WRITE, Tenancy.OWNED)],
    response_model=ValidatedAnswer,
    responses=RESPONSES,
    openapi_extra=request_body(ValidateCredentialRequest),
    summary="Hand in a credential",
)
async def validate_credential(
    request: Request,
    provider: Provider,
    posting: Annotated[Once[ValidateCredentialRequest], Depends(once(ValidateCredentialRequest))],
    dry_run: Annotated[bool, Query(description="Prove it and keep nothing.")] = False,
) -> Response:
    """Seals the credential, proves it and activates the account. A refusal (400) says what to put right; then hand it
    in again. When the proof takes long the answer is 202 and the outcome will be at `Location`. A dry run answers alike
    but stores nothing, counts as no attempt and never answers 202; there is a limit of them in a minute (429)."""

    async def effect(operation: Operation) -> Reply:
        body = posting.body
        given = Handover(
            provider=provider,
            account_id=body.account_id,
            auth_method=body.auth_method,
            credentials=body.credentials,
            just_created=body.just_created,
        )
        if dry_run:
            return await _try(posting.access, given, operation, limiter_of(request))
        return await _submit(posting.access, given, operation)

    return await posting.answer(effect)


@router.post(
    "/aws/validate-json",
    dependencies=[needs(Scope.CREDENTIALS_WRITE, Tenancy.OWNED)],
    response_model=ValidatedAnswer,
    responses=RESPONSES,
    openapi_extra=request_body(ValidateStackOutputsRequest),
    summary="Hand in a stack's outputs",
)
async def validate_stack_outputs(
    posting: Annotated[Once[ValidateStackOutputsRequest], Depends(once(ValidateStackOutputsRequest))],
) -> Response:
    """The same for an IAM role, from what the CloudFormation stack shows under Outputs."""

    async def effect(operation: Operation) -> Reply:
        body = posting.body
        outputs = outputs_in(body.onboarding_json)
        given = Handover(
            provider=ProviderType.AWS,
            account_id=body.account_id,
            auth_method="iam_role",
            credentials=outputs.fields,
            just_created=body.just_created,
            outputs=outputs,
        )
        return await _submit(posting.access, given, operation)

    return await posting.answer(effect)


async def _submit(access: Access, given: Handover, operation: Operation) -> Reply:
    account, submission = await run_in_threadpool(_sealed, access, given, operation)
    await _record(access, operation, account, "credential.submitted", given)
    calls = OnboardingCalls(access.services)
    update = await calls.submit(account, submission, update_id=operation.id)
    outcome = await calls.outcome(account, update)
    if outcome is None:
        location = f"{PREFIX}/onboarding/{account.account_id}"
        answer = ValidatingAnswer(account_id=account.account_id, onboarding_id=account.account_id)
        return reply(202, answer, {"Location": location})
    if outcome.result not in (Result.ACTIVE, Result.ACTIVE_LIMITED):
        raise _refusal(outcome)
    return reply(200, ValidatedAnswer.of(account.account_id, outcome))


async def _try(access: Access, given: Handover, operation: Operation, limiter: RateLimiter) -> Reply:
    account = await run_in_threadpool(access.account, given.account_id, given.provider)
    credential = _checked(access, account, given)
    given.credentials.clear()
    # Of the account's tenant, whoever asks: nothing of a dry run counts as an attempt, so nothing else bounds them.
    await limiter.admit(Per.DRY_RUNS, account.tenant_id)
    await _record(access, operation, account, "credential.probed", given)
    verdict = await probe(
        access.services, account, credential, operation_id=operation.id, just_created=given.just_created
    )
    if not verdict.accepted:
        raise CredentialRefused(problems=verdict.problems)
    return reply(200, ValidatedAnswer.tried(account.account_id, verdict))


async def _record(access: Access, operation: Operation, account: Account, action: str, given: Handover) -> None:
    await record(
        access,
        operation,
        tenant_id=account.tenant_id,
        action=action,
        target=f"account:{account.account_id}",
        details={"method": given.auth_method},
    )


def _sealed(access: Access, given: Handover, operation: Operation) -> tuple[Account, Submission]:
    """Raises NotFound, OnboardingClosed, InvalidInput. A repeat goes on even when the onboarding has ended: it may be
    this very request that ended it, and then the workflow still knows the outcome."""
    account = access.account(given.account_id, given.provider)
    if account.onboarding_status is not OnboardingStatus.IN_PROGRESS and not operation.repeated:
        raise OnboardingClosed
    credential = _checked(access, account, given)
    context = SealContext(account.tenant_id, account.account_id, operation.id)
    sealed = access.services.sealer.seal(credential, context)
    # The wait for the outcome can be long; the plaintext does not wait with us.
    given.credentials.clear()
    origin = access.caller.origin
    return account, Submission(operation.id, given.auth_method, sealed, origin, just_created=given.just_created)


def _checked(access: Access, account: Account, given: Handover) -> Credential:
    try:
        return _credential(access, account, given)
    except InvalidInput as error:
        if given.outputs is None:
            raise
        raise InvalidInput(
            problems=[replace(p, pointer=given.outputs.pointer(p.pointer)) for p in error.problems]
        ) from None


def _credential(access: Access, account: Account, given: Handover) -> Credential:
    method = access.services.catalogue.provider(account.provider_type).description.method(given.auth_method)
    credential = parse_credential(method, given.credentials)
    if credential.reveal("external_id") not in ("", account.external_id):
        message = "external_id is not the one made for this account; use that one, or leave it out."
        raise InvalidInput(problems=[Problem("external_id_mismatch", message, pointer="/credentials/external_id")])
    return credential


def _refusal(outcome: SubmissionOutcome) -> OnboardingError:
    """What a submission that did not make the account active is answered with."""
    match outcome.result:
        case Result.REFUSED:
            bad = (StepStatus.FAILED, StepStatus.WARNED)
            return CredentialRefused(outcome.message, [s.as_problem() for s in outcome.steps if s.status in bad])
        case Result.DUPLICATE:
            return AccountAlreadyOnboarded(outcome.message)
        case Result.PROVIDER_UNAVAILABLE:
            message = f"{outcome.message} Use a new Idempotency-Key then."
            return Unavailable(message, retry_after=CLOUD_RETRY_SECONDS)
        case _:
            return OnboardingClosed(outcome.message)
