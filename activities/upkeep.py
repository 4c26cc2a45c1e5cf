"""Steps that compare all schedules with what Temporal has, and that end everything recurring of an account."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity

from activities.audit import event_of, scan_ended
from activities.obstacles import Obstacles
from domain.audit.events import Origin
from domain.commands import RecurringRequest
from domain.errors import Conflict, NotFound, StaleVersion, UnreadableRow
from domain.metrics import SCHEDULE_DRIFT
from domain.onboarding.messages import Cancellation
from domain.ports import CredentialSealer, CredentialVault
from domain.scans.ports import ExecutionStore, RunningScans, Schedules, ScheduleStore
from domain.scans.runs import abandoned, is_missed, missed
from domain.schedules.cadence import unusable
from domain.schedules.obstacles import REFUSED, settled
from domain.schedules.schedule import ListedSchedule, Schedule, ScheduleStatus
from domain.timestamps import parse, stamp

PAGE = 100
MOST = 1000
"""How many of each kind one sweep mends: the next one goes on."""

MOST_SIGNED = 250
"""At the turn of a month all are to be signed anew; that takes some sweeps, and a signature is good for months."""

QUEUED = timedelta(minutes=10)
"""A run that was started in time may wait for a worker."""


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
    orphans: tuple[Key, ...] = ()
    """Temporal Schedules without a row."""
    abandoned: tuple[Key, ...] = ()
    """Rows that are held by a run whose workflow is gone."""
    missed: tuple[Key, ...] = ()
    """One-time rows whose moment passed without a run."""
    outdated: tuple[Key, ...] = ()
    """Rows whose Temporal Schedule was not signed this month, and would not be accepted for ever."""
    unreadable: tuple[str, ...] = ()
    """Keys of rows that cannot be read, and of those whose run cannot be."""
    unsettled: tuple[Key, ...] = ()
    """Rows that may have an obstacle that they do not show, or show one that is gone."""


@dataclass(frozen=True)
class Mend:
    """A row to put right."""

    key: Key
    origin: Origin
    at: str


@dataclass(frozen=True)
class EndSchedules:
    tenant_id: str
    account_id: str
    origin: Origin
    at: str


@dataclass(frozen=True)
class UpkeepPorts:
    """`webhooks` keeps signing secrets by schedule."""

    schedules: ScheduleStore
    executions: ExecutionStore
    temporal: Schedules
    runs: RunningScans
    webhooks: CredentialVault
    obstacles: Obstacles
    sealer: CredentialSealer


class UpkeepActivities:
    """The steps, over the ports that the worker was given. `catch_up` is how late Temporal still starts a run."""

    def __init__(self, ports: UpkeepPorts, *, pause_after: int, catch_up: timedelta) -> None:
        self._ports = ports
        self._pause_after = pause_after
        self._given_up_after = catch_up + QUEUED

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.find_drift, self.close_abandoned, self.record_missed, self.settle_schedule, self.end_schedules]

    @activity.defn(name="find_drift")
    def find_drift(self, step: RecurringRequest | None = None) -> Drift:
        """Both lists are a moment old, so a change under way may look like drift; mending it changes nothing."""
        self._ports.temporal.tidy()
        listed, now, rows = self._ports.temporal.listed(), datetime.now(UTC), set[str]()
        astray, held, late, outdated = list[Key](), list[Key](), list[Key](), list[Key]()
        unsettled, unreadable, disabled = list[Key](), list[str](), self._ports.obstacles.disabled_tenants()
        for row in self._rows(unreadable=unreadable):
            rows.add(row.schedule_id)
            self._close_channels(row, now)
            key = Key(row.tenant_id, row.schedule_id)
            if _is_astray(row, listed.get(row.schedule_id)):
                astray.append(key)
            elif listed[row.schedule_id].outdated if row.schedule_id in listed else False:
                outdated.append(key)
            if self._is_abandoned(row, unreadable):
                held.append(key)
            if self._is_missed(row, now):
                late.append(key)
            elif self._ports.obstacles.may_have(row, disabled):
                unsettled.append(key)
        # A row that cannot be read is still a row.
        orphans = [Key(listed[name].tenant_id, name) for name in sorted(listed.keys() - rows - set(unreadable))]
        _count(astray=len(astray), orphan=len(orphans), abandoned=len(held), missed=len(late))
        return Drift(
            rows=len(rows),
            astray=tuple(astray[:MOST]),
            orphans=tuple(orphans[:MOST]),
            abandoned=tuple(held[:MOST]),
            missed=tuple(late[:MOST]),
            outdated=tuple(outdated[:MOST_SIGNED]),
            unreadable=tuple(unreadable[:MOST]),
            unsettled=tuple(unsettled[:MOST]),
        )

    def _close_channels(self, row: Schedule, now: datetime) -> None:
        """Rows of before have the addresses of webhooks in the clear; a change of the schedule would seal them too."""
        told, change_id = row.notifications, f"channels-{row.schedule_id}-{row.spec_version}"
        if not any(channel.is_open for channel in told.channels):
            return
        of_schedule = {"tenant_id": row.tenant_id, "schedule_id": row.schedule_id, "change_id": change_id}
        closed = tuple(channel.closed(self._ports.sealer, **of_schedule) for channel in told.channels)
        event = event_of(
            Origin("system", activity.info().workflow_id or ""),
            step=change_id,
            tenant_id=row.tenant_id,
            action="schedule.channels_sealed",
            target=f"schedule:{row.schedule_id}",
            at=stamp(now),
        )
        try:
            self._ports.schedules.close_channels(replace(row, notifications=replace(told, channels=closed)), event)
        except (NotFound, StaleVersion):
            activity.logger.info("Nothing to seal: the schedule was changed meanwhile.")

    @activity.defn(name="close_abandoned")
    def close_abandoned(self, step: Mend) -> None:
        row = self._row(step.key)
        if row is None or row.running_execution_id is None or self._is_running(row):
            return
        execution = self._ports.executions.get(row.tenant_id, row.running_execution_id)
        end = abandoned(at=step.at)
        event = scan_ended(step.origin, execution, end, step=f"abandoned-{execution.execution_id}")
        try:
            self._ports.schedules.release(execution, end, event, pause_after=self._pause_after)
        except Conflict:
            activity.logger.info("Nothing to close: the run was closed meanwhile.")

    @activity.defn(name="record_missed")
    def record_missed(self, step: Mend) -> None:
        """Temporal has to follow."""
        row = self._row(step.key)
        if row is None or not self._is_missed(row, parse(step.at)):
            return
        event = event_of(
            step.origin,
            step=f"missed-{row.schedule_id}-{row.spec_version}",
            tenant_id=row.tenant_id,
            action="schedule.missed",
            target=f"schedule:{row.schedule_id}",
            at=step.at,
        )
        try:
            self._ports.schedules.replace(missed(row), event)
        except (NotFound, StaleVersion):
            activity.logger.info("Nothing was missed: the schedule was changed meanwhile.")

    @activity.defn(name="settle_schedule")
    def settle_schedule(self, step: Mend) -> bool:
        """Show what stands in the way of a schedule, or let it go on. Whether anything changed, which Temporal then has
        to follow."""
        row = self._row(step.key)
        obstacle = self._ports.obstacles.of(row) if row else None
        after = settled(row, obstacle) if row else None
        if row is None or after is None:
            return False
        event = event_of(
            step.origin,
            step=f"settled-{row.schedule_id}-{row.spec_version}",
            tenant_id=row.tenant_id,
            action="schedule.stopped" if obstacle else "schedule.resumed",
            target=f"schedule:{row.schedule_id}",
            at=step.at,
            details={"reason": obstacle.code if obstacle else row.status_reason or ""},
        )
        try:
            self._ports.schedules.replace(after, event)
        except (Conflict, NotFound):
            activity.logger.info("Nothing to settle: the schedule was changed meanwhile.")
        return True

    @activity.defn(name="end_schedules")
    def end_schedules(self, step: EndSchedules) -> int:
        """Delete every schedule of the account and stop what runs. Returns how many there were. The account must not be
        active any more, or a new schedule may come in behind. What goes last is the Temporal Schedule: without a row it
        leads the next sweep to whatever an interruption left."""
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
            self._stop(row, step.origin)
            self._ports.schedules.delete(step.tenant_id, row.schedule_id, event)
            self._ports.webhooks.delete(step.tenant_id, row.schedule_id, recovery_days=None)
            self._ports.temporal.remove(row.schedule_id)
            ended += 1
        return ended

    def _row(self, key: Key) -> Schedule | None:
        try:
            return self._ports.schedules.get(key.tenant_id, key.schedule_id)
        except NotFound:
            return None

    def _is_missed(self, row: Schedule, now: datetime) -> bool:
        return is_missed(row, now=now, catch_up=self._given_up_after)

    def _rows(
        self, tenant_id: str | None = None, account_id: str | None = None, *, unreadable: list[str] | None = None
    ) -> Iterator[Schedule]:
        """A page that was read is not read again, so that deleting its rows meanwhile skips none. The keys of rows that
        cannot be read are added to `unreadable`."""
        cursor = None
        while True:
            page = self._ports.schedules.page(tenant_id, account_id=account_id, status=None, limit=PAGE, cursor=cursor)
            activity.heartbeat()
            if unreadable is not None:
                unreadable += page.unreadable
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _stop(self, row: Schedule, origin: Origin) -> None:
        if row.running_execution_id is not None:
            execution = self._ports.executions.get(row.tenant_id, row.running_execution_id)
            self._ports.runs.cancel(execution.workflow_id, Cancellation(origin, "schedules_ended"))

    def _is_abandoned(self, row: Schedule, unreadable: list[str]) -> bool:
        """A run whose row is gone or cannot be read keeps no other schedule from being looked at."""
        if row.running_execution_id is None:
            return False
        try:
            return not self._is_running(row)
        except (NotFound, UnreadableRow):
            unreadable.append(row.running_execution_id)
            return False

    def _is_running(self, row: Schedule) -> bool:
        execution = self._ports.executions.get(row.tenant_id, row.running_execution_id or "")
        return self._ports.runs.is_running(execution.workflow_id)


def _is_astray(row: Schedule, listed: ListedSchedule | None) -> bool:
    """The Temporal Schedule of a one-time row that has fired is gone, or goes by itself. One that cannot be followed
    has none."""
    if row.status is ScheduleStatus.COMPLETED:
        return False
    if unusable(row.cadence) or row.status_reason == REFUSED:
        return listed is not None
    return listed is None or listed.spec_version != row.spec_version


def _count(**found: int) -> None:
    counter = activity.metric_meter().create_counter(SCHEDULE_DRIFT.name, SCHEDULE_DRIFT.meaning)
    for kind, number in found.items():
        counter.add(number, {"kind": kind})
