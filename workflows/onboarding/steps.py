"""The steps of an onboarding as the workflow calls them: each with its activity id, summary, timeouts and retry policy,
so that the Web UI reads as a story and a runbook can name a step."""

from collections.abc import Awaitable

from temporalio import workflow
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from activities.accounts import (
        AccountActivities,
        ActivateAccount,
        Change,
        CloseAccount,
        RecordAttempt,
        RecordUndecided,
        RegisterAccount,
    )
    from activities.credentials import (
        CredentialActivities,
        DeleteCredential,
        PromoteCredential,
        StoreCredential,
        ValidateCredential,
    )
    from domain.accounts import Closure
    from domain.audit.events import Origin
    from domain.onboarding.credentials import CredentialRef
    from domain.onboarding.messages import OnboardRequest, Submission
    from domain.onboarding.validation import Verdict
    from domain.timestamps import stamp
    from workflows.policies import STORE_CALL, cloud_call

# A cancelled write is waited for, so that taking it back cannot overtake it.
_FINISHED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


def now() -> str:
    """The workflow's time as a stamp: the same when the workflow is replayed or a step repeated."""
    return stamp(workflow.now())


def register(request: OnboardRequest, expires_at: str) -> Awaitable[None]:
    return workflow.execute_activity_method(
        AccountActivities.register_account,
        RegisterAccount(request, at=now(), expires_at=expires_at),
        activity_id="register",
        summary="Write the account row",
        cancellation_type=_FINISHED,
        **STORE_CALL,
    )


def store(request: OnboardRequest, submission: Submission, number: int) -> Awaitable[CredentialRef]:
    step = StoreCredential(
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        submission_id=submission.submission_id,
        provider_type=request.provider_type,
        sealed=submission.sealed,
        at=now(),
    )
    return workflow.execute_activity_method(
        CredentialActivities.store_credential,
        step,
        activity_id=f"store-{number}",
        summary="Unseal the credential and store it in the vault",
        cancellation_type=_FINISHED,
        **STORE_CALL,
    )


def validate(
    request: OnboardRequest, submission: Submission, reference: CredentialRef, number: int
) -> Awaitable[Verdict]:
    step = ValidateCredential(
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        provider_type=request.provider_type,
        credential=reference,
        external_id=request.external_id,
        just_created=submission.just_created,
    )
    return workflow.execute_activity_method(
        CredentialActivities.validate_credential,
        step,
        activity_id=f"validate-{number}",
        summary=f"Prove the credential against {request.provider_type.value}",
        **cloud_call(request.provider_patience_seconds),
    )


def promote(request: OnboardRequest, reference: CredentialRef) -> Awaitable[CredentialRef]:
    return workflow.execute_activity_method(
        CredentialActivities.promote_credential,
        PromoteCredential(request.tenant_id, request.account_id, reference),
        summary="Make the accepted credential the current one",
        **STORE_CALL,
    )


def record_refusal(request: OnboardRequest, origin: Origin, verdict: Verdict, attempts: int) -> Awaitable[None]:
    return workflow.execute_activity_method(
        AccountActivities.record_attempt,
        RecordAttempt(_change(request, origin, f"attempt-{attempts}"), verdict, attempts),
        activity_id=f"refuse-{attempts}",
        summary=f"Record refused attempt {attempts} of {request.max_attempts}",
        **STORE_CALL,
    )


def record_undecided(request: OnboardRequest, submission: Submission, code: str, number: int) -> Awaitable[None]:
    return workflow.execute_activity_method(
        AccountActivities.record_undecided,
        RecordUndecided(_change(request, submission.origin, f"undecided-{number}"), code),
        activity_id=f"undecided-{number}",
        summary="Record that no verdict was possible",
        **STORE_CALL,
    )


def activate(
    request: OnboardRequest, submission: Submission, reference: CredentialRef, verdict: Verdict, attempts: int
) -> Awaitable[None]:
    change = _change(request, submission.origin, f"activate-{submission.submission_id}")
    return workflow.execute_activity_method(
        AccountActivities.activate_account,
        ActivateAccount(change, verdict, reference, attempts, request.provider_type),
        activity_id=f"activate-{attempts}",
        summary="Claim the cloud account and make it active",
        **STORE_CALL,
    )


def delete_credential(request: OnboardRequest) -> Awaitable[None]:
    return workflow.execute_activity_method(
        CredentialActivities.delete_credential,
        DeleteCredential(request.tenant_id, request.account_id),
        summary="Remove the credential that never became active",
        **STORE_CALL,
    )


def close(request: OnboardRequest, origin: Origin, closure: Closure, at: str) -> Awaitable[None]:
    return workflow.execute_activity_method(
        AccountActivities.close_account,
        CloseAccount(Change(request.tenant_id, request.account_id, origin, at, "close"), closure),
        summary="Close the account row with its reason",
        **STORE_CALL,
    )


def _change(request: OnboardRequest, origin: Origin, step: str) -> Change:
    return Change(request.tenant_id, request.account_id, origin, now(), step)
