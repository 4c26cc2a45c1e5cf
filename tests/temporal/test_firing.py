"""What we take for a firing is what the server fires, and nothing else."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from temporalio.client import Client

from domain.schedules.firing import fits
from domain.schedules.schedule import Cadence, ScheduleType
from domain.timestamps import parse
from temporal.schedules.previews import Previews

NOW = datetime.now(UTC)
EXPRESSIONS = (
    *("* * * * *", "*/7 * * * *", "5/20 * * * *", "0,30 9-17 * * *", "10-50/13 */5 * * *"),
    *("0 0 * * 0", "0 0 * * 7", "15 3 * * 1-5", "0 12 * * 5-7", "0 6 * * mon,wed", "0 6 * * Fri-Sat", "0 0 * * SUNDAY"),
    *("0 0 1 * *", "0 0 31 * *", "0 0 */10 * *", "0 0 1 jan *", "0 0 1 2-4 *", "0 0 29 2 *", "0 0 1 JUN-aug/2 *"),
    *("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"),
)


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_a_cron(client: Client, expression: str, timezone: str):
    await agrees(client, Cadence(ScheduleType.CRON, cron_expression=expression, timezone=timezone))


@pytest.mark.parametrize("seconds", [60, 3600, 5400, 100_000])
async def test_an_interval(client: Client, seconds: int):
    await agrees(client, Cadence(ScheduleType.INTERVAL, interval_seconds=seconds))


async def agrees(client: Client, cadence: Cadence) -> None:
    """Each moment that the server names fits, and between two of them no minute does."""
    anchor = datetime.now(UTC)
    preview = await Previews(client).of(cadence, count=6)
    moments = [parse(text) for text in preview.fire_times]
    assert moments
    if cadence.schedule_type is ScheduleType.INTERVAL:
        # The preview has an anchor of its own.
        anchor = moments[0]
    assert all(fits(cadence, moment, anchor=anchor) for moment in moments)
    for moment, following in pairwise(moments):
        for minutes in range(1, 3 * 24 * 60):
            between = moment + timedelta(minutes=minutes)
            if between < following:
                assert not fits(cadence, between, anchor=anchor)
