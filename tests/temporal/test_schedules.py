"""Temporal Schedules as the server has them: what it does with a cadence, and what it would get wrong by itself."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow

from domain.accounts import ProviderType
from domain.errors import InvalidInput
from domain.schedules.cadence import next_change_of_clocks
from domain.schedules.schedule import Cadence, ListedSchedule, Preview, Schedule, ScheduleStatus, ScheduleType
from domain.timestamps import parse, stamp
from temporal.schedules.schedules import TemporalSchedules
from temporal.schedules.spec import Looseness
from tests.patience import PATIENCE_SECONDS
from tests.rig import eventually
from workflows.search_attributes import SPEC_VERSION, TENANT_ID, of_schedule

BERLIN = "Europe/Berlin"
AT = "2026-01-01T00:17:00.000Z"


def nothing(row: Schedule) -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow("Nothing", id=f"nothing-{row.schedule_id}", task_queue="nobody")


def schedules(client: Client, jitter: timedelta = timedelta(0)) -> TemporalSchedules:
    return TemporalSchedules(
        client,
        asyncio.get_running_loop(),
        action=nothing,
        attributes=of_schedule,
        tenant=TENANT_ID,
        version=SPEC_VERSION,
        looseness=Looseness(jitter=jitter, catch_up=timedelta(hours=1)),
    )


def row(cadence: Cadence, **changes: Any) -> Schedule:
    schedule = Schedule(
        schedule_id=str(uuid.uuid4()),
        tenant_id=str(uuid.uuid4()),
        account_id=str(uuid.uuid4()),
        provider_type=ProviderType.AWS,
        name="Nightly",
        cadence=cadence,
        created_at=AT,
        updated_at=AT,
        created_by="key:test",
    )
    return replace(schedule, **changes)


def cron(expression: str, timezone: str = "UTC") -> Cadence:
    return Cadence(ScheduleType.CRON, cron_expression=expression, timezone=timezone)


async def in_thread(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await asyncio.to_thread(call, *args, **kwargs)


async def preview(client: Client, cadence: Cadence, count: int = 10) -> Preview:
    found = await in_thread(schedules(client).preview, cadence, count=count)
    assert isinstance(found, Preview)
    return found


async def test_a_preview_gives_the_next_times(client: Client):
    found = await preview(client, cron("0 2 * * *"))
    moments = [parse(text) for text in found.fire_times]
    assert len(moments) == 10
    assert {(moment.hour, moment.minute) for moment in moments} == {(2, 0)}
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(days=1)}


async def test_a_preview_leaves_nothing_behind(client: Client):
    await preview(client, cron("0 2 * * *"))
    await asyncio.sleep(0.2)
    names = [listed.id async for listed in await client.list_schedules("ScheduleId STARTS_WITH 'preview-'")]
    assert names == []


@pytest.mark.parametrize(
    "expression", ["61 * * * *", "0 25 * * *", "0 0 L * *", "* * * * 9", "a b c d e", "1-0 * * * *"]
)
async def test_what_the_server_cannot_read_is_refused(client: Client, expression: str):
    with pytest.raises(InvalidInput):
        await preview(client, cron(expression))


async def test_a_value_with_a_step_ends_with_its_field_and_not_on_sunday(client: Client):
    found = await preview(client, cron("0  2 * * 1/2"))
    assert {parse(text).strftime("%a") for text in found.fire_times} == {"Mon", "Wed", "Fri"}


async def test_a_zone_that_the_server_does_not_know_is_what_is_named(client: Client):
    with pytest.raises(InvalidInput) as refused:
        await preview(client, cron("0 2 * * *", "Mars/Phobos"))
    assert [(problem.code, problem.pointer) for problem in refused.value.problems] == [
        ("unknown_timezone", "/timezone")
    ]


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 30 FEB *"])
async def test_a_day_that_never_comes_has_no_times(client: Client, expression: str):
    assert (await preview(client, cron(expression))).fire_times == ()


@pytest.mark.parametrize("alias", ["@yearly", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@annually"])
async def test_the_words_are_known_to_the_server(client: Client, alias: str):
    assert (await preview(client, cron(alias))).fire_times != ()


async def test_an_interval_begins_with_the_schedule_and_not_in_1970(client: Client):
    cadence = Cadence(ScheduleType.INTERVAL, interval_seconds=6 * 3600)
    schedule = row(cadence)
    temporal = schedules(client)
    await in_thread(temporal.converge, schedule)
    moment = parse(await in_thread(temporal.next_run, schedule))
    await in_thread(temporal.remove, schedule.schedule_id)
    assert (moment - parse(AT)) % timedelta(hours=6) == timedelta(0)


async def test_the_hour_that_is_lost_in_spring_is_told(client: Client):
    gap = next_change(BERLIN)
    lost = cron(f"30 {gap.hour} * * *", BERLIN)
    [note] = (await preview(client, lost)).notes
    assert f"{gap.hour:02}:30" in note
    assert (await preview(client, cron("30 12 * * *", BERLIN))).notes == ()


async def test_a_zone_without_summer_time_has_no_notes(client: Client):
    assert (await preview(client, cron("30 2 * * *", "Asia/Kolkata"))).notes == ()


async def test_many_schedules_of_one_time_do_not_fire_in_one_second(client: Client):
    temporal = schedules(client, jitter=timedelta(minutes=5))
    rows = [row(cron("0 2 * * *")) for _ in range(20)]
    for schedule in rows:
        await in_thread(temporal.converge, schedule)
    times = [await in_thread(temporal.next_run, schedule) for schedule in rows]
    again = [await in_thread(temporal.next_run, schedule) for schedule in rows]
    for schedule in rows:
        await in_thread(temporal.remove, schedule.schedule_id)
    assert len(set(times)) > 10
    assert times == again
    assert all(parse(text).hour == 2 and parse(text).minute < 5 for text in times)


async def test_a_page_learns_its_next_runs_in_one_call(client: Client):
    temporal = schedules(client)
    rows = [row(cron("0 2 * * *")), row(cron("0 3 * * *"), status=ScheduleStatus.PAUSED)]
    for schedule in rows:
        await in_thread(temporal.converge, schedule)
    expected = {schedule.schedule_id: ListedSchedule(schedule.tenant_id, 1) for schedule in rows}

    async def are_listed() -> bool:
        listed = await in_thread(temporal.listed)
        return {name: listed.get(name) for name in expected} == expected

    await eventually(are_listed)
    found = await in_thread(temporal.next_runs, rows)
    for schedule in rows:
        await in_thread(temporal.remove, schedule.schedule_id)
    assert set(found) == {rows[0].schedule_id}
    assert parse(found[rows[0].schedule_id]).hour == 2


async def test_operators_find_schedules_by_tenant(client: Client):
    temporal, schedule = schedules(client), row(cron("0 2 * * *"))
    await in_thread(temporal.converge, schedule)
    query = f"TenantId = '{schedule.tenant_id}'"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := [listed.id async for listed in await client.list_schedules(query)]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await in_thread(temporal.remove, schedule.schedule_id)
    assert found == [schedule.schedule_id]


async def test_removing_what_is_not_there_is_no_error(client: Client):
    await in_thread(schedules(client).remove, str(uuid.uuid4()))
    assert await in_thread(schedules(client).next_run, row(cron("0 2 * * *"))) is None


async def test_a_one_time_schedule_has_one_moment(client: Client):
    moment = stamp((datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0))
    assert (await preview(client, Cadence(ScheduleType.ONE_TIME, run_at=moment))).fire_times == (moment,)


def next_change(timezone: str) -> datetime:
    """The local time at which the clocks next change."""
    change = next_change_of_clocks(timezone, datetime.now(UTC))
    assert change is not None
    assert ZoneInfo(timezone)
    return min(change)
