"""Steps that make a schedule what its row says. The row is written first; the Temporal Schedule is then built in full
from the row as it is, so the last one to converge always carries the newest row."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities.audit import event_of
from domain.audit.events import Origin
from domain.errors import Conflict, InvalidInput, NotFound, Problem
from domain.onboarding.credentials import CredentialRef, SealContext, SealPurpose, VaultEntry
from domain.ports import CredentialOpener, CredentialVault
from domain.scans.ports import Schedules, ScheduleStore
from domain.schedules.obstacles import REFUSED, stopped
from domain.schedules.schedule import ChangeKind, Schedule, ScheduleChange
from domain.timestamps import stamp

_ACTIONS = {
    ChangeKind.CREATE: "schedule.created",
    ChangeKind.UPDATE: "schedule.changed",
    ChangeKind.DELETE: "schedule.deleted",
}


@dataclass(frozen=True)
class Converge:
    tenant_id: str
    schedule_id: str


class ScheduleActivities:
    """The steps, over the ports that the worker was given. `webhooks` keeps signing secrets by schedule."""

    def __init__(
        self, store: ScheduleStore, schedules: Schedules, webhooks: CredentialVault, opener: CredentialOpener
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._webhooks = webhooks
        self._opener = opener

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.apply_change, self.converge_schedule]

    @activity.defn(name="apply_schedule_change")
    def apply_change(self, change: ScheduleChange) -> Schedule:
        """The row as it is then; of a deletion, as it last was. A new signing secret becomes the current one after the
        row, so that a change that is refused takes no other one's place."""
        if change.sealed_secret is None:
            return self._written(change, change.schedule)
        schedule = change.schedule
        stored = self._stored(change, change.sealed_secret)
        signing = replace(stored, pending=False)
        row = self._written(change, replace(schedule, notifications=replace(schedule.notifications, signing=signing)))
        self._webhooks.promote(schedule.tenant_id, schedule.schedule_id, stored)
        return row

    @activity.defn(name="converge_schedule")
    def converge_schedule(self, step: Converge) -> None:
        try:
            row = self._store.get(step.tenant_id, step.schedule_id)
        except NotFound:
            if self._is_anothers(step):
                return
            self._schedules.remove(step.schedule_id)
            self._forget_secret(step)
            return
        try:
            self._schedules.converge(row)
        except InvalidInput as refused:
            self._show_refused(row, refused)
            self._schedules.remove(row.schedule_id)
            return
        # One that was never changed has no secret to lose.
        if row.notifications.signing is None and row.spec_version > 1:
            self._forget_secret(step)

    def _show_refused(self, row: Schedule, refused: InvalidInput) -> None:
        """Temporal never takes this cadence: the schedule says so, and nothing asks again."""
        if row.status_reason == REFUSED:
            return
        problems = refused.problems or (Problem(REFUSED, refused.message),)
        event = event_of(
            Origin("system", activity.info().workflow_id or ""),
            step=f"refused-{row.spec_version}",
            tenant_id=row.tenant_id,
            action="schedule.stopped",
            target=f"schedule:{row.schedule_id}",
            at=stamp(datetime.now(UTC)),
            details={"reason": REFUSED},
        )
        with suppress(Conflict, NotFound):  # changed or deleted meanwhile: the next look is at what it is then
            self._store.replace(stopped(row, REFUSED, *problems), event)

    def _written(self, change: ScheduleChange, schedule: Schedule) -> Schedule:
        event = event_of(
            change.origin,
            step=change.change_id,
            tenant_id=schedule.tenant_id,
            action=_ACTIONS[change.kind],
            target=f"schedule:{schedule.schedule_id}",
            at=change.at,
        )
        if change.kind is ChangeKind.CREATE:
            return self._store.create(schedule, event)
        if change.kind is ChangeKind.UPDATE:
            return self._store.replace(schedule, event)
        self._store.delete(schedule.tenant_id, schedule.schedule_id, event)
        return schedule

    def _is_anothers(self, step: Converge) -> bool:
        """Then its Temporal Schedule, whose id carries no tenant, must stay."""
        try:
            return self._store.tenant_of(step.schedule_id) != step.tenant_id
        except NotFound:
            return False

    def _forget_secret(self, step: Converge) -> None:
        self._webhooks.delete(step.tenant_id, step.schedule_id, recovery_days=None)

    def _stored(self, change: ScheduleChange, sealed: str) -> CredentialRef:
        schedule = change.schedule
        context = SealContext(schedule.tenant_id, schedule.schedule_id, change.change_id, SealPurpose.WEBHOOK)
        entry = VaultEntry(
            tenant_id=schedule.tenant_id,
            account_id=schedule.schedule_id,
            submission_id=change.change_id,
            provider_type=schedule.provider_type.value,
            credential=self._opener.open(sealed, context),
            created_at=change.at,
        )
        return self._webhooks.store(entry)
