"""A scan under test: the real workflows and activities on the real server, with fakes behind the ports."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from activities.engines import EngineActivities
from activities.notifications import NotificationActivities
from activities.obstacles import Obstacles
from activities.onboarding_upkeep import OnboardingUpkeep
from activities.scans import ScanActivities, ScanPorts
from activities.schedules import ScheduleActivities
from activities.upkeep import UpkeepActivities, UpkeepPorts
from domain.accounts import Account, Activation, ProviderType
from domain.audit.events import Origin, audit_event
from domain.onboarding.credentials import Credential, VaultEntry
from domain.scans.notifications import Channel, ChannelKind, NotificationSettings
from domain.scans.ports import RunningScans, Schedules
from domain.scans.scan import Execution, ScanOutcome, ScanRequest, TriggeredBy
from domain.schedules.schedule import Cadence, ChangeKind, ConvergeRequest, Schedule, ScheduleChange, ScheduleType
from temporal.schedules.running_scans import TemporalScans
from temporal.schedules.schedules import Generation, TemporalSchedules
from temporal.schedules.spec import Looseness
from temporal.worker import build_worker
from tests.fakes import FakeStores, FakeVault
from tests.fakes_clouds import ROLE_ARN, accepted
from tests.fakes_scans import FakeEngines, FakeNotifier, FakeScanStores, ScriptedEngine
from tests.patience import PATIENCE_SECONDS
from tests.rig import AT, ORIGIN, SIGNER, add_tenant
from workflows.ids import converge_id, onboarding_id, scan_id
from workflows.scans.run_scan import CANCEL, RunScan
from workflows.scans.scheduled_scan import ScanLimits, scheduled_scan
from workflows.schedules.converge_schedule import ConvergeSchedule
from workflows.search_attributes import SIGNED_MONTH, SPEC_VERSION, TENANT_ID, of_scan, of_schedule
from workflows.upkeep.reconcile import Reconcile

WORKFLOWS = [ConvergeSchedule, RunScan, Reconcile]
PAUSE_AFTER = 3
CATCH_UP = timedelta(hours=1)
DAILY = Cadence(ScheduleType.CRON, cron_expression="0 2 * * *")
WEBHOOK = Channel(ChannelKind.WEBHOOK, "https://hooks.example/scan")
Run = WorkflowHandle[RunScan, ScanOutcome]


@dataclass
class ScanRig:
    """One tenant with one active account, one worker on a queue of its own, and real Temporal Schedules."""

    client: Client
    stores: FakeStores = field(default_factory=FakeStores)
    engines: FakeEngines = field(default_factory=lambda: FakeEngines(inside=ScriptedEngine()))
    notifier: FakeNotifier = field(default_factory=FakeNotifier)
    webhooks: FakeVault = field(default_factory=FakeVault)
    tenant_id: str = field(default_factory=lambda: str(uuid4()))
    queue: str = field(default_factory=lambda: f"test-{uuid4()}")
    account: Account = field(init=False)
    scans: FakeScanStores = field(init=False)

    def __post_init__(self) -> None:
        add_tenant(self.stores, self.tenant_id)
        self.scans = FakeScanStores(self.stores.ledger, self.stores.accounts)
        self.account = self.active_account()

    def active_account(self, number: str | None = None) -> Account:
        account_id = self.pending_account().account_id
        entry = VaultEntry(
            tenant_id=self.tenant_id,
            account_id=account_id,
            submission_id="first",
            provider_type="aws",
            credential=Credential("aws_iam_role", {"role_arn": ROLE_ARN}),
            created_at=AT,
        )
        verdict = replace(accepted(), account_number=number or account_id)
        activation = Activation(verdict, self.stores.vault.store(entry), 1, ProviderType.AWS)
        event = self._event("account.activated", account_id)
        self.stores.accounts.activate(self.tenant_id, account_id, activation, event)
        return self.stores.accounts.get(self.tenant_id, account_id)

    def pending_account(self) -> Account:
        """Of an onboarding that is under way."""
        account = Account(
            account_id=str(uuid4()),
            tenant_id=self.tenant_id,
            provider_type=ProviderType.AWS,
            account_name="Production",
            auth_method="iam_role",
            external_id="te-0123456789abcdef0123456789abcdef",
            created_at=AT,
            updated_at=AT,
            expires_at=AT,
        )
        self.stores.accounts.register(account, self._event("account.registered", account.account_id))
        return account

    @asynccontextmanager
    async def worker(self, *, max_cached_workflows: int = 1000) -> AsyncIterator[None]:
        with ThreadPoolExecutor(16) as executor:
            worker = build_worker(
                self.client,
                queue=self.queue,
                workflows=WORKFLOWS,
                activities=self.activities(),
                executor=executor,
                concurrency=16,
                max_cached_workflows=max_cached_workflows,
            )
            async with worker:
                yield
                for engine in (self.engines.inside, self.engines.elsewhere):
                    if engine is not None and engine.hold is not None:
                        engine.hold.set()

    def activities(self) -> list[Any]:
        stores, scans, runs, temporal = self.stores, self.scans, self.runs(), self.temporal()
        ports = ScanPorts(
            scans.schedules, scans.executions, stores.tenants, stores.accounts, stores.audit, self.engines, runs
        )
        upkeep = self.upkeep()
        return [
            *ScheduleActivities(scans.schedules, temporal, self.webhooks, stores.sealer).all(),
            *ScanActivities(ports, pause_after=PAUSE_AFTER).all(),
            *EngineActivities(self.engines, stores.vault, scans.results, scans.executions).all(),
            *NotificationActivities(
                {ChannelKind.WEBHOOK: self.notifier, ChannelKind.SNS: self.notifier},
                self.webhooks,
                stores.sealer,
                stores.accounts,
            ).all(),
            *UpkeepActivities(upkeep, pause_after=PAUSE_AFTER, catch_up=CATCH_UP).all(),
            *OnboardingUpkeep(stores.accounts, stores.vault, runs, onboarding_id).all(),
        ]

    def upkeep(self) -> UpkeepPorts:
        obstacles = Obstacles(self.stores.tenants, self.stores.accounts, self.engines)
        schedules, executions = self.scans.schedules, self.scans.executions
        return UpkeepPorts(
            schedules, executions, self.temporal(), self.runs(), self.webhooks, obstacles, self.stores.sealer
        )

    def temporal(self, client: Client | None = None, *, signed: bool = True) -> Schedules:
        return TemporalSchedules(
            client or self.client,
            asyncio.get_running_loop(),
            action=self._action,
            attributes=of_schedule,
            tenant=TENANT_ID,
            version=SPEC_VERSION,
            looseness=Looseness(jitter=timedelta(0), catch_up=CATCH_UP),
            generation=Generation(SIGNED_MONTH, lambda: SIGNER.generation) if signed else None,
        )

    def runs(self) -> RunningScans:
        return TemporalScans(self.client, asyncio.get_running_loop(), cancel_update=CANCEL)

    def schedule(self, **changes: Any) -> Schedule:
        schedule = Schedule(
            schedule_id=str(uuid4()),
            tenant_id=self.tenant_id,
            account_id=self.account.account_id,
            provider_type=ProviderType.AWS,
            name="Nightly",
            cadence=DAILY,
            created_at=AT,
            updated_at=AT,
            created_by="key:test",
            notifications=NotificationSettings(on_success=True, on_failure=True, channels=(WEBHOOK,)),
        )
        return replace(schedule, **changes)

    def stored(self, **changes: Any) -> Schedule:
        """A schedule with a row, and without a Temporal Schedule."""
        schedule = self.schedule(**changes)
        return self.scans.schedules.create(schedule, self._event("schedule.created", schedule.schedule_id))

    async def change(self, kind: ChangeKind, schedule: Schedule, **more: Any) -> Schedule:
        """What the API does: start the workflow, or find it, with the change."""
        change = ScheduleChange(kind, schedule, ORIGIN, change_id=more.pop("change_id", str(uuid4())), at=AT, **more)
        start = WithStartWorkflowOperation(
            ConvergeSchedule.run,
            ConvergeRequest(schedule.tenant_id, schedule.schedule_id),
            id=converge_id(schedule.tenant_id, schedule.schedule_id),
            task_queue=self.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=of_schedule(schedule),
        )
        return await self.client.execute_update_with_start_workflow(
            ConvergeSchedule.apply, change, start_workflow_operation=start, id=change.change_id
        )

    async def trigger(self, schedule: Schedule, **changes: Any) -> Run:
        execution_id = str(uuid4())
        request = ScanRequest(
            tenant_id=schedule.tenant_id,
            schedule_id=schedule.schedule_id,
            origin=ORIGIN,
            triggered_by=TriggeredBy.API,
            execution_id=execution_id,
            max_seconds=PATIENCE_SECONDS,
            poll_seconds=1,
            converge_queue=self.queue,
        )
        return await self.client.start_workflow(
            RunScan.run,
            replace(request, **changes),
            id=scan_id(schedule.tenant_id, execution_id),
            task_queue=self.queue,
            search_attributes=of_scan(schedule),
        )

    def execution(self, run: Run) -> Execution:
        return self.scans.executions.get(self.tenant_id, run.id.rsplit(":", 1)[1])

    def row(self, schedule: Schedule) -> Schedule:
        return self.scans.schedules.get(schedule.tenant_id, schedule.schedule_id)

    def _action(self, schedule: Schedule) -> Any:
        action = scheduled_scan(schedule, ScanLimits(max_seconds=PATIENCE_SECONDS, poll_seconds=1))
        action.task_queue = self.queue
        action.args = [replace(cast(ScanRequest, action.args[0]), converge_queue=self.queue)]
        return action

    def _event(self, action: str, target: str) -> Any:
        return audit_event(
            Origin("key:test", "request-1"),
            operation=str(uuid4()),
            tenant_id=self.tenant_id,
            action=action,
            target=target,
            at=AT,
        )
