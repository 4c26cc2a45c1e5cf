"""An onboarding under test: the real workflow and activities on the real server, with fakes behind the ports."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.accounts import AccountActivities
from activities.credentials import CredentialActivities
from activities.failures import as_failure
from domain.accounts import Account, ProviderType
from domain.audit.events import Origin, audit_event
from domain.callers.tenants import Tenant
from domain.errors import OnboardingError
from domain.onboarding.credentials import Credential, SealContext
from domain.onboarding.messages import Cancellation, OnboardingView, OnboardRequest, Submission, SubmissionOutcome
from domain.onboarding.validation import Verdict
from temporal.client import plugin
from temporal.signing.signatures import Signer
from temporal.worker import build_worker
from tests.fakes import FakeCommandKeys, FakeStores
from tests.fakes_clouds import ROLE_ARN, FakeCatalogue, ScriptedProvider
from tests.patience import PATIENCE_SECONDS
from workflows.ids import onboarding_id
from workflows.onboarding.onboard_account import OnboardAccount
from workflows.onboarding.probe_credential import ProbeCredential
from workflows.search_attributes import of_onboarding

AT = "2026-01-01T00:00:00.000Z"
ORIGIN = Origin("key:test", "request-1")
SIGNER = Signer(FakeCommandKeys(), key_name="alias/test-commands")
PLUGIN = plugin(as_failure, signer=SIGNER)
Onboarding = WorkflowHandle[OnboardAccount, OnboardingView]


class Held:
    """A port of which one method waits until it is let go: the moment between two steps, held still."""

    def __init__(self, target: Any, method: str) -> None:
        self._target, self._method = target, method
        self.reached, self._released = threading.Event(), threading.Event()

    def let_go(self) -> None:
        self._released.set()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if name != self._method:
            return attribute

        def held(*args: Any, **kwargs: Any) -> Any:
            self.reached.set()
            self._released.wait(PATIENCE_SECONDS)
            return attribute(*args, **kwargs)

        return held


@dataclass
class Rig:
    """One tenant, one worker on a queue of its own, and what a portal would do."""

    client: Client
    stores: FakeStores = field(default_factory=FakeStores)
    provider: Any = field(default_factory=ScriptedProvider)
    """A scripted one, unless a test brings a real one."""
    tenant_id: str = field(default_factory=lambda: str(uuid4()))
    queue: str = field(default_factory=lambda: f"test-{uuid4()}")
    held: Held | None = None
    held_port: str = ""

    def __post_init__(self) -> None:
        add_tenant(self.stores, self.tenant_id)

    def hold(self, port: str, method: str) -> Held:
        """Hold `method` of the port of that name: accounts, vault or provider."""
        target = self.provider if port == "provider" else getattr(self.stores, port)
        self.held, self.held_port = Held(target, method), port
        return self.held

    @asynccontextmanager
    async def worker(self, *, max_cached_workflows: int = 1000) -> AsyncIterator[None]:
        provider = self._port("provider", self.provider)
        accounts = AccountActivities(self._port("accounts", self.stores.accounts), self.stores.audit)
        catalogue = FakeCatalogue({self.provider.description.provider_type: provider})
        vault, sealer = self._port("vault", self.stores.vault), self.stores.sealer
        credentials = CredentialActivities(vault, sealer, catalogue, self.stores.accounts)
        with ThreadPoolExecutor(8) as executor, self._letting_go():
            worker = build_worker(
                self.client,
                queue=self.queue,
                workflows=[OnboardAccount, ProbeCredential],
                activities=[*accounts.all(), *credentials.all()],
                executor=executor,
                concurrency=8,
                max_cached_workflows=max_cached_workflows,
            )
            async with worker:
                yield

    def request(self, **changes: Any) -> OnboardRequest:
        request = OnboardRequest(
            tenant_id=self.tenant_id,
            account_id=str(uuid4()),
            account_name="Production",
            provider_type=ProviderType.AWS,
            auth_method="iam_role",
            external_id="te-0123456789abcdef0123456789abcdef",
            origin=ORIGIN,
            late_write_seconds=1,
        )
        return replace(request, **changes)

    async def start(self, request: OnboardRequest | None = None, *, workflow_id: str | None = None) -> Onboarding:
        request = request or self.request()
        return await self.client.start_workflow(
            OnboardAccount.run,
            request,
            id=workflow_id or onboarding_id(request.tenant_id, request.account_id),
            task_queue=self.queue,
            search_attributes=of_onboarding(request),
        )

    def submission(self, account_id: str, **changes: Any) -> Submission:
        submission_id = str(uuid4())
        credential = Credential("aws_iam_role", {"role_arn": ROLE_ARN})
        sealed = self.stores.sealer.seal(credential, SealContext(self.tenant_id, account_id, submission_id))
        return replace(Submission(submission_id, "iam_role", sealed, ORIGIN), **changes)

    async def submit(self, onboarding: Onboarding, **changes: Any) -> SubmissionOutcome:
        submission = self.submission(account_of(onboarding), **changes)
        return await onboarding.execute_update(OnboardAccount.submit_credential, submission)

    async def cancel(self, onboarding: Onboarding) -> None:
        await onboarding.execute_update(OnboardAccount.cancel, Cancellation(ORIGIN, "changed our mind"))

    def account(self, onboarding: Onboarding) -> Account:
        return self.stores.accounts.get(self.tenant_id, account_of(onboarding))

    def actions(self) -> list[str]:
        """What the audit trail of the tenant says, in its order."""
        return [event.action for event in self.stores.ledger.of(self.tenant_id)]

    def script(self, *answers: Verdict | OnboardingError) -> None:
        self.provider.script.extend(answers)

    def _port(self, name: str, port: Any) -> Any:
        return self.held if self.held_port == name else port

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self.held is not None:
                self.held.let_go()


def add_tenant(stores: FakeStores, tenant_id: str) -> None:
    event = audit_event(
        ORIGIN, operation="test", tenant_id=tenant_id, action="tenant.created", target=f"tenant:{tenant_id}", at=AT
    )
    stores.tenants.create(Tenant(tenant_id, f"Tenant {tenant_id}", AT, AT), event)


def account_of(onboarding: Onboarding) -> str:
    return onboarding.id.rsplit(":", 1)[1]


def code_of(error: WorkflowUpdateFailedError) -> str | None:
    """The domain code that an update was refused or failed with."""
    cause = error.cause
    return cause.type if isinstance(cause, ApplicationError) else None


async def until_set(event: threading.Event) -> None:
    """Wait for what another thread says."""
    assert await asyncio.to_thread(event.wait, PATIENCE_SECONDS)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition of the server holds; visibility and histories follow a moment after the fact."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.02)
