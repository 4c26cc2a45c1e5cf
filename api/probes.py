"""A dry run of a submission: sealed, proved by a worker, forgotten."""

from datetime import UTC, datetime, timedelta

from starlette.concurrency import run_in_threadpool
from temporalio.client import WorkflowFailureError
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from api.onboarding_calls import bounded
from api.services import Services
from domain.accounts import Account
from domain.errors import Internal, Unavailable, error_of
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from domain.onboarding.dry_run import ProbeRequest
from domain.onboarding.validation import Verdict
from domain.timestamps import stamp
from workflows.ids import ONBOARDING_PRIORITY, probe_id
from workflows.onboarding.probe_credential import ProbeCredential
from workflows.search_attributes import of_probe

TOO_LONG = "The cloud, or a worker, did not answer in time. Nothing was stored; repeat the dry run later."


async def probe(
    services: Services, account: Account, credential: Credential, *, operation_id: str, just_created: bool
) -> Verdict:
    """Raises Unavailable when there is no verdict in time, and other trouble on the way."""
    context = SealContext(account.tenant_id, account.account_id, operation_id, SealPurpose.PROBE)
    patience = services.limits.validate_wait_seconds
    request = ProbeRequest(
        tenant_id=account.tenant_id,
        account_id=account.account_id,
        probe_id=operation_id,
        provider_type=account.provider_type,
        sealed=await run_in_threadpool(services.sealer.seal, credential, context),
        external_id=account.external_id,
        patience_seconds=max(1, round(patience)),
        account_number=account.account_number,
        just_created=just_created,
        at=stamp(datetime.now(UTC)),
    )
    try:
        async with bounded(patience):
            return await _result(services, request)
    except WorkflowFailureError as failed:
        raise _cause(failed) from None


async def _result(services: Services, request: ProbeRequest) -> Verdict:
    """A repeat of a request finds the probe that the first one started."""
    workflow_id = probe_id(request.tenant_id, request.probe_id)
    try:
        handle = await services.temporal.start_workflow(
            ProbeCredential.run,
            request,
            id=workflow_id,
            task_queue=services.onboarding_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=of_probe(request),
            priority=Priority(priority_key=ONBOARDING_PRIORITY, fairness_key=request.tenant_id),
            # Nobody waits for a verdict that comes later.
            execution_timeout=timedelta(seconds=request.patience_seconds),
            static_summary=f"Try a credential of {request.provider_type.value} account {request.account_id}",
        )
    except WorkflowAlreadyStartedError:
        handle = services.temporal.get_workflow_handle_for(ProbeCredential.run, workflow_id)
    return await handle.result()


def _cause(failed: WorkflowFailureError) -> Exception:
    if isinstance(failed.cause, ApplicationError):
        known = error_of(failed.cause.type, failed.cause.message)
        return known if not isinstance(known, Internal) else Unavailable(TOO_LONG)
    return Unavailable(TOO_LONG)
