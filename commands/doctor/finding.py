"""What a check found: one line each. A check that cannot be made is a finding too, and never taken for a good one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ClientError

from domain.errors import OnboardingError, PlatformConfig
from stores.errors import aws_failures

DENIED = {"AccessDenied", "AccessDeniedException"}


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """`thing` is a kind and a name, `found` what there is of it, `remedy` what to do about it. None of them holds the
    value of a secret."""

    level: Level
    thing: str
    found: str
    remedy: str = ""


Look = Callable[[], Iterable[Finding]]


def ok(thing: str, found: str) -> Finding:
    return Finding(Level.OK, thing, found)


def warn(thing: str, found: str, remedy: str) -> Finding:
    return Finding(Level.WARN, thing, found, remedy)


def fail(thing: str, found: str, remedy: str) -> Finding:
    return Finding(Level.FAIL, thing, found, remedy)


def unknown(thing: str, found: str, remedy: str = "") -> Finding:
    return Finding(Level.UNKNOWN, thing, found, remedy)


def sound(thing: str, found: str, problems: Iterable[Finding]) -> tuple[Finding, ...]:
    """The problems, or that there is none."""
    return tuple(problems) or (ok(thing, found),)


def examined(thing: str, look: Look) -> tuple[Finding, ...]:
    """What `look` finds in AWS. When AWS denies the look itself, that says nothing about the thing."""
    try:
        with aws_failures():
            return _seen(thing, look)
    except OnboardingError as error:
        remedy = (
            "Check region, credentials and TLS of this process."
            if isinstance(error, PlatformConfig)
            else "Check the way to AWS (network, VPC endpoints), then run this again."
        )
        return (fail(thing, f"cannot be examined ({cause_of(error)})", remedy),)


def _seen(thing: str, look: Look) -> tuple[Finding, ...]:
    try:
        return tuple(look())
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        return (unknown(thing, f"not allowed to look ({error.operation_name})", "Run this as a role that may."),)


def cause_of(error: OnboardingError) -> str:
    """The operation and the code, or the class, of what AWS or boto3 said; never its text."""
    return ", ".join(getattr(error, "__notes__", ())) or error.code


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
