"""The platform's own Temporal Schedules, which no row describes."""

from datetime import timedelta

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

from domain.setup import SetupFinding, SetupState


async def ensure_recurring(client: Client, action: ScheduleActionStartWorkflow, every: timedelta) -> SetupFinding:
    """A schedule with the id of the workflow that it starts. One that an operator paused stays paused."""
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every)])
    # What was missed is not made up for: the next one does all of it.
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every)
    wanted, thing = Schedule(action, spec, policy), f"Temporal Schedule {action.id}"
    try:
        await client.create_schedule(action.id, wanted)
    except ScheduleAlreadyRunningError:
        return await _repaired(client, action.id, wanted, thing)
    return SetupFinding(thing, SetupState.CREATED, f"every {every.total_seconds():.0f} s")


async def _repaired(client: Client, schedule_id: str, wanted: Schedule, thing: str) -> SetupFinding:
    handle = client.get_schedule_handle(schedule_id)
    found = (await handle.describe()).schedule
    if found.spec.intervals == wanted.spec.intervals:
        return SetupFinding(thing, SetupState.FOUND)
    wanted.state = found.state
    await handle.update(lambda _: ScheduleUpdate(wanted))
    return SetupFinding(thing, SetupState.REPAIRED, "interval")
