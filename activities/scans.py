"""Steps that let a run in and close it. At most one run of a schedule holds its row; one that is not to run leaves, and
of a schedule's own runs the trail says why. Somebody who triggered one is answered instead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities.audit import event_of, scan_ended, scan_started
from activities.obstacles import SCANNABLE, Obstacles
from domain.accounts import Account
from domain.audit.events import AuditEvent, Origin
from domain.callers.tenants import TenantStatus
from domain.errors import Conflict, NotFound, ScanRunning, StaleVersion, UnreadableRow
from domain.onboarding.credentials import CredentialRef
from domain.ports import AccountStore, AuditLog, TenantStore
from domain.scans.notifications import Delivery
from domain.scans.ports import Engines, ExecutionStore, RunningScans, ScheduleStore
from domain.scans.scan import (
    Admission,
    Execution,
    Leaving,
    ScanEnd,
    ScanOrder,
    ScanPlan,
    ScanRequest,
    TriggeredBy,
)
from domain.schedules.cadence import repeats, unusable
from domain.schedules.firing import is_due, is_new
from domain.schedules.obstacles import settled
from domain.schedules.schedule import Schedule, Skip
from domain.timestamps import parse

STOPPING = frozenset({Leaving.NO_ENGINE, Leaving.TENANT, Leaving.ACCOUNT, Leaving.UNREADABLE, Leaving.CADENCE})
"""What stays in the way until somebody does something: the schedule shows it."""


@dataclass(frozen=True)
class AdmitScan:
    request: ScanRequest
    execution_id: str
    at: str
    nominal: str | None = None
    """When the schedule was to fire, in ISO 8601; None for a run that somebody triggered."""


@dataclass(frozen=True)
class CloseScan:
    plan: ScanPlan
    request: ScanRequest
    origin: Origin
    end: ScanEnd


@dataclass(frozen=True)
class RecordDelivery:
    tenant_id: str
    execution_id: str
    delivery: Delivery
    number: int = 1
    """Which of the execution's deliveries it is: the trail does not name whom a customer has told."""


class Left(Exception):
    """Carries the reason out of a check."""

    def __init__(self, leaving: Leaving, execution_id: str | None = None) -> None:
        self.admission = Admission(leaving=leaving, running_execution_id=execution_id)


@dataclass(frozen=True)
class ScanPorts:
    schedules: ScheduleStore
    executions: ExecutionStore
    tenants: TenantStore
    accounts: AccountStore
    audit: AuditLog
    engines: Engines
    runs: RunningScans


class ScanActivities:
    """The steps, over the ports that the worker was given."""

    def __init__(self, ports: ScanPorts, *, pause_after: int) -> None:
        self._ports = ports
        self._obstacles = Obstacles(ports.tenants, ports.accounts, ports.engines)
        self._pause_after = pause_after

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.admit_scan, self.close_scan, self.record_delivery]

    @activity.defn(name="admit_scan")
    def admit_scan(self, step: AdmitScan) -> Admission:
        try:
            schedule = self._row(step)
            if schedule.running_execution_id != step.execution_id:
                self._has_not_run(step)
                self._may_run(schedule, step)
                self._may_use_credentials(schedule.tenant_id)
            plan = self._plan(schedule, step)
            self._claim(schedule, plan, step.request)
        except Left as left:
            if step.request.triggered_by is TriggeredBy.SCHEDULER:
                return self._left(step, left.admission)
            return left.admission
        except UnreadableRow:
            if step.request.triggered_by is TriggeredBy.SCHEDULER:
                return self._left(step, Admission(leaving=Leaving.UNREADABLE))
            raise
        return Admission(plan)

    @activity.defn(name="close_scan")
    def close_scan(self, step: CloseScan) -> Schedule | None:
        """The schedule as the run leaves it; None when it was deleted meanwhile."""
        execution, end = _execution(step.plan, step.request), step.end
        event = scan_ended(step.origin, execution, end, step="scan.ended")
        return self._ports.schedules.release(execution, end, event, pause_after=self._pause_after)

    @activity.defn(name="record_delivery")
    def record_delivery(self, step: RecordDelivery) -> None:
        """To whom stays on the execution: it is what a customer has typed in."""
        delivery, info = step.delivery, activity.info()
        details = {"channel": delivery.kind.value, "number": str(step.number)}
        details |= {"reason": delivery.code} if delivery.code else {}
        event = event_of(
            Origin("system", info.workflow_id or ""),
            step=f"delivery-{info.activity_id}",
            tenant_id=step.tenant_id,
            action="delivery.ended",
            target=f"execution:{step.execution_id}",
            at=delivery.at,
            outcome=delivery.state.value,
            details=details,
        )
        self._ports.executions.record_delivery(step.tenant_id, step.execution_id, delivery, event)

    def _left(self, step: AdmitScan, admission: Admission) -> Admission:
        """The trail and the schedule say why; what does not pass by itself stops the schedule."""
        request, leaving = step.request, admission.leaving or Leaving.CHANGED
        holder = admission.running_execution_id
        event = self._event(step, "scan.left", leaving, **({"execution": holder} if holder else {}))
        try:
            schedule = self._ports.schedules.get(request.tenant_id, request.schedule_id)
        except (NotFound, UnreadableRow):
            self._ports.audit.record(event)
            return admission
        self._ports.schedules.note_skip(schedule, Skip(step.at, leaving.value), event)
        return replace(admission, stopped=leaving in STOPPING and self._stopped(schedule, step))

    def _stopped(self, schedule: Schedule, step: AdmitScan) -> bool:
        """Whether the status of the schedule is now that of one with an obstacle."""
        obstacle = self._obstacles.of(schedule)
        after = settled(schedule, obstacle) if obstacle else None
        if obstacle is None or after is None:
            return obstacle is not None
        try:
            self._ports.schedules.replace(after, self._event(step, "schedule.stopped", Leaving(obstacle.code)))
        except (Conflict, NotFound):
            return False
        return True

    def _event(self, step: AdmitScan, action: str, leaving: Leaving, **details: str) -> AuditEvent:
        return event_of(
            step.request.origin,
            step=action,
            tenant_id=step.request.tenant_id,
            action=action,
            target=f"schedule:{step.request.schedule_id}",
            at=step.at,
            outcome="left" if action == "scan.left" else "ok",
            details={"reason": leaving.value, **details},
        )

    def _row(self, step: AdmitScan) -> Schedule:
        try:
            return self._ports.schedules.get(step.request.tenant_id, step.request.schedule_id)
        except NotFound:
            raise Left(Leaving.DELETED) from None

    def _has_not_run(self, step: AdmitScan) -> None:
        """Whoever starts a run again, with what it was started with, starts no second one."""
        try:
            execution = self._ports.executions.get(step.request.tenant_id, step.execution_id)
        except NotFound:
            return
        if execution.final:
            raise Left(Leaving.ENDED)

    def _may_run(self, schedule: Schedule, step: AdmitScan) -> None:
        """What somebody triggers runs whatever the schedule's state is: it is how a fix is tried."""
        request = step.request
        if request.spec_version is not None and request.spec_version != schedule.spec_version:
            raise Left(Leaving.CHANGED)
        if request.triggered_by is TriggeredBy.SCHEDULER and not schedule.fires:
            raise Left(Leaving.PAUSED)
        if request.triggered_by is TriggeredBy.SCHEDULER:
            self._may_fire(schedule, step)

    def _may_fire(self, schedule: Schedule, step: AdmitScan) -> None:
        """The time in the workflow's id is anybody's word: it has to be one that the row leads to, and a new one."""
        if unusable(schedule.cadence):
            raise Left(Leaving.CADENCE)
        try:
            nominal = datetime.strptime(step.nominal or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise Left(Leaving.NOT_DUE) from None
        if not is_new(schedule, nominal, parse(step.at)):
            raise Left(Leaving.NOT_DUE)
        if repeats(schedule.cadence, nominal):
            raise Left(Leaving.REPEATED_HOUR)
        if not is_due(schedule, nominal):
            raise Left(Leaving.NOT_DUE)

    def _may_use_credentials(self, tenant_id: str) -> None:
        """Of a disabled tenant none is used, whoever asks."""
        if self._ports.tenants.get(tenant_id).status is not TenantStatus.ACTIVE:
            raise Left(Leaving.TENANT)

    def _account(self, schedule: Schedule) -> tuple[Account, CredentialRef]:
        try:
            account = self._ports.accounts.get(schedule.tenant_id, schedule.account_id)
        except NotFound:
            raise Left(Leaving.ACCOUNT) from None
        if account.status not in SCANNABLE or account.credential is None:
            raise Left(Leaving.ACCOUNT)
        return account, account.credential

    def _plan(self, schedule: Schedule, step: AdmitScan) -> ScanPlan:
        account, credential = self._account(schedule)
        outside = self._ports.engines.outside(schedule.provider_type) is not None
        if not outside and self._ports.engines.in_process(schedule.provider_type) is None:
            raise Left(Leaving.NO_ENGINE)
        order = ScanOrder(
            execution_id=step.execution_id,
            tenant_id=schedule.tenant_id,
            account_id=schedule.account_id,
            provider_type=schedule.provider_type,
            account_number=account.account_number or "",
            scope=schedule.scope,
        )
        return ScanPlan(
            order=order,
            started_at=step.at,
            credential=credential,
            external_id=account.external_id,
            in_process=not outside,
            notifications=schedule.notifications,
        )

    def _claim(self, schedule: Schedule, plan: ScanPlan, request: ScanRequest, stale: str | None = None) -> None:
        execution = _execution(plan, request)
        event = scan_started(request.origin, execution)
        try:
            self._ports.schedules.claim(schedule, execution, event, stale=stale)
        except ScanRunning as running:
            holder = running.execution_id
            if holder is None or holder == stale or self._is_running(schedule.tenant_id, holder):
                raise Left(Leaving.RUNNING, holder) from None
            self._claim(schedule, plan, request, stale=holder)
        except StaleVersion:
            raise Left(Leaving.CHANGED) from None
        except NotFound:
            raise Left(Leaving.DELETED) from None

    def _is_running(self, tenant_id: str, execution_id: str) -> bool:
        """A claim whose workflow is gone, because an operator terminated it perhaps, holds nothing. One whose row
        cannot be read may be held."""
        try:
            execution = self._ports.executions.get(tenant_id, execution_id)
        except (NotFound, UnreadableRow):
            return True
        return self._ports.runs.is_running(execution.workflow_id)


def _execution(plan: ScanPlan, request: ScanRequest) -> Execution:
    return Execution(
        execution_id=plan.order.execution_id,
        tenant_id=plan.order.tenant_id,
        account_id=plan.order.account_id,
        provider_type=plan.order.provider_type,
        schedule_id=request.schedule_id,
        workflow_id=activity.info().workflow_id or "",
        triggered_by=request.triggered_by,
        started_at=plan.started_at,
    )
