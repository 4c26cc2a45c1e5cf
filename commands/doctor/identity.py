"""Who we are in AWS, and whether our clock is right: the answer to one question tells both."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from commands.doctor.finding import Finding, fail, ok, unknown, warn

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

WARN_SECONDS, FAIL_SECONDS = 60, 300
"""AWS refuses a signature that is five minutes off: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-
signed-request.html."""

Clock = Callable[[], datetime]


@dataclass
class Caller:
    """Whom AWS takes us for. Empty until `caller` has been seen."""

    arn: str = ""

    @property
    def account(self) -> str:
        return self.arn.split(":")[4] if self.arn else ""


def identity(sts: "STSClient", account: str, caller: Caller, *, now: Clock) -> Iterator[Finding]:
    """The account, then the clock, which is told even when AWS refuses to say who we are."""
    try:
        answer = sts.get_caller_identity()
    except ClientError as error:
        yield clock(error.response, now())
        raise
    caller.arn = answer["Arn"]
    if answer["Account"] == account:
        yield ok("caller", caller.arn)
    else:
        remedy = "Use credentials of that account, or correct the setting; the checks below look at this one."
        yield fail("caller", f"{caller.arn} is not in the account of PLATFORM_AWS_ACCOUNT_ID", remedy)
    yield clock(answer, now())


def clock(answer: Mapping[str, Any], now: datetime) -> Finding:
    sent = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        apart = (now - parsedate_to_datetime(sent).astimezone(UTC)).total_seconds()
    except ValueError:
        return unknown("clock", "the answer of AWS has no date to compare with")
    found = f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} AWS"
    remedy = "Let the machine keep its time (chrony, systemd-timesyncd); AWS refuses signatures 5 minutes off."
    if abs(apart) > FAIL_SECONDS:
        return fail("clock", found, remedy)
    return warn("clock", found, remedy) if abs(apart) > WARN_SECONDS else ok("clock", found)
