"""A run that says it is a firing is believed only where the row says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.accounts import ProviderType
from domain.schedules.firing import fits, is_due, is_new
from domain.schedules.schedule import Cadence, Schedule, ScheduleType

CREATED = "2026-11-01T10:20:30.400Z"
NIGHTLY = Cadence(ScheduleType.CRON, cron_expression="30 2 * * *", timezone="Europe/Berlin")
SCHEDULE = Schedule(
    schedule_id="s",
    tenant_id="t",
    account_id="a",
    provider_type=ProviderType.AWS,
    name="Nightly",
    cadence=NIGHTLY,
    created_at=CREATED,
    updated_at=CREATED,
    created_by="key:test",
)
DUE = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def test_a_cron_fires_at_its_local_time_and_at_no_other():
    assert is_due(SCHEDULE, DUE)
    assert not any(is_due(SCHEDULE, DUE + timedelta(minutes=minutes)) for minutes in range(1, 24 * 60))
    assert not is_due(SCHEDULE, DUE + timedelta(seconds=1))


def test_an_interval_counts_from_the_schedules_beginning():
    schedule = replace(SCHEDULE, cadence=Cadence(ScheduleType.INTERVAL, interval_seconds=7200))
    begun = datetime(2026, 11, 1, 10, 20, 30, tzinfo=UTC)
    assert is_due(schedule, begun + timedelta(hours=4))
    assert not is_due(schedule, begun + timedelta(hours=3))


def test_a_one_time_schedule_fires_at_its_moment_or_as_soon_as_the_server_hears_of_it():
    once = Cadence(ScheduleType.ONE_TIME, run_at="2026-11-23T01:30:00.000Z")
    assert fits(once, DUE, anchor=DUE)
    assert fits(once, DUE + timedelta(minutes=20), anchor=DUE)
    assert not fits(once, DUE - timedelta(seconds=1), anchor=DUE)


@pytest.mark.parametrize(
    ("changes", "now", "new"),
    [
        ({}, DUE, True),
        ({}, DUE + timedelta(minutes=50), True),
        ({"last_run_at": "2026-11-22T01:30:02.000Z"}, DUE, True),
        ({"last_run_at": "2026-11-23T01:30:02.000Z"}, DUE + timedelta(hours=1), False),
        ({"created_at": "2026-11-23T01:30:00.000Z"}, DUE, False),
        ({}, DUE - timedelta(minutes=1), False),
    ],
    ids=["first", "late", "next", "again", "before it was made", "ahead of its time"],
)
def test_a_firing_is_of_now_and_comes_once(changes: dict[str, Any], now: datetime, new: bool):
    assert is_new(replace(SCHEDULE, **changes), DUE, now) is new


def test_an_expression_that_cannot_be_read_here_is_left_to_the_server():
    unread = replace(SCHEDULE, cadence=replace(NIGHTLY, cron_expression="0 0 L * *"))
    assert is_due(unread, DUE)
