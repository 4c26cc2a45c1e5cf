"""IAM's credential report: one table with every user, in one call, where asking user by user would take thousands.

AWS makes it on request, within seconds to minutes, and hands the same one out for four hours. Its columns:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO

from engines.aws.reader import AwsReader, Unreadable

ROOT = "<root_account>"
YES = "true"
MAX_WAITS = 30

User = dict[str, str]


@dataclass(frozen=True)
class ActiveKey:
    age_days: float
    idle_days: float
    """Since its last use; since it was made, when it was never used."""


def users(aws: AwsReader, region: str) -> Iterator[User]:
    """Every IAM user, without the root user. Raises Unreadable."""
    waits = 0
    state = aws.setting("iam:GenerateCredentialReport", region)["State"]
    while state != "COMPLETE" and waits < MAX_WAITS:
        state = aws.ask_again("iam:GenerateCredentialReport", region)["State"]
        waits += 1
    if state != "COMPLETE":
        raise Unreadable("AWS did not finish its credential report in time.", "The next scan tries again.")
    report = aws.setting("iam:GetCredentialReport", region)["Content"].decode()
    for number, user in enumerate(row for row in csv.DictReader(StringIO(report)) if row["user"] != ROOT):
        if number == aws.limits.max_resources:
            raise Unreadable(f"There are more than {number} users; the rest was not looked at.")
        yield user


def has_password(user: User) -> bool:
    return user["password_enabled"] == YES


def has_mfa(user: User) -> bool:
    return user["mfa_active"] == YES


def number_of_active_keys(user: User) -> int:
    return sum(user[f"access_key_{number}_active"] == YES for number in ("1", "2"))


def active_keys(user: User) -> list[ActiveKey]:
    keys = []
    for number in ("1", "2"):
        if user[f"access_key_{number}_active"] == YES:
            age = _days_since(user[f"access_key_{number}_last_rotated"])
            used = user[f"access_key_{number}_last_used_date"]
            keys.append(ActiveKey(age, _days_since(used) if _is_time(used) else age))
    return keys


def idle_credentials(user: User, *, days: int) -> str:
    """Which of the user's active credentials were not used for that long; empty when none."""
    idle = ["access key"] * sum(key.idle_days > days for key in active_keys(user))
    if has_password(user) and _password_idle_days(user) > days:
        idle.insert(0, "password")
    return ", ".join(idle)


def _password_idle_days(user: User) -> float:
    used = user["password_last_used"]
    return _days_since(used if _is_time(used) else user["password_last_changed"])


def _is_time(text: str) -> bool:
    """Otherwise the report says N/A, no_information or not_supported."""
    return text[:1].isdigit()


def _days_since(text: str) -> float:
    if not _is_time(text):
        raise Unreadable("AWS's credential report does not say when this credential was made or used.")
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds() / 86_400
