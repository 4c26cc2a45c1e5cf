"""Ports of schedules and scans in memory: whatever schedule is asked for exists, every account is active, and a scan
takes as long as it is told to. What they keep is the claim of a run that is under way."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import NAMESPACE_OID, uuid5

from bench.ports import AT, AssumedAccounts
from domain.accounts import Account, AccountStatus, ProviderType
from domain.audit.events import AuditEvent
from domain.callers.tenants import Tenant
from domain.errors import NotFound, ScanRunning
from domain.onboarding.credentials import Credential, CredentialRef, VaultEntry
from domain.pages import Page
from domain.scans.notifications import Delivery
from domain.scans.scan import Counts, Execution, Finding, ScanEnd, ScanOrder, ScanResult, StoredResult, TriggeredBy
from domain.schedules.schedule import Cadence, Schedule, ScheduleStatus, ScheduleType, Skip
from tests.fakes_clouds import ROLE_ARN
from tests.fakes_scans import FOUND

YEARLY = Cadence(ScheduleType.CRON, cron_expression="0 0 1 1 *")


def schedule_of(tenant_id: str, schedule_id: str, cadence: Cadence = YEARLY) -> Schedule:
    """The one schedule of an account of its own."""
    return Schedule(
        schedule_id=schedule_id,
        tenant_id=tenant_id,
        account_id=str(uuid5(NAMESPACE_OID, schedule_id)),
        provider_type=ProviderType.AWS,
        name="Nightly",
        cadence=cadence,
        created_at=AT,
        updated_at=AT,
        created_by="key:bench",
    )


class ActiveAccounts(AssumedAccounts):
    """Each with its credential by reference."""

    def get(self, tenant_id: str, account_id: str) -> Account:
        reference = CredentialRef(f"arn:aws:secretsmanager:ap-south-1:111122223333:secret:{account_id}", account_id)
        account = super().get(tenant_id, account_id)
        return replace(account, status=AccountStatus.ACTIVE, account_number="222222222222", credential=reference)


class ActiveTenants:
    def get(self, tenant_id: str) -> Tenant:
        return Tenant(tenant_id, "Bench", AT, AT)

    def create(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        raise NotImplementedError

    def update(self, tenant: Tenant, event: AuditEvent) -> Tenant:
        raise NotImplementedError

    def page(self, *, limit: int, cursor: str | None) -> Page[Tenant]:
        raise NotImplementedError


AT_ANY_TIME = Cadence(ScheduleType.INTERVAL, interval_seconds=1)
"""The worker does not know when the bed lets a schedule fire, and a firing that does not fit its row is not let in."""


class AssumedSchedules:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, Schedule] = {}
        self._held: dict[str, str] = {}

    def create(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        self._made[schedule.schedule_id] = schedule
        return schedule

    def close_channels(self, schedule: Schedule, event: AuditEvent) -> None:
        """There are none."""

    def get(self, tenant_id: str, schedule_id: str) -> Schedule:
        row = self._made.get(schedule_id) or schedule_of(tenant_id, schedule_id, AT_ANY_TIME)
        return replace(row, running_execution_id=self._held.get(schedule_id))

    def tenant_of(self, schedule_id: str) -> str:
        raise NotFound

    def replace(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        return self.create(schedule, event)

    def delete(self, tenant_id: str, schedule_id: str, event: AuditEvent) -> None:
        self._made.pop(schedule_id, None)

    def note_skip(self, schedule: Schedule, skip: Skip, event: AuditEvent) -> None:
        raise NotImplementedError

    def claim(self, schedule: Schedule, execution: Execution, event: AuditEvent, *, stale: str | None = None) -> None:
        with self._lock:
            holder = self._held.setdefault(schedule.schedule_id, execution.execution_id)
        if holder != execution.execution_id:
            raise ScanRunning(execution_id=holder)

    def release(self, execution: Execution, end: ScanEnd, event: AuditEvent, *, pause_after: int) -> Schedule | None:
        with self._lock:
            self._held.pop(execution.schedule_id, None)
        return self.get(execution.tenant_id, execution.schedule_id)

    def page(
        self,
        tenant_id: str | None,
        *,
        account_id: str | None,
        status: ScheduleStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Schedule]:
        return Page(())


class AssumedExecutions:
    """No run but those under way, and their holders are all alive."""

    def get(self, tenant_id: str, execution_id: str) -> Execution:
        return Execution(
            execution_id=execution_id,
            tenant_id=tenant_id,
            account_id="",
            provider_type=ProviderType.AWS,
            schedule_id="",
            workflow_id="",
            triggered_by=TriggeredBy.SCHEDULER,
            started_at=AT,
        )

    def tenant_of(self, execution_id: str) -> str:
        raise NotFound

    def record_delivery(self, tenant_id: str, execution_id: str, delivery: Delivery, event: AuditEvent) -> None:
        """Nobody is told."""

    def page(
        self, tenant_id: str, *, schedule_id: str | None, account_id: str | None, limit: int, cursor: str | None
    ) -> Page[Execution]:
        return Page(())


class AssumedResults:
    """Counts what is found and keeps none of it."""

    def write(
        self, order: ScanOrder, findings: Sequence[Finding], *, started_at: str, completed_at: str, engine: str = ""
    ) -> StoredResult:
        return StoredResult(f"s3://results/{order.execution_id}", Counts(total=len(findings), passed=len(findings)))

    def get(self, tenant_id: str, scan_id: str) -> ScanResult:
        raise NotFound

    def tenant_of(self, scan_id: str) -> str:
        raise NotFound

    def page(self, tenant_id: str, *, account_id: str, limit: int, cursor: str | None) -> Page[ScanResult]:
        return Page(())

    def link(self, result: ScanResult) -> str:
        raise NotFound


class OneCredential:
    """A vault with the same credential behind every reference."""

    def store(self, entry: VaultEntry) -> CredentialRef:
        return CredentialRef(f"arn:aws:secretsmanager:ap-south-1:111122223333:secret:{entry.account_id}", "1")

    def read(self, tenant_id: str, account_id: str, ref: CredentialRef) -> Credential:
        return Credential("aws_iam_role", {"role_arn": ROLE_ARN})

    def promote(self, tenant_id: str, account_id: str, ref: CredentialRef) -> CredentialRef:
        return ref

    def delete(self, tenant_id: str, account_id: str, *, recovery_days: int | None) -> None:
        """Nothing is kept."""

    def restore(self, tenant_id: str, account_id: str) -> None:
        """Nothing is kept."""


@dataclass
class SlowEngine:
    """Takes its time and finds what there is."""

    seconds: float

    def scan(
        self,
        order: ScanOrder,
        credential: Credential,
        *,
        external_id: str,
        max_seconds: float,
        alive: Callable[[int], None],
    ) -> Sequence[Finding]:
        time.sleep(self.seconds)
        return FOUND


@dataclass
class BuiltIn:
    """Engines of this process only."""

    engine: SlowEngine = field(default_factory=lambda: SlowEngine(0))

    def in_process(self, provider_type: ProviderType) -> SlowEngine:
        return self.engine

    def outside(self, provider_type: ProviderType) -> None:
        return None

    def narrower(self, provider_type: ProviderType) -> "BuiltIn":
        return self

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        return credential
