"""What a cadence will do, asked of the server itself: a paused schedule is made, looked at and thrown away."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import InvalidInput, Problem
from domain.schedules.cadence import names_its_hours, next_change_of_clocks, repeats
from domain.schedules.schedule import Cadence, Preview, ScheduleType
from domain.timestamps import stamp
from temporal.schedules.spec import spec_of

UNREADABLE = Problem("invalid", "The server cannot read this cron expression.", "/cron_expression")
UNKNOWN_ZONE = Problem(
    "unknown_timezone", "The server does not know this time zone; name another one of the region.", "/timezone"
)
PREFIX = "preview-"
LEFT_OVER = timedelta(minutes=10)
"""A throw-away schedule of this age was left by a process that died."""


class Previews:
    """Asks the server of `client`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def of(self, cadence: Cadence, *, count: int) -> Preview:
        """Raises InvalidInput when the server refuses the cadence."""
        found = await self._asked(cadence)
        moments = [moment for moment in found if not repeats(cadence, moment)]
        return Preview(tuple(stamp(moment) for moment in moments[:count]), tuple(await self._notes(cadence)))

    async def tidy(self) -> None:
        """Remove what a process that died did not."""
        async for listed in await self._client.list_schedules(f"ScheduleId STARTS_WITH '{PREFIX}'"):
            handle = self._client.get_schedule_handle(listed.id)
            if datetime.now(UTC) - (await handle.describe()).info.created_at > LEFT_OVER:
                await handle.delete()

    async def _asked(self, cadence: Cadence) -> Sequence[datetime]:
        """Raises InvalidInput, which names the zone when that is what the server does not know: it has a database of
        zones of its own."""
        try:
            return await self._moments(spec_of(cadence, anchor=datetime.now(UTC)))
        except InvalidInput:
            if cadence.timezone == "UTC":
                raise
        await self._moments(spec_of(replace(cadence, timezone="UTC"), anchor=datetime.now(UTC)))
        raise InvalidInput(problems=[UNKNOWN_ZONE])

    async def _moments(self, spec: ScheduleSpec) -> Sequence[datetime]:
        try:
            async with self._thrown_away(spec) as handle:
                return (await handle.describe()).info.next_action_times
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
        raise InvalidInput(problems=[UNREADABLE])

    @asynccontextmanager
    async def _thrown_away(self, spec: ScheduleSpec) -> AsyncIterator[ScheduleHandle]:
        name = f"{PREFIX}{uuid4()}"
        nothing = ScheduleActionStartWorkflow("Nothing", id=name, task_queue=name)
        paused = ScheduleState(note="A preview, about to be removed.", paused=True)
        handle = await self._client.create_schedule(name, Schedule(nothing, spec, state=paused))
        try:
            yield handle
        finally:
            await handle.delete()

    async def _notes(self, cadence: Cadence) -> list[str]:
        """What happens when the clocks next change, if the cadence names a time that is then lost or repeated."""
        if cadence.schedule_type is not ScheduleType.CRON:
            return []
        change = next_change_of_clocks(cadence.timezone, datetime.now(UTC))
        if change is None:
            return []
        old, new = change
        affected = await self._local_times(cadence, min(old, new), max(old, new))
        if not affected:
            return []
        return [_note(cadence, min(old, new), affected, forward=new > old)]

    async def _local_times(self, cadence: Cadence, start: datetime, end: datetime) -> Sequence[datetime]:
        """When the cadence would fire between two local times, on a clock that never changes."""
        steady = spec_of(replace(cadence, timezone="UTC"), anchor=start.replace(tzinfo=UTC))
        steady.start_at = start.replace(tzinfo=UTC)
        steady.end_at = (end - timedelta(seconds=1)).replace(tzinfo=UTC)
        return await self._moments(steady)


def _note(cadence: Cadence, when: datetime, affected: Sequence[datetime], *, forward: bool) -> str:
    times = ", ".join(f"{at:%H:%M}" for at in affected[:3]) + (" and others" if len(affected) > 3 else "")
    if forward:
        return f"On {when:%Y-%m-%d} the clocks go forward over {times}: nothing fires then."
    fires = "it fires the first time only" if names_its_hours(cadence) else "it fires both times"
    return f"On {when:%Y-%m-%d} the clocks go back and {times} comes twice: {fires}."
