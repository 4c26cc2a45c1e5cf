"""A cadence in the words of Temporal's Schedules."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

from domain.schedules import cron, zones
from domain.schedules.schedule import Cadence, ScheduleType
from domain.timestamps import parse


@dataclass(frozen=True)
class Looseness:
    """How exactly schedules fire. Jitter is Temporal's own: a hash of the schedule's id and of the moment, so it
    differs from one firing to the next, and is the same whenever one and the same firing is computed."""

    jitter: timedelta
    catch_up: timedelta
    """How late a run may start after an outage; what is later than that is left out. The server's default is a year."""


def spec_of(cadence: Cadence, *, anchor: datetime, jitter: timedelta | None = None) -> ScheduleSpec:
    """`anchor` is when an interval begins: Temporal would count it from 1970."""
    if cadence.schedule_type is ScheduleType.CRON:
        zone = zones.named(cadence.timezone) or cadence.timezone
        return ScheduleSpec(
            cron_expressions=[cron.written_out(cadence.cron_expression or "")], time_zone_name=zone, jitter=jitter
        )
    if cadence.schedule_type is ScheduleType.INTERVAL:
        every = timedelta(seconds=max(1, cadence.interval_seconds or 0))
        offset = timedelta(seconds=int(anchor.timestamp()) % int(every.total_seconds()))
        return ScheduleSpec(intervals=[ScheduleIntervalSpec(every, offset)], jitter=jitter)
    return ScheduleSpec(calendars=[_once(parse(cadence.run_at or ""))])


def _once(moment: datetime) -> ScheduleCalendarSpec:
    at = moment.astimezone(UTC)
    return ScheduleCalendarSpec(
        second=[ScheduleRange(at.second)],
        minute=[ScheduleRange(at.minute)],
        hour=[ScheduleRange(at.hour)],
        day_of_month=[ScheduleRange(at.day)],
        month=[ScheduleRange(at.month)],
        year=[ScheduleRange(at.year)],
    )
