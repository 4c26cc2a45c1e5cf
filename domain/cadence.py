"""Which cadences are accepted, and which of their moments count.

Whether a cron expression can be read, and when it fires, is the Temporal server's to say; here is what the server would
take without a word and do otherwise than its author meant.
"""

import re
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from domain.errors import Problem
from domain.schedules import Cadence, ScheduleType
from domain.timestamps import parse

ALIASES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
MAX_INTERVAL_SECONDS = 366 * 24 * 3600
MAX_CRON_CHARACTERS = 256

_FIELD_OF = {
    ScheduleType.CRON: "cron_expression",
    ScheduleType.INTERVAL: "interval_seconds",
    ScheduleType.ONE_TIME: "run_at",
}
_CRON_CHARACTERS = re.compile(r"[0-9A-Za-z*,/? -]+", re.ASCII)


def problems_of(cadence: Cadence, *, now: datetime, min_interval_seconds: int) -> tuple[Problem, ...]:
    """What can be told without asking the server."""
    wanted = _FIELD_OF[cadence.schedule_type]
    problems = [
        Problem("unexpected", f"A schedule of type {cadence.schedule_type.value} has no {name}.", f"/{name}")
        for name in _FIELD_OF.values()
        if name != wanted and getattr(cadence, name) is not None
    ]
    if cadence.timezone not in _zones():
        problems.append(Problem("unknown_timezone", "Name a time zone of the IANA database, such as UTC.", "/timezone"))
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
    def problem(code: str, message: str) -> list[Problem]:
        return [Problem(code, message, "/cron_expression")]

    fields = expression.split(" ")
    if len(expression) > MAX_CRON_CHARACTERS:
        return problem("too_long", f"A cron expression has at most {MAX_CRON_CHARACTERS} characters.")
    if expression.startswith("@"):
        return [] if expression in ALIASES else problem("invalid", f"The known words are {', '.join(ALIASES)}.")
    if len(fields) != 5 or "" in fields or not _CRON_CHARACTERS.fullmatch(expression):
        return problem("invalid", "Write five fields: minute, hour, day of the month, month, day of the week.")
    if not {fields[2], fields[4]} & {"*", "?"}:
        # Cron programs fire when either matches, the server only when both do.
        return problem("both_days", "Restrict the day of the month or the day of the week, not both.")
    return []


def repeats(cadence: Cadence, nominal: datetime) -> bool:
    """Whether the clock was set back just before `nominal`, and the cadence has fired at this time of day already. One
    that names its hours fires once; one that fires in every hour fires in the repeated one too."""
    return names_its_hours(cadence) and nominal.astimezone(ZoneInfo(cadence.timezone)).fold == 1


def names_its_hours(cadence: Cadence) -> bool:
    """Whether it is a cron that fires at certain hours only, rather than in every one."""
    expression = cadence.cron_expression
    if expression is None or expression == "@hourly":
        return False
    return expression.startswith("@") or not expression.split(" ")[1].startswith("*")


def next_change_of_clocks(timezone: str, now: datetime, *, days: int = 366) -> tuple[datetime, datetime] | None:
    """The local times, without a zone, between which the next gap or repetition lies, as (old clock, new clock) at the
    moment of the change; None without one in that time."""
    zone, hour = ZoneInfo(timezone), 3600
    start = int(now.timestamp()) // hour * hour
    for moment in range(start, start + days * 24 * hour, hour):
        before = datetime.fromtimestamp(moment - 1, zone).utcoffset()
        after = datetime.fromtimestamp(moment, zone).utcoffset()
        if before != after and before is not None and after is not None:
            at = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
            return at + before, at + after
    return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
