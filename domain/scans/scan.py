"""A scan of an account: what is asked of an engine, what it finds, and the rows that remain.

A scan and its execution are one thing with one id.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.accounts import ProviderType
from domain.audit.events import Origin
from domain.errors import Problem
from domain.onboarding.credentials import CredentialRef
from domain.scans.notifications import Delivery, NotificationSettings
from domain.schedules.schedule import ScanScope


class ExecutionStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """What a newer version wrote. No run is ended as this."""


class TriggeredBy(StrEnum):
    SCHEDULER = "scheduler"
    MANUAL = "manual"
    API = "api"
    UNKNOWN = "unknown"
    """What a newer version wrote."""


class CheckStatus(StrEnum):
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    ERROR = "error"
    """Could not be decided, for lack of a permission or because the cloud did not answer. Never counted as a pass."""


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


GLOBAL = "global"
"""The region of a finding that is of no region."""
NOT_SCANNED = "not-scanned"
"""The check of findings that say what was not looked at."""
UNUSABLE = "unusable-finding"
"""The check of findings that stand for one that an engine sent and that cannot be read."""
PARTIAL = frozenset({NOT_SCANNED, UNUSABLE})


@dataclass(frozen=True)
class Finding:
    """What one check says of one resource."""

    check_id: str
    title: str
    status: CheckStatus
    severity: Severity
    resource: str
    """The resource's own id in its cloud, for AWS an ARN."""
    region: str
    service: str
    message: str
    remedy: str = ""
    standards: tuple[str, ...] = ()
    """Where the check stands in a benchmark, for example "CIS AWS Foundations 3.0.0 / 1.4"."""


@dataclass(frozen=True)
class Counts:
    total: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0

    @property
    def decided(self) -> int:
        return self.passed + self.failed

    @property
    def partial(self) -> bool:
        """Whether some checks were decided and others could not be."""
        return self.decided > 0 and self.errors > 0


@dataclass(frozen=True)
class ScanRequest:
    """Starts a run of a schedule. Its limits are values in here, so that a changed setting never changes a run."""

    tenant_id: str
    schedule_id: str
    origin: Origin
    triggered_by: TriggeredBy = TriggeredBy.SCHEDULER
    spec_version: int | None = None
    """The version of the row that the firing Temporal Schedule was built from; a run of an older one leaves. None when
    somebody triggered it."""
    execution_id: str = ""
    """Empty when a Temporal Schedule starts it: it then follows from the workflow's id."""
    max_seconds: int = 3600
    poll_seconds: int = 10
    converge_queue: str = "onboarding"
    """Where schedules are converged."""


@dataclass(frozen=True)
class ScanOrder:
    """What an engine is asked for."""

    execution_id: str
    tenant_id: str
    account_id: str
    provider_type: ProviderType
    account_number: str
    scope: ScanScope


@dataclass(frozen=True)
class ScanPlan:
    """What a run that was admitted works with: the order, the credential by reference, and whom to tell."""

    order: ScanOrder
    started_at: str
    credential: CredentialRef
    external_id: str
    in_process: bool
    """Whether the built-in engine scans; otherwise one behind a URL does."""
    notifications: NotificationSettings = field(default_factory=NotificationSettings)


class Leaving(StrEnum):
    """Why a run was not admitted."""

    PAUSED = "schedule_paused"
    CHANGED = "schedule_changed"
    DELETED = "schedule_deleted"
    RUNNING = "scan_running"
    TENANT = "tenant_disabled"
    ACCOUNT = "account_not_active"
    REPEATED_HOUR = "repeated_hour"
    """The clock was set back, and the schedule has fired at this time of day already."""
    NOT_DUE = "not_due"
    """It says that the schedule fired, at a time when it does not fire, or has run since."""
    ENDED = "scan_ended"
    """It ran before, under the same id."""
    NO_ENGINE = "no_engine"
    """Nothing can scan this cloud here: no engine is built in, and none is configured."""
    UNREADABLE = "unreadable_row"
    """A record that the run needs is stored in a form that this version does not know."""
    CADENCE = "unusable_cadence"
    """The schedule is stored with a time zone or an interval that does not exist."""


@dataclass(frozen=True)
class Admission:
    """Whether a run may go on: with a plan it may, else `leaving` says why not."""

    plan: ScanPlan | None = None
    leaving: Leaving | None = None
    running_execution_id: str | None = None
    """With `scan_running`: the execution that holds the schedule."""
    stopped: bool = False
    """Whether leaving has changed the schedule's status, which Temporal then has to follow."""


@dataclass(frozen=True)
class EngineProgress:
    """What an outside engine answers to a poll."""

    status: ExecutionStatus
    percent: int = 0
    error_code: str | None = None


@dataclass(frozen=True)
class StoredResult:
    """Where the full findings are, and their counts."""

    location: str
    counts: Counts
    nothing_decided: bool = False
    """Whether no check came to a pass or a failure, which is no success. Said by the step, so that a run that began
    with an older version ends as that one would have ended it."""


@dataclass(frozen=True)
class ScanResult:
    """One row of the scan-results table; its id is that of the execution."""

    scan_id: str
    tenant_id: str
    account_id: str
    provider_type: ProviderType
    started_at: str
    completed_at: str
    location: str
    counts: Counts


@dataclass(frozen=True)
class Execution:
    """One row of the executions table."""

    execution_id: str
    tenant_id: str
    account_id: str
    provider_type: ProviderType
    schedule_id: str
    workflow_id: str
    triggered_by: TriggeredBy
    started_at: str
    status: ExecutionStatus = ExecutionStatus.RUNNING
    completed_at: str | None = None
    counts: Counts = Counts()
    error_code: str | None = None
    problems: tuple[Problem, ...] = ()
    """Why it failed, in sentences for people, and what to do about it."""
    result_location: str | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def final(self) -> bool:
        return self.status is not ExecutionStatus.RUNNING


@dataclass(frozen=True)
class ScanEnd:
    """How a run ended: what closes its row."""

    status: ExecutionStatus
    completed_at: str
    error_code: str | None = None
    result: StoredResult | None = None
    deliveries: tuple[Delivery, ...] = ()
    problems: tuple[Problem, ...] = ()


class ScanState(StrEnum):
    """Where a run is, for people and for searches."""

    ADMITTING = "admitting"
    LEFT = "left"
    SCANNING = "scanning"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class ScanOutcome:
    """What a run answers at its end."""

    execution_id: str
    state: ScanState
    leaving: Leaving | None = None
    error_code: str | None = None
    counts: Counts = Counts()
    problems: tuple[Problem, ...] = ()
