"""What a failed call to a cloud means: the customer's mistake, our own, or trouble that passes.

Each cloud has a table of rows, read from the top: the first row that fits decides. A row fits by the HTTP status and
the cloud's own code, never by a message. What no row fits is ours to look at, never the customer's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from domain.errors import ClockSkew, PlatformConfig, Throttled, Trouble, Unavailable
from providers.checks import Refused

MAX_RETRY_AFTER_SECONDS = 300.0

CLOCK_TOLERANCE = timedelta(minutes=5) - timedelta(seconds=5)
"""The clouds take signatures that are up to five minutes old; a little less, because Date counts whole seconds."""


class Passing(StrEnum):
    """What is not about the customer. The values are codes of `Trouble`."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    CLOCK_SKEW = "clock_skew"
    PLATFORM_CONFIG = "platform_config"


@dataclass(frozen=True)
class Failure:
    """The facts of one failed call."""

    status: int
    codes: tuple[str, ...] = ()
    """The cloud's own codes for it, the most telling one first."""
    clock_differs: bool = False
    """Whether the answer's Date is so far from our clock that no signature of ours can be right."""
    retry_after: float | None = None
    """Seconds, as the cloud asked for."""


@dataclass(frozen=True)
class Row:
    """One line of a cloud's table. None fits everything. `meaning` is a reason of the cloud's, or Passing."""

    status: int | None
    code: str | None
    meaning: StrEnum
    timed: bool = False
    """Whether a wrong clock of ours gets the same answer; with one it is our trouble."""

    def fits(self, failure: Failure) -> bool:
        fits_status = self.status is None or self.status == failure.status
        return fits_status and (self.code is None or self.code in failure.codes)


@dataclass(frozen=True)
class Judge:
    """A cloud's table, and the name that its sentences call the cloud by."""

    cloud: str
    table: Sequence[Row]

    def judge(self, failure: Failure) -> Trouble | Refused:
        """The exception to raise for a failed call."""
        row = next((row for row in self.table if row.fits(failure)), None)
        meaning = row.meaning if row else _by_status(failure.status)
        if row and row.timed and failure.clock_differs:
            meaning = Passing.CLOCK_SKEW
        match meaning:
            case Passing.THROTTLED:
                message = f"{self.cloud} asks the platform to slow down; try again shortly."
                return Throttled(message, retry_after=_wait(failure))
            case Passing.UNAVAILABLE:
                return self.unavailable(_wait(failure))
            case Passing.CLOCK_SKEW:
                return ClockSkew()
            case Passing.PLATFORM_CONFIG:
                return self.misconfigured(next(iter(failure.codes), str(failure.status)))
            case _:
                return Refused(meaning)

    def unavailable(self, retry_after: float | None = None) -> Unavailable:
        message = f"{self.cloud} does not answer properly at the moment; your credential is not at fault."
        return Unavailable(message, retry_after=retry_after)

    def misconfigured(self, code: str) -> PlatformConfig:
        """Names the cloud's code for the operators, when it looks like one."""
        what = code if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._]{1,63}", code) else "unknown"
        return PlatformConfig(
            f"The platform cannot use {self.cloud} ({what}); the operators have been told. "
            "Your credential is not at fault."
        )


def _by_status(status: int) -> Passing:
    if status == 429:
        return Passing.THROTTLED
    return Passing.UNAVAILABLE if status >= 500 or status < 400 else Passing.PLATFORM_CONFIG


def _wait(failure: Failure) -> float | None:
    return None if failure.retry_after is None else min(failure.retry_after, MAX_RETRY_AFTER_SECONDS)


def clock_differs(date: str) -> bool:
    """Whether an answer's Date header and our clock are so far apart that every signature of ours is refused."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return False
    return abs(datetime.now(UTC) - theirs.astimezone(UTC)) > CLOCK_TOLERANCE


def seconds(retry_after: str) -> float | None:
    """A Retry-After header; None when it is missing or is a date."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
