"""Temporal Schedules, built in full from rows. They are never read to be changed: an update has no conflict token, so
only the newest row may decide."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import InvalidInput, Problem
from domain.schedules.cadence import repeats, unusable
from domain.schedules.schedule import Cadence, ListedSchedule, Preview, ScheduleStatus, ScheduleType
from domain.schedules.schedule import Schedule as Row
from domain.timestamps import parse, stamp
from temporal.calls import call
from temporal.schedules.previews import Previews
from temporal.schedules.spec import Looseness, spec_of

REFUSED = Problem(
    "refused_by_scheduler",
    "Temporal does not take this time zone or this cron expression.",
    remedy="Change the time zone or the expression; the schedule is then active again.",
)

Action = Callable[[Row], ScheduleActionStartWorkflow]
Attributes = Callable[[Row], TypedSearchAttributes]


@dataclass(frozen=True)
class Generation:
    """When a schedule's input was signed, in a search attribute, so that a list of all shows it."""

    attribute: SearchAttributeKey[int]
    present: Callable[[], int]


class TemporalSchedules:
    """The `Schedules` port, for threads. What a schedule starts and is found by is the workflows' to say, so it is
    handed in; `tenant` and `version` are the attributes that hold the tenant and the version of the row. Without a
    `generation` nothing is signed."""

    def __init__(
        self,
        client: Client,
        loop: asyncio.AbstractEventLoop,
        *,
        action: Action,
        attributes: Attributes,
        tenant: SearchAttributeKey[str],
        version: SearchAttributeKey[int],
        looseness: Looseness,
        generation: Generation | None = None,
    ) -> None:
        self._client = client
        self._loop = loop
        self._action = action
        self._attributes = attributes
        self._tenant = tenant
        self._version = version
        self._looseness = looseness
        self._generation = generation
        self._previews = Previews(client)

    def converge(self, schedule: Row) -> None:
        if schedule.status is ScheduleStatus.COMPLETED or unusable(schedule.cadence):
            self.remove(schedule.schedule_id)
            return
        try:
            call(self._loop, self._converge(schedule))
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            raise InvalidInput(problems=[REFUSED]) from None

    def remove(self, schedule_id: str) -> None:
        call(self._loop, self._remove(schedule_id))

    def next_run(self, schedule: Row) -> str | None:
        return call(self._loop, self._next_run(schedule)) if schedule.fires else None

    def next_runs(self, schedules: Sequence[Row]) -> Mapping[str, str]:
        firing = {row.schedule_id: row for row in schedules if row.fires}
        return call(self._loop, self._next_runs(firing)) if firing else {}

    def preview(self, cadence: Cadence, *, count: int) -> Preview:
        return call(self._loop, self._previews.of(cadence, count=count))

    def listed(self) -> Mapping[str, ListedSchedule]:
        return call(self._loop, self._listed())

    def tidy(self) -> None:
        call(self._loop, self._previews.tidy())

    async def _converge(self, row: Row) -> None:
        schedule, attributes = self._schedule(row), self._signed(self._attributes(row))
        try:
            await self._client.create_schedule(
                row.schedule_id, schedule, search_attributes=attributes, trigger_immediately=self._missed(row)
            )
        except ScheduleAlreadyRunningError:
            handle = self._client.get_schedule_handle(row.schedule_id)
            await handle.update(lambda _: ScheduleUpdate(schedule, search_attributes=attributes))

    def _schedule(self, row: Row) -> Schedule:
        once = row.cadence.schedule_type is ScheduleType.ONE_TIME
        return Schedule(
            action=self._action(row),
            spec=spec_of(row.cadence, anchor=parse(row.created_at), jitter=None if once else self._looseness.jitter),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=self._looseness.catch_up),
            state=ScheduleState(
                note=f"{row.name}: version {row.spec_version}. The next change through the API undoes one made here.",
                paused=not row.fires,
                limited_actions=once,
                remaining_actions=1 if once else 0,
            ),
        )

    def _missed(self, row: Row) -> bool:
        """A one-time schedule whose moment passed before Temporal heard of it, within the time to catch up."""
        if row.cadence.run_at is None or not row.fires or row.last_run_at is not None:
            return False
        late = datetime.now(UTC) - parse(row.cadence.run_at)
        return 0 <= late.total_seconds() <= self._looseness.catch_up.total_seconds()

    def _signed(self, attributes: TypedSearchAttributes) -> TypedSearchAttributes:
        if self._generation is None:
            return attributes
        generation = SearchAttributePair(self._generation.attribute, self._generation.present())
        return TypedSearchAttributes([*attributes, generation])

    async def _remove(self, schedule_id: str) -> None:
        try:
            await self._client.get_schedule_handle(schedule_id).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _next_run(self, row: Row) -> str | None:
        try:
            described = await self._client.get_schedule_handle(row.schedule_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None
        return _first(row, described.info.next_action_times)

    async def _next_runs(self, rows: Mapping[str, Row]) -> Mapping[str, str]:
        names = ", ".join(f"'{schedule_id}'" for schedule_id in rows)
        found = {}
        async for listed in await self._client.list_schedules(f"ScheduleId IN ({names})"):
            times = listed.info.next_action_times if listed.info else []
            if moment := _first(rows[listed.id], times):
                found[listed.id] = moment
        return found

    async def _listed(self) -> Mapping[str, ListedSchedule]:
        listing = await self._client.list_schedules(f"{self._version.name} > 0", page_size=1000)
        return {each.id: self._shown(each.typed_search_attributes) async for each in listing}

    def _shown(self, attributes: TypedSearchAttributes) -> ListedSchedule:
        generation = self._generation
        outdated = generation is not None and attributes.get(generation.attribute, 0) < generation.present()
        return ListedSchedule(attributes.get(self._tenant, ""), attributes[self._version], outdated)


def _first(row: Row, moments: Sequence[datetime]) -> str | None:
    now = datetime.now(UTC)
    return next((stamp(moment) for moment in moments if moment > now and not repeats(row.cadence, moment)), None)
