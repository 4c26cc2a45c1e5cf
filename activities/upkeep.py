"""Steps that compare all schedules with what Temporal has, and that end everything recurring of an account."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity

from activities.audit import event_of
from domain.audit import Origin
from domain.errors import Conflict, NotFound
from domain.onboarding import Cancellation
from domain.scan_ports import ExecutionStore, RunningScans, Schedules, ScheduleStore
from domain.scans import ExecutionStatus, ScanEnd
from domain.schedules import Schedule, ScheduleStatus

PAGE = 100
MOST = 1000
"""How many of each kind one sweep mends: the next one goes on."""


@dataclass(frozen=True)
class Key:
    tenant_id: str
    schedule_id: str


@dataclass(frozen=True)
class Drift:
    """What is not as the rows say."""

    rows: int
    astray: tuple[Key, ...] = ()
    """Rows whose Temporal Schedule is missing, or of another version."""
    orphans: tuple[str, ...] = ()
    """Temporal Schedules without a row."""
    abandoned: tuple[Key, ...] = ()
    """Rows that are held by a run whose workflow is gone."""


@dataclass(frozen=True)
class CloseAbandoned:
    key: Key
    origin: Origin
    at: str


@dataclass(frozen=True)
class EndSchedules:
    tenant_id: str
    account_id: str
    origin: Origin
    at: str


@dataclass
class _Found:
    astray: list[Key] = field(default_factory=list)
    abandoned: list[Key] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class UpkeepPorts:
    schedules: ScheduleStore
    executions: ExecutionStore
    temporal: Schedules
    runs: RunningScans


class UpkeepActivities:
    """The steps, over the ports that the worker was given."""

    def __init__(self, ports: UpkeepPorts, *, pause_after: int) -> None:
        self._ports = ports
        self._pause_after = pause_after

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.find_drift, self.remove_orphan, self.close_abandoned, self.end_schedules]

    @activity.defn(name="find_drift")
    def find_drift(self) -> Drift:
        """Both lists are a moment old, so a change under way may look like drift; mending it changes nothing."""
        self._ports.temporal.tidy()
        versions, found = self._ports.temporal.versions(), _Found()
        for row in self._rows():
            found.ids.add(row.schedule_id)
            if _is_astray(row, versions):
                found.astray.append(Key(row.tenant_id, row.schedule_id))
            if row.running_execution_id and not self._is_running(row):
                found.abandoned.append(Key(row.tenant_id, row.schedule_id))
        orphans = sorted(versions.keys() - found.ids)
        drift = len(found.astray) + len(orphans) + len(found.abandoned)
        meter = activity.metric_meter()
        meter.create_gauge("schedule_drift", "Schedules that were not as their rows say, at the last sweep").set(drift)
        return Drift(len(found.ids), tuple(found.astray[:MOST]), tuple(orphans[:MOST]), tuple(found.abandoned[:MOST]))

    @activity.defn(name="remove_orphan")
    def remove_orphan(self, schedule_id: str) -> None:
        try:
            self._ports.schedules.tenant_of(schedule_id)
        except NotFound:
            self._ports.temporal.remove(schedule_id)

    @activity.defn(name="close_abandoned")
    def close_abandoned(self, step: CloseAbandoned) -> None:
        try:
            row = self._ports.schedules.get(step.key.tenant_id, step.key.schedule_id)
        except NotFound:
            return
        if row.running_execution_id is None or self._is_running(row):
            return
        execution = self._ports.executions.get(row.tenant_id, row.running_execution_id)
        end = ScanEnd(ExecutionStatus.FAILED, step.at, error_code="abandoned")
        event = event_of(
            step.origin,
            step=f"abandoned-{execution.execution_id}",
            tenant_id=row.tenant_id,
            action="scan.ended",
            target=f"execution:{execution.execution_id}",
            at=step.at,
            outcome="failed",
            details={"reason": "abandoned"},
        )
        try:
            self._ports.schedules.release(execution, end, event, pause_after=self._pause_after)
        except Conflict:
            activity.logger.info("Nothing to close: the run was closed meanwhile.")

    @activity.defn(name="end_schedules")
    def end_schedules(self, step: EndSchedules) -> int:
        """Delete every schedule of the account and stop what runs. Returns how many there were. The account must not be
        active any more, or a new schedule may come in behind."""
        ended = 0
        for row in self._rows(step.tenant_id, step.account_id):
            event = event_of(
                step.origin,
                step=f"end-{row.schedule_id}",
                tenant_id=step.tenant_id,
                action="schedule.deleted",
                target=f"schedule:{row.schedule_id}",
                at=step.at,
            )
            self._ports.schedules.delete(step.tenant_id, row.schedule_id, event)
            self._ports.temporal.remove(row.schedule_id)
            self._stop(row, step.origin)
            ended += 1
        return ended

    def _rows(self, tenant_id: str | None = None, account_id: str | None = None) -> Iterator[Schedule]:
        """A page that was read is not read again, so that deleting its rows meanwhile skips none."""
        cursor = None
        while True:
            page = self._ports.schedules.page(tenant_id, account_id=account_id, status=None, limit=PAGE, cursor=cursor)
            activity.heartbeat()
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _stop(self, row: Schedule, origin: Origin) -> None:
        if row.running_execution_id is not None:
            execution = self._ports.executions.get(row.tenant_id, row.running_execution_id)
            self._ports.runs.cancel(execution.workflow_id, Cancellation(origin, "schedules_ended"))

    def _is_running(self, row: Schedule) -> bool:
        execution = self._ports.executions.get(row.tenant_id, row.running_execution_id or "")
        return self._ports.runs.is_running(execution.workflow_id)


def _is_astray(row: Schedule, versions: Mapping[str, int]) -> bool:
    """The Temporal Schedule of a one-time row that has fired is gone, or goes by itself."""
    if row.status is ScheduleStatus.COMPLETED:
        return False
    return versions.get(row.schedule_id) != row.spec_version
