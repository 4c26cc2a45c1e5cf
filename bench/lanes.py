"""The three ways to onboard that are compared. Each starts a workflow, waits until it is registered, hands a sealed
credential in, and waits until the account is active: the calls that the API makes, without HTTP."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateStage
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from api.onboarding_calls import OnboardingCalls
from bench.noop import QUEUE, NoOp
from bench.ports import EXTERNAL_ID, SEALED_CHARACTERS, AssumedAccounts
from domain.accounts import ProviderType
from domain.audit.events import Origin
from domain.onboarding.credentials import Credential, SealContext
from domain.onboarding.messages import OnboardRequest, Result, Submission
from domain.ports import CredentialSealer

ORIGIN = Origin("key:bench", "bench")


class Lane(Protocol):
    """One way to onboard."""

    name: str

    async def onboard(self) -> float:
        """One account from nothing to active. Returns the seconds from handing the credential in to being active."""


@dataclass
class NoOpLane:
    """(a) The engine's limit."""

    client: Client
    name: str = "(a) no-op"
    queue: str = QUEUE

    async def onboard(self) -> float:
        request = request_of(str(uuid4()))
        workflow_id = f"{self.queue}:{request.account_id}"
        start = WithStartWorkflowOperation(
            NoOp.run,
            request,
            id=workflow_id,
            task_queue=self.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        await self.client.execute_update_with_start_workflow(
            NoOp.registered, request.account_id, start_workflow_operation=start, id=uuid4().hex
        )
        began = time.perf_counter()
        update = await self.client.get_workflow_handle(workflow_id).start_update(
            NoOp.submit_credential,
            Submission(uuid4().hex, "iam_role", "-" * SEALED_CHARACTERS, ORIGIN),
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            id=uuid4().hex,
        )
        await update.result()
        return time.perf_counter() - began


@dataclass
class OurLane:
    """(b) and (c): our workflow, through the API's own calls. `tenant` gives the tenant of the next account."""

    name: str
    calls: OnboardingCalls
    sealer: CredentialSealer
    credential: Credential
    tenant: Callable[[], str]
    external_id: str = EXTERNAL_ID
    accounts: AssumedAccounts = field(default_factory=lambda: AssumedAccounts(""))

    async def onboard(self) -> float:
        request = request_of(self.tenant(), external_id=self.external_id)
        await self.calls.register(request, uuid4().hex)
        submission = await asyncio.to_thread(self._sealed, request)
        account = self.accounts.get(request.tenant_id, request.account_id)
        began = time.perf_counter()
        update = await self.calls.submit(account, submission, update_id=submission.submission_id)
        outcome = await self.calls.outcome(account, update)
        if outcome is None or outcome.result is not Result.ACTIVE:
            raise RuntimeError(f"An account did not become active: {outcome.result if outcome else 'timed out'}.")
        return time.perf_counter() - began

    def _sealed(self, request: OnboardRequest) -> Submission:
        submission_id = uuid4().hex
        context = SealContext(request.tenant_id, request.account_id, submission_id)
        return Submission(submission_id, request.auth_method, self.sealer.seal(self.credential, context), ORIGIN)


def request_of(tenant_id: str, *, external_id: str = EXTERNAL_ID) -> OnboardRequest:
    """A fresh account of the tenant."""
    return OnboardRequest(
        tenant_id=tenant_id,
        account_id=str(uuid4()),
        account_name="Production",
        provider_type=ProviderType.AWS,
        auth_method="iam_role",
        external_id=external_id,
        origin=ORIGIN,
    )
