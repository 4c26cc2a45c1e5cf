"""Time zones: those of the IANA database in the package tzdata, and of nothing else.

A machine's own zone files differ from one image to the next (Debian ships 486 names of about 600, and whatever else
lies in that folder), so a schedule that one worker reads another one could not.
"""

import zoneinfo
from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo

NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
"""They are files of the database, and say nothing about a place."""

zoneinfo.reset_tzpath(to=())
# What was read before this line may have come from the machine.
ZoneInfo.clear_cache()


def zone(name: str) -> ZoneInfo | None:
    """None for what is no zone. Upper and lower case do not matter."""
    known = named(name)
    return ZoneInfo(known) if known else None


def named(name: str) -> str | None:
    """The zone's name as the database writes it, None for what is no zone."""
    return _names().get(name.casefold())


def names() -> tuple[str, ...]:
    """Every name and every link, in order."""
    return tuple(sorted(_names().values()))


@cache
def _names() -> Mapping[str, str]:
    """By the name in lower case: no two differ in that alone, which a test holds."""
    return {name.casefold(): name for name in zoneinfo.available_timezones() - NO_ZONES}
