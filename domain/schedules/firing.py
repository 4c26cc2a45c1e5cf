"""Whether a cadence fires at a moment: what says that it is a firing is let in only then.

The server decides when a schedule fires; this repeats its rules for one moment. An expression that cannot be read here
fits every moment: the row alone says what the cadence is, and nobody else's word is taken for it.
"""

from collections.abc import Iterable
from datetime import datetime

from domain.schedules import cron, zones
from domain.schedules.schedule import Cadence, Schedule, ScheduleType
from domain.timestamps import parse

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_EVERY = ("*", "?")

SKEW_SECONDS = 5
"""Between the server that fires and the one that tells the time."""


def is_new(schedule: Schedule, nominal: datetime, now: datetime) -> bool:
    """Whether `nominal` lies between the schedule's last run and now."""
    since = parse(schedule.last_run_at or schedule.created_at)
    return nominal > since and (nominal - now).total_seconds() <= SKEW_SECONDS


def is_due(schedule: Schedule, nominal: datetime) -> bool:
    """Whether the schedule fires then."""
    return fits(schedule.cadence, nominal, anchor=parse(schedule.created_at))


def fits(cadence: Cadence, moment: datetime, *, anchor: datetime) -> bool:
    """`anchor` is when an interval begins. A one-time schedule that the server hears of late fires then."""
    match cadence.schedule_type:
        case ScheduleType.CRON:
            zone = zones.zone(cadence.timezone)
            return zone is not None and _fits_cron(cadence.cron_expression or "", moment.astimezone(zone))
        case ScheduleType.INTERVAL:
            every = cadence.interval_seconds or 1
            return (int(moment.timestamp()) - int(anchor.timestamp())) % every == 0
        case ScheduleType.ONE_TIME:
            return moment >= parse(cadence.run_at or "").replace(microsecond=0)


def _fits_cron(expression: str, local: datetime) -> bool:
    fields = _ALIASES.get(expression, cron.written_out(expression)).split(" ")
    present = (local.minute, local.hour, local.day, local.month, local.isoweekday() % 7)
    bounds = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 7, _DAYS))
    try:
        matches = [
            value in _values(field, low, high, names)
            for field, value, (low, high, names) in zip(fields, present, bounds, strict=True)
        ]
    except ValueError:
        return True
    return local.second == 0 and all(matches)


def _values(field: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    """Raises ValueError."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in _EVERY:
            start, end = low, high
        else:
            start = _value(first, low, names)
            # One value with a step goes on to the end.
            end = _value(last, low, names) if dash else (high if slash else start)
        found.update(range(start, end + 1, int(step) if slash else 1))
    # Sunday is 0, and 7 too.
    return {value % 7 for value in found} if names is _DAYS else found


def _value(text: str, low: int, names: Iterable[str]) -> int:
    if len(text) >= 3 and text.isalpha():
        return next((number for number, name in enumerate(names, low) if name.startswith(text.lower())), -1)
    return int(text)
