"""What keeps a schedule from being scanned although nobody paused it. The schedule shows it as its status, and is
active again when it is gone."""

from collections.abc import Mapping
from dataclasses import replace

from domain.errors import Problem
from domain.scans.scan import Leaving
from domain.schedules.schedule import Schedule, ScheduleStatus

NO_ENGINE = Problem(
    Leaving.NO_ENGINE.value,
    "Nothing scans this cloud here: no engine is built in, and none is configured.",
    remedy="Ask the operators to configure an engine; the schedule then goes on by itself.",
)
TENANT = Problem(
    Leaving.TENANT.value,
    "The tenant is disabled.",
    remedy="Ask the platform's administrators to enable it; the schedule then goes on by itself.",
)
ACCOUNT = Problem(
    Leaving.ACCOUNT.value,
    "The account is not active.",
    remedy="Bring the account back; the schedule then goes on by itself.",
)
UNREADABLE = Problem(
    Leaving.UNREADABLE.value,
    "The record of the tenant or of the account cannot be read.",
    remedy="Ask the operators to repair it; the schedule then goes on by itself.",
)
UNUSABLE = Leaving.CADENCE.value

OBSTACLES: Mapping[str, Problem] = {each.code: each for each in (NO_ENGINE, TENANT, ACCOUNT, UNREADABLE)}

REFUSED = "refused_by_scheduler"
"""Temporal does not take the cadence. It is not among the obstacles, because only another cadence helps."""


def is_stopped(schedule: Schedule) -> bool:
    """Whether the platform stopped it because of an obstacle."""
    reason = schedule.status_reason
    return schedule.status is ScheduleStatus.ERROR and (reason in OBSTACLES or reason == UNUSABLE)


def settled(schedule: Schedule, obstacle: Problem | None) -> Schedule | None:
    """The successor that shows the obstacle, or that goes on without one; None when the schedule is as it should be."""
    if obstacle is not None and (schedule.fires or is_stopped(schedule)):
        if schedule.status_reason == obstacle.code and not schedule.fires:
            return None
        return stopped(schedule, obstacle.code, obstacle)
    if obstacle is None and is_stopped(schedule):
        return _turned(schedule, ScheduleStatus.ACTIVE, None)
    return None


def stopped(schedule: Schedule, reason: str, *problems: Problem) -> Schedule:
    return _turned(schedule, ScheduleStatus.ERROR, reason, problems)


def _turned(
    schedule: Schedule, status: ScheduleStatus, reason: str | None, problems: tuple[Problem, ...] = ()
) -> Schedule:
    version = schedule.spec_version + 1
    return replace(schedule, status=status, status_reason=reason, problems=problems, spec_version=version)
