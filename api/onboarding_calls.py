"""The API's calls of the onboarding workflow. Each is bounded in time, and its errors come out as the domain's.

An update that no worker has accepted does not survive the server, so one that is not accepted in time promises nothing:
`Unavailable`, and the caller repeats.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.common import Priority, QueryRejectCondition, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, TemporalError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.services import Services
from domain.accounts import Account, OnboardingStatus
from domain.errors import OnboardingClosed, OnboardingError, Unavailable, error_of
from domain.onboarding.messages import (
    Cancellation,
    OnboardingView,
    OnboardRequest,
    Registered,
    Submission,
    SubmissionOutcome,
)
from workflows.ids import ONBOARDING_PRIORITY, onboarding_id
from workflows.onboarding.onboard_account import OnboardAccount
from workflows.search_attributes import of_onboarding

NOT_NOW = "Nobody can take this over now. Repeat the request, with its Idempotency-Key if it had one."

# A lazy client that cannot connect raises RuntimeError.
UNREACHABLE = (TemporalError, TimeoutError, RuntimeError)

Onboarding = WorkflowHandle[OnboardAccount, OnboardingView]


class Gone(Exception):
    """There is no such workflow, or it ended with the update unanswered."""


@dataclass(frozen=True)
class OnboardingCalls:
    """Starts an onboarding, speaks to it and asks it."""

    services: Services

    async def register(self, request: OnboardRequest, update_id: str) -> Registered:
        """Start the onboarding, or find it, and wait for its row. Raises Unavailable, OnboardingClosed, and what the
        registration raises."""
        start = self._start(request)
        try:
            async with bounded(self.services.limits.accept_wait_seconds):
                return await self._registered(start, request.account_id, update_id)
        except Gone:
            raise OnboardingClosed from None

    async def submit(
        self, account: Account, submission: Submission, *, update_id: str
    ) -> WorkflowUpdateHandle[SubmissionOutcome]:
        """Hand a credential in, until it is accepted. Raises Unavailable, SubmissionInProgress, OnboardingClosed."""
        async with self._speaking_of(account):
            return await self._handle(account).start_update(
                OnboardAccount.submit_credential,
                submission,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                id=update_id,
            )

    async def outcome(
        self, account: Account, update: WorkflowUpdateHandle[SubmissionOutcome]
    ) -> SubmissionOutcome | None:
        """The outcome of an accepted submission, None when it takes longer than the limit: it goes on all the same."""
        with suppress(Unavailable):
            async with self._speaking_of(account, self.services.limits.validate_wait_seconds):
                return await update.result()
        return None

    async def cancel(self, account: Account, cancellation: Cancellation, *, update_id: str) -> None:
        """End the onboarding. Raises Unavailable, OnboardingClosed."""
        async with self._speaking_of(account):
            await self._handle(account).execute_update(OnboardAccount.cancel, cancellation, id=update_id)

    async def view(self, account: Account) -> OnboardingView | None:
        """The live state, None when it cannot be had now."""
        with suppress(Unavailable, Gone):
            async with bounded(self.services.limits.query_wait_seconds):
                return await self._handle(account).query(
                    OnboardAccount.view, reject_condition=QueryRejectCondition.NOT_OPEN
                )
        return None

    @asynccontextmanager
    async def _speaking_of(self, account: Account, seconds: float | None = None) -> AsyncIterator[None]:
        """For a workflow that is gone the row says whether the onboarding was closed properly."""
        try:
            async with bounded(seconds or self.services.limits.accept_wait_seconds):
                yield
        except Gone:
            accounts = self.services.accounts
            row = await run_in_threadpool(accounts.get, account.tenant_id, account.account_id)
            open_still = row.onboarding_status is OnboardingStatus.IN_PROGRESS
            raise (Unavailable(NOT_NOW) if open_still else OnboardingClosed()) from None

    def _handle(self, account: Account) -> Onboarding:
        workflow_id = onboarding_id(account.tenant_id, account.account_id)
        return self.services.temporal.get_workflow_handle_for(OnboardAccount.run, workflow_id)

    def _start(self, request: OnboardRequest) -> WithStartWorkflowOperation[OnboardAccount, OnboardingView]:
        return WithStartWorkflowOperation(
            OnboardAccount.run,
            request,
            id=onboarding_id(request.tenant_id, request.account_id),
            task_queue=self.services.onboarding_queue,
            # A repeat finds what the first request started, and an onboarding that has ended never runs again.
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=of_onboarding(request),
            priority=Priority(priority_key=ONBOARDING_PRIORITY, fairness_key=request.tenant_id),
            static_summary=f"Onboard {request.provider_type.value} account {request.account_id}",
        )

    async def _registered(
        self, start: WithStartWorkflowOperation[OnboardAccount, OnboardingView], account_id: str, update_id: str
    ) -> Registered:
        try:
            return await self.services.temporal.execute_update_with_start_workflow(
                OnboardAccount.registered, account_id, start_workflow_operation=start, id=update_id
            )
        except (RPCError, RPCTimeoutOrCancelledError, WorkflowAlreadyStartedError) as error:
            # The operation's own future has failed too, and nobody else looks at it.
            with suppress(type(error)):
                await start.workflow_handle()
            raise


@asynccontextmanager
async def bounded(seconds: float) -> AsyncIterator[None]:
    """The SDK turns the cancellation of a call into an error of its own, so a time that is up has two names."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except WorkflowUpdateFailedError as failed:
        raise _meant(failed.cause) from None
    except RPCError as error:
        raise (Gone() if error.status is RPCStatusCode.NOT_FOUND else Unavailable(NOT_NOW)) from None
    except WorkflowAlreadyStartedError:
        raise Gone from None
    except ApplicationError as error:
        # An answer that did not convert: a stranger gave it.
        raise error_of(error.type, error.message) from None
    except UNREACHABLE:
        raise Unavailable(NOT_NOW) from None


def _meant(cause: BaseException) -> OnboardingError | Gone:
    """The error that a validator or a handler raised, by its code."""
    if not isinstance(cause, ApplicationError) or cause.type == "AcceptedUpdateCompletedWorkflow":
        return Gone()
    return error_of(cause.type, cause.message)
