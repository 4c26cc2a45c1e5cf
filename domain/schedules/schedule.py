"""When an account is scanned: the desired state that a row holds and a Temporal Schedule follows."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.accounts import ProviderType
from domain.audit.events import Origin
from domain.errors import Problem
from domain.scans.notifications import NotificationSettings


class ScheduleType(StrEnum):
    CRON = "cron"
    INTERVAL = "interval"
    ONE_TIME = "one_time"


class ScheduleStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ERROR = "error"
    """Paused by the platform: the row says why, and setting it active again is the way to resume."""
    COMPLETED = "completed"
    """A one-time schedule that fired."""
    UNKNOWN = "unknown"
    """What a newer version wrote. Such a schedule does not fire."""


@dataclass(frozen=True)
class Cadence:
    """When it fires: exactly the field of its type is set. Cron and calendar times are of `timezone`."""

    schedule_type: ScheduleType
    cron_expression: str | None = None
    interval_seconds: int | None = None
    run_at: str | None = None
    """A stamp."""
    timezone: str = "UTC"


@dataclass(frozen=True)
class ScanScope:
    """What is scanned: empty means everything."""

    regions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    exclude_services: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skip:
    """A time at which the schedule was to fire and nothing was scanned."""

    at: str
    reason: str
    """A code."""


@dataclass(frozen=True)
class Schedule:
    """One row of the schedules table. `spec_version` counts the changes that the Temporal Schedule must follow, from 1;
    counters and claims change without it."""

    schedule_id: str
    tenant_id: str
    account_id: str
    provider_type: ProviderType
    name: str
    cadence: Cadence
    created_at: str
    updated_at: str
    created_by: str
    description: str = ""
    scope: ScanScope = field(default_factory=ScanScope)
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    status: ScheduleStatus = ScheduleStatus.ACTIVE
    status_reason: str | None = None
    """Code of the reason for a status that the platform set."""
    problems: tuple[Problem, ...] = ()
    """What led to that status, in sentences for people, and what to do about it."""
    spec_version: int = 1
    running_execution_id: str | None = None
    """The execution that holds the schedule: at most one runs at a time."""
    last_run_at: str | None = None
    run_count: int = 0
    success_count: int = 0
    failure_count: int = 0
    consecutive_failures: int = 0
    last_skip: Skip | None = None
    """The latest time that was left out; it stays when the schedule runs again."""

    @property
    def fires(self) -> bool:
        return self.status is ScheduleStatus.ACTIVE


@dataclass(frozen=True)
class ListedSchedule:
    """A Temporal Schedule in a list of all: whose it is, and which version of the row it was built from."""

    tenant_id: str
    spec_version: int
    outdated: bool = False
    """Whether its input was signed in an earlier month, or not at all."""


FAILED_REPEATEDLY = "failed_repeatedly"
MISSED = "missed"
"""Why the platform paused a schedule: too many failures in a row, or a one-time schedule whose moment passed without a
run."""


class ChangeKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class ScheduleChange:
    """What `ConvergeSchedule` is told. `schedule` is the row as it is to be: for an update the whole successor, its
    `spec_version` one above the version that the caller saw."""

    kind: ChangeKind
    schedule: Schedule
    origin: Origin
    change_id: str
    at: str
    """With the id it names the change, so that doing it again, even in another workflow run, is recognised."""
    sealed_secret: str | None = None
    """A new signing secret for webhooks, sealed with the purpose `webhook` for the schedule and the change."""


@dataclass(frozen=True)
class ConvergeRequest:
    """Which schedule is converged. With `repair` it is at once; otherwise the change that comes with the start is."""

    tenant_id: str
    schedule_id: str
    repair: bool = False


@dataclass(frozen=True)
class Preview:
    """The next times a cadence fires, as the Temporal server computes them, and what to know about them."""

    fire_times: tuple[str, ...]
    notes: tuple[str, ...] = ()
