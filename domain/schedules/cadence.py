"""Which cadences are accepted, and which of their moments count.

When a cadence fires is the Temporal server's to say; here is what it would take without a word and do otherwise than
its author meant.
"""

from dataclasses import replace
from datetime import UTC, datetime

from domain.errors import Problem
from domain.schedules import cron, zones
from domain.schedules.schedule import Cadence, ScheduleType
from domain.timestamps import parse

MAX_INTERVAL_SECONDS = 366 * 24 * 3600

_UNKNOWN_ZONE = Problem("unknown_timezone", "Name a time zone of the IANA database, such as UTC.", "/timezone")

_FIELD_OF = {
    ScheduleType.CRON: "cron_expression",
    ScheduleType.INTERVAL: "interval_seconds",
    ScheduleType.ONE_TIME: "run_at",
}


def problems_of(cadence: Cadence, *, now: datetime, min_interval_seconds: int) -> tuple[Problem, ...]:
    """What can be told without asking the server."""
    wanted = _FIELD_OF[cadence.schedule_type]
    problems = [
        Problem("unexpected", f"A schedule of type {cadence.schedule_type.value} has no {name}.", f"/{name}")
        for name in _FIELD_OF.values()
        if name != wanted and getattr(cadence, name) is not None
    ]
    if zones.named(cadence.timezone) is None:
        problems.append(_UNKNOWN_ZONE)
    if getattr(cadence, wanted) is None:
        return (*problems, Problem("missing", f"A schedule of this type needs {wanted}.", f"/{wanted}"))
    if cadence.cron_expression is not None:
        problems += _cron(cadence.cron_expression)
    if cadence.interval_seconds is not None:
        problems += _interval(cadence.interval_seconds, min_interval_seconds)
    if cadence.run_at is not None and parse(cadence.run_at) <= now:
        problems.append(Problem("never_fires", "run_at is in the past; name a time to come.", "/run_at"))
    return tuple(problems)


def _interval(seconds: int, least: int) -> list[Problem]:
    if least <= seconds <= MAX_INTERVAL_SECONDS:
        return []
    sentence = f"Choose an interval of {least} to {MAX_INTERVAL_SECONDS} seconds."
    return [Problem("out_of_range", sentence, "/interval_seconds")]


def _cron(expression: str) -> list[Problem]:
    try:
        cron.canonical(expression)
    except cron.Unreadable as unreadable:
        return [Problem(unreadable.code, unreadable.message, "/cron_expression")]
    return []


def unusable(cadence: Cadence) -> Problem | None:
    """Why a stored cadence can never be followed; None when it can. It was accepted once, or came from elsewhere."""
    wanted = _FIELD_OF[cadence.schedule_type]
    if zones.named(cadence.timezone) is None:
        return _UNKNOWN_ZONE
    if getattr(cadence, wanted) is None:
        return Problem("missing", f"A schedule of this type needs {wanted}.", f"/{wanted}")
    if cadence.interval_seconds is not None and cadence.interval_seconds < 1:
        return _interval(cadence.interval_seconds, 1)[0]
    return None


def tidied(cadence: Cadence) -> Cadence:
    """With one blank between the fields of a cron expression, and the zone as the database writes it."""
    expression = cadence.cron_expression
    return replace(
        cadence,
        cron_expression=None if expression is None else cron.tidied(expression),
        timezone=zones.named(cadence.timezone) or cadence.timezone,
    )


def repeats(cadence: Cadence, nominal: datetime) -> bool:
    """Whether the clock was set back just before `nominal`, and the cadence has fired at this time of day already. One
    that names its hours fires once; one that fires in every hour fires in the repeated one too."""
    zone = zones.zone(cadence.timezone)
    return zone is not None and names_its_hours(cadence) and nominal.astimezone(zone).fold == 1


def names_its_hours(cadence: Cadence) -> bool:
    """Whether it is a cron that fires at certain hours only, rather than in every one."""
    expression = cadence.cron_expression
    if expression is None or expression.lower() == "@hourly":
        return False
    fields, written_out = expression.split(), cron.written_out(expression).split()
    return expression.startswith("@") or (len(fields) > 1 and not fields[1].startswith("*") and written_out[1] != "*")


def next_change_of_clocks(timezone: str, now: datetime, *, days: int = 366) -> tuple[datetime, datetime] | None:
    """The local times, without a zone, between which the next gap or repetition lies, as (old clock, new clock) at the
    moment of the change; None without one in that time."""
    zone, hour = zones.zone(timezone), 3600
    if zone is None:
        return None
    start = int(now.timestamp()) // hour * hour
    for moment in range(start, start + days * 24 * hour, hour):
        before = datetime.fromtimestamp(moment - 1, zone).utcoffset()
        after = datetime.fromtimestamp(moment, zone).utcoffset()
        if before != after and before is not None and after is not None:
            at = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
            return at + before, at + after
    return None
