"""In-memory implementations of the ports for schedules and scans. The stores pass the contract tests of `tests/stores`;
the rest does what a test tells it to."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from api.services import ScanServices
from domain.accounts import AccountStatus, ProviderType
from domain.audit.events import AuditEvent
from domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
    OnboardingError,
    ScanRunning,
    StaleVersion,
    Throttled,
)
from domain.onboarding.credentials import Credential, Secret
from domain.onboarding.messages import Cancellation
from domain.pages import Page
from domain.scans.notifications import Channel, Delivery, Notification, in_its_place
from domain.scans.runs import abandoned, abandonment, closed, released, turn
from domain.scans.scan import (
    CheckStatus,
    Counts,
    EngineProgress,
    Execution,
    ExecutionStatus,
    Finding,
    ScanEnd,
    ScanOrder,
    ScanResult,
    Severity,
    StoredResult,
)
from domain.scans.scopes import EngineOffer
from domain.schedules.schedule import Cadence, ListedSchedule, Preview, Schedule, ScheduleStatus, Skip
from domain.timestamps import stamp
from tests.channels import CHANNELS
from tests.fakes import FakeAccountStore, FakeLedger, FakeStores, page_of
from tests.patience import PATIENCE_SECONDS

OFFERS = {cloud: EngineOffer(("built_in",)) for cloud in ProviderType}
"""Every cloud can be scanned, whatever is asked for."""

SCANNABLE = (AccountStatus.ACTIVE, AccountStatus.ACTIVE_LIMITED, AccountStatus.DEGRADED)


class FakeScanStores:
    """The rows of schedules and executions, which change together."""

    def __init__(self, ledger: FakeLedger, accounts: FakeAccountStore) -> None:
        self.schedules = FakeScheduleStore(self, ledger, accounts)
        self.executions = FakeExecutionStore(self, ledger)
        self.results = FakeResultStore()
        self.schedule_rows: dict[str, Schedule] = {}
        self.execution_rows: dict[str, Execution] = {}


class FakeScheduleStore:
    def __init__(self, stores: FakeScanStores, ledger: FakeLedger, accounts: FakeAccountStore) -> None:
        self._stores = stores
        self._ledger = ledger
        self._accounts = accounts

    def create(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        with self._ledger.lock:
            if not self._ledger.holds(event):
                if self._accounts.get(schedule.tenant_id, schedule.account_id).status not in SCANNABLE:
                    raise Conflict("The account is not active; onboard it before it is scheduled.")
                if schedule.schedule_id in self._stores.schedule_rows:
                    raise AlreadyExists
                self._write(schedule, event)
            return self.get(schedule.tenant_id, schedule.schedule_id)

    def get(self, tenant_id: str, schedule_id: str) -> Schedule:
        row = self._stores.schedule_rows.get(schedule_id)
        if row is None or row.tenant_id != tenant_id:
            raise NotFound
        return row

    def tenant_of(self, schedule_id: str) -> str:
        if schedule_id not in self._stores.schedule_rows:
            raise NotFound
        return self._stores.schedule_rows[schedule_id].tenant_id

    def replace(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        with self._ledger.lock:
            row = self.get(schedule.tenant_id, schedule.schedule_id)
            if not self._ledger.holds(event):
                if schedule.spec_version != row.spec_version + 1:
                    raise StaleVersion
                resumed = schedule.fires and not row.fires
                self._write(
                    replace(
                        schedule,
                        created_at=row.created_at,
                        created_by=row.created_by,
                        updated_at=event.at,
                        running_execution_id=row.running_execution_id,
                        last_run_at=row.last_run_at,
                        run_count=row.run_count,
                        success_count=row.success_count,
                        failure_count=row.failure_count,
                        consecutive_failures=0 if resumed else row.consecutive_failures,
                        last_skip=row.last_skip,
                    ),
                    event,
                )
            return self.get(schedule.tenant_id, schedule.schedule_id)

    def close_channels(self, schedule: Schedule, event: AuditEvent) -> None:
        with self._ledger.lock:
            row = self.get(schedule.tenant_id, schedule.schedule_id)
            if not self._ledger.holds(event):
                if schedule.spec_version != row.spec_version:
                    raise StaleVersion
                self._write(replace(row, notifications=schedule.notifications), event)

    def delete(self, tenant_id: str, schedule_id: str, event: AuditEvent) -> None:
        with self._ledger.lock:
            row = self._stores.schedule_rows.get(schedule_id)
            if row is not None and row.tenant_id == tenant_id:
                del self._stores.schedule_rows[schedule_id]
                self._ledger.add(event)

    def claim(self, schedule: Schedule, execution: Execution, event: AuditEvent, *, stale: str | None = None) -> None:
        with self._ledger.lock:
            if self._ledger.holds(event):
                return
            row = self.get(schedule.tenant_id, schedule.schedule_id)
            if row.spec_version != schedule.spec_version:
                raise StaleVersion
            if row.running_execution_id not in (None, stale):
                raise ScanRunning(execution_id=row.running_execution_id)
            if stale is not None:
                self._abandon(row, stale, event)
            self._stores.execution_rows[execution.execution_id] = execution
            claimed = replace(row, running_execution_id=execution.execution_id, last_run_at=execution.started_at)
            self._write(claimed, event)

    def release(self, execution: Execution, end: ScanEnd, event: AuditEvent, *, pause_after: int) -> Schedule | None:
        with self._ledger.lock:
            if not self._ledger.holds(event):
                row = self._stores.executions.get(execution.tenant_id, execution.execution_id)
                if row.final:
                    raise Conflict
                self._stores.execution_rows[execution.execution_id] = closed(row, end)
                self._ledger.add(event)
                self._let_go(execution, end, event, pause_after)
            return self._stores.schedule_rows.get(execution.schedule_id)

    def note_skip(self, schedule: Schedule, skip: Skip, event: AuditEvent) -> None:
        with self._ledger.lock:
            row = self._stores.schedule_rows.get(schedule.schedule_id)
            if not self._ledger.holds(event):
                if row is not None and row.tenant_id == schedule.tenant_id:
                    self._stores.schedule_rows[schedule.schedule_id] = replace(row, last_skip=skip)
                self._ledger.add(event)

    def page(
        self,
        tenant_id: str | None,
        *,
        account_id: str | None,
        status: ScheduleStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Schedule]:
        def wanted(row: Schedule) -> bool:
            return account_id in (None, row.account_id) and status in (None, row.status)

        rows = {k: row for k, row in self._stores.schedule_rows.items() if tenant_id in (None, row.tenant_id)}
        scope = ("schedules", tenant_id or "", account_id or "", status or "")
        return page_of(rows, scope, wanted, limit=limit, cursor=cursor)

    def _let_go(self, execution: Execution, end: ScanEnd, event: AuditEvent, pause_after: int) -> None:
        row = self._stores.schedule_rows.get(execution.schedule_id)
        if row is None or row.running_execution_id != execution.execution_id:
            return
        after = released(row, execution, end, at=event.at, pause_after=pause_after)
        self._stores.schedule_rows[row.schedule_id] = after
        if turned := turn(event, row, after):
            self._ledger.add(turned)

    def _abandon(self, schedule: Schedule, execution_id: str, claim: AuditEvent) -> None:
        row = self._stores.execution_rows.get(execution_id)
        if row is None or row.final:
            raise Throttled
        self._stores.execution_rows[execution_id] = closed(row, abandoned(at=claim.at))
        self._ledger.add(abandonment(claim, schedule, execution_id))

    def _write(self, row: Schedule, event: AuditEvent) -> None:
        self._stores.schedule_rows[row.schedule_id] = row
        self._ledger.add(event)


class FakeExecutionStore:
    def __init__(self, stores: FakeScanStores, ledger: FakeLedger) -> None:
        self._stores = stores
        self._ledger = ledger

    def get(self, tenant_id: str, execution_id: str) -> Execution:
        row = self._stores.execution_rows.get(execution_id)
        if row is None or row.tenant_id != tenant_id:
            raise NotFound
        return row

    def tenant_of(self, execution_id: str) -> str:
        if execution_id not in self._stores.execution_rows:
            raise NotFound
        return self._stores.execution_rows[execution_id].tenant_id

    def record_delivery(self, tenant_id: str, execution_id: str, delivery: Delivery, event: AuditEvent) -> None:
        with self._ledger.lock:
            row = self.get(tenant_id, execution_id)
            if not self._ledger.holds(event):
                told = in_its_place(row.deliveries, delivery)
                self._stores.execution_rows[execution_id] = replace(row, deliveries=told)
                self._ledger.add(event)

    def page(
        self, tenant_id: str, *, schedule_id: str | None, account_id: str | None, limit: int, cursor: str | None
    ) -> Page[Execution]:
        rows = {
            f"{row.started_at}#{row.execution_id}": row
            for row in self._stores.execution_rows.values()
            if row.tenant_id == tenant_id
            and schedule_id in (None, row.schedule_id)
            and account_id in (None, row.account_id)
        }
        scope = ("executions", tenant_id, schedule_id or "", account_id or "")
        return page_of(rows, scope, lambda _: True, limit=limit, cursor=cursor, newest_first=True)


class FakeResultStore:
    def __init__(self) -> None:
        self._rows: dict[str, ScanResult] = {}
        self._findings: dict[str, Sequence[Finding]] = {}

    def write(
        self, order: ScanOrder, findings: Sequence[Finding], *, started_at: str, completed_at: str, engine: str = ""
    ) -> StoredResult:
        by_status = [finding.status for finding in findings]
        counts = Counts(
            len(by_status),
            by_status.count(CheckStatus.PASS),
            by_status.count(CheckStatus.FAIL),
            by_status.count(CheckStatus.ERROR),
        )
        kept = self._rows.get(order.execution_id)
        if kept is not None and kept.tenant_id != order.tenant_id:
            raise NotFound
        location = f"fake://{order.tenant_id}/{order.account_id}/{order.execution_id}"
        self._rows[order.execution_id] = ScanResult(
            scan_id=order.execution_id,
            tenant_id=order.tenant_id,
            account_id=order.account_id,
            provider_type=order.provider_type,
            started_at=started_at,
            completed_at=completed_at,
            location=location,
            counts=counts,
        )
        self._findings[order.execution_id] = findings
        return StoredResult(location, counts)

    def get(self, tenant_id: str, scan_id: str) -> ScanResult:
        row = self._rows.get(scan_id)
        if row is None or row.tenant_id != tenant_id:
            raise NotFound
        return row

    def tenant_of(self, scan_id: str) -> str:
        if scan_id not in self._rows:
            raise NotFound
        return self._rows[scan_id].tenant_id

    def page(self, tenant_id: str, *, account_id: str, limit: int, cursor: str | None) -> Page[ScanResult]:
        rows = {
            f"{row.started_at}#{row.scan_id}": row
            for row in self._rows.values()
            if (row.tenant_id, row.account_id) == (tenant_id, account_id)
        }
        scope = ("scan-results", tenant_id, account_id)
        return page_of(rows, scope, lambda _: True, limit=limit, cursor=cursor, newest_first=True)

    def link(self, result: ScanResult) -> str:
        return f"https://results.example/{result.scan_id}"


class FakeSchedules:
    """Temporal Schedules by their rows; the time of firing is tomorrow."""

    def __init__(self) -> None:
        self.built: dict[str, Schedule] = {}

    def converge(self, schedule: Schedule) -> None:
        self.built[schedule.schedule_id] = schedule

    def remove(self, schedule_id: str) -> None:
        self.built.pop(schedule_id, None)

    def next_run(self, schedule: Schedule) -> str | None:
        return self._tomorrow(1) if schedule.fires and schedule.schedule_id in self.built else None

    def next_runs(self, schedules: Sequence[Schedule]) -> Mapping[str, str]:
        return {row.schedule_id: moment for row in schedules if (moment := self.next_run(row))}

    def preview(self, cadence: Cadence, *, count: int) -> Preview:
        return Preview(tuple(self._tomorrow(day) for day in range(1, count + 1)))

    def listed(self) -> Mapping[str, ListedSchedule]:
        return {name: ListedSchedule(row.tenant_id, row.spec_version) for name, row in self.built.items()}

    def tidy(self) -> None:
        """Nothing is ever left over."""

    def _tomorrow(self, days: int) -> str:
        return stamp(datetime.now(UTC) + timedelta(days=days))


class FakeRuns:
    """Runs are under way until a test says that one is gone."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.cancelled: list[tuple[str, Cancellation]] = []

    def is_running(self, workflow_id: str) -> bool:
        return workflow_id not in self.gone

    def cancel(self, workflow_id: str, cancellation: Cancellation) -> None:
        self.cancelled.append((workflow_id, cancellation))


def finding(status: CheckStatus = CheckStatus.PASS) -> Finding:
    return Finding(
        check_id="root_mfa",
        title="The root user has MFA",
        status=status,
        severity=Severity.CRITICAL,
        resource="arn:aws:iam::444455556666:root",
        region="global",
        service="iam",
        message="The root user has MFA.",
    )


FOUND = (finding(), finding(CheckStatus.FAIL), finding(CheckStatus.ERROR))


@dataclass
class ScriptedEngine:
    """Both kinds of engine: gives `script` in turn, and findings when it is empty."""

    script: list[OnboardingError | EngineProgress] = field(default_factory=list)
    started: list[ScanOrder] = field(default_factory=list)
    max_seconds: list[float] = field(default_factory=list)
    """What each scan in the process was given."""
    cancelled: list[str] = field(default_factory=list)
    hold: threading.Event | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    starts_after: float = 0.0
    """Seconds."""
    found: Sequence[Finding] = FOUND

    def scan(
        self,
        order: ScanOrder,
        credential: Credential,
        *,
        external_id: str,
        max_seconds: float,
        alive: Callable[[int], None],
    ) -> Sequence[Finding]:
        self.started.append(order)
        self.max_seconds.append(max_seconds)
        self._next()
        self.reached.set()
        while self.hold is not None and not self.hold.wait(0.02):
            alive(50)
        return self.found

    def start(self, order: ScanOrder, session: Credential) -> None:
        threading.Event().wait(self.starts_after)
        self.started.append(order)

    def poll(self, order: ScanOrder) -> EngineProgress:
        self.reached.set()
        if self.hold is not None and not self.hold.is_set():
            return EngineProgress(ExecutionStatus.RUNNING)
        return self._next() or EngineProgress(ExecutionStatus.COMPLETED, 100)

    def findings(self, order: ScanOrder) -> Sequence[Finding]:
        return self.found

    def cancel(self, order: ScanOrder) -> None:
        self.cancelled.append(order.execution_id)

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        return credential

    def _next(self) -> EngineProgress | None:
        answer = self.script.pop(0) if self.script else None
        if isinstance(answer, OnboardingError):
            raise answer
        return answer


class DeafEngine(ScriptedEngine):
    """Hears of no cancellation before it has found everything."""

    def scan(
        self,
        order: ScanOrder,
        credential: Credential,
        *,
        external_id: str,
        max_seconds: float,
        alive: Callable[[int], None],
    ) -> Sequence[Finding]:
        self.started.append(order)
        self.reached.set()
        assert self.hold is not None
        self.hold.wait(PATIENCE_SECONDS)
        return FOUND


@dataclass
class FakeEngines:
    inside: ScriptedEngine | None = None
    elsewhere: ScriptedEngine | None = None

    def in_process(self, provider_type: ProviderType) -> ScriptedEngine | None:
        return self.inside

    def outside(self, provider_type: ProviderType) -> ScriptedEngine | None:
        return self.elsewhere

    def narrower(self, provider_type: ProviderType) -> ScriptedEngine:
        return self.elsewhere or ScriptedEngine()


@dataclass
class FakeNotifier:
    """Remembers what it delivered; raises `script` in turn first, and always for a target that is `unwilling`."""

    script: list[OnboardingError] = field(default_factory=list)
    unwilling: set[str] = field(default_factory=set)
    delivered: list[tuple[Channel, Notification, Secret | None]] = field(default_factory=list)

    def deliver(self, channel: Channel, notification: Notification, signing: Secret | None) -> None:
        if self.script:
            raise self.script.pop(0)
        if channel.target in self.unwilling:
            raise InvalidInput
        self.delivered.append((channel, notification, signing))


def fake_scan_services(stores: FakeStores) -> ScanServices:
    scans = FakeScanStores(stores.ledger, stores.accounts)
    return ScanServices(
        scans.schedules, scans.executions, scans.results, FakeSchedules(), CHANNELS, OFFERS, stores.sealer
    )
