"""The platform's own Temporal Schedules, which no row describes. Workers keep them, because only who signs commands can
make them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError

from domain.errors import OnboardingError
from domain.setup import SetupFinding, SetupState
from temporal.signing.signatures import generation_of

LOOK_SECONDS, RETRY_SECONDS = 3600.0, 30.0

log = structlog.get_logger("temporal")


@dataclass(frozen=True)
class Recurring:
    """Something that is done again and again."""

    action: ScheduleActionStartWorkflow
    every: timedelta


@asynccontextmanager
async def kept(client: Client, wanted: Sequence[Recurring], generation: Callable[[], int]) -> AsyncIterator[None]:
    """From the beginning each of them exists, with its interval and signed in the present month. What cannot be made is
    tried again meanwhile."""
    pause = await _look(client, wanted, generation)
    keeping = asyncio.create_task(_keep(client, wanted, generation, pause))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep(client: Client, wanted: Sequence[Recurring], generation: Callable[[], int], pause: float) -> None:
    while True:
        await asyncio.sleep(pause)
        pause = await _look(client, wanted, generation)


async def _look(client: Client, wanted: Sequence[Recurring], generation: Callable[[], int]) -> float:
    """The seconds until the next look."""
    pause = LOOK_SECONDS
    for each in wanted:
        try:
            await ensure_recurring(client, each.action, each.every, generation=generation())
        except (RPCError, OnboardingError) as error:
            log.warning("recurring.not_kept", schedule=each.action.id, exc_info=error)
            pause = RETRY_SECONDS
    return pause


async def ensure_recurring(
    client: Client, action: ScheduleActionStartWorkflow, every: timedelta, *, generation: int = 0
) -> SetupFinding:
    """A schedule with the id of the workflow that it starts, signed in the month `generation` or later. One that an
    operator paused stays paused."""
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every)])
    # What was missed is not made up for: the next one does all of it.
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every)
    wanted, thing = Schedule(action, spec, policy), f"Temporal Schedule {action.id}"
    try:
        await client.create_schedule(action.id, wanted)
    except ScheduleAlreadyRunningError:
        return await _repaired(client, action.id, wanted, thing, generation)
    return SetupFinding(thing, SetupState.CREATED, f"every {every.total_seconds():.0f} s")


async def _repaired(client: Client, schedule_id: str, wanted: Schedule, thing: str, generation: int) -> SetupFinding:
    handle = client.get_schedule_handle(schedule_id)
    found = (await handle.describe()).schedule
    outdated = signed_in(found) < generation
    if found.spec.intervals == wanted.spec.intervals and not outdated:
        return SetupFinding(thing, SetupState.FOUND)
    wanted.state = found.state
    await handle.update(lambda _: ScheduleUpdate(wanted))
    return SetupFinding(thing, SetupState.REPAIRED, "signature" if outdated else "interval")


def signed_in(schedule: Schedule) -> int:
    """The month that the input of its workflow was signed in, 0 when it was not. As it was described by the server."""
    arguments: Sequence[Any] = getattr(schedule.action, "args", ())
    return min((generation_of(each) for each in arguments if isinstance(each, Payload)), default=0)
