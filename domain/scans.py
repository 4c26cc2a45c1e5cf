"""A scan of an account: what is asked of an engine, what it finds, and the rows that remain.

A scan and its execution are one thing with one id.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.accounts import ProviderType
from domain.audit import Origin
from domain.credentials import CredentialRef
from domain.notifications import Delivery, NotificationSettings
from domain.schedules import ScanScope


class ExecutionStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TriggeredBy(StrEnum):
    SCHEDULER = "scheduler"
    MANUAL = "manual"
    API = "api"


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


@dataclass(frozen=True)
class ScanRequest:
    """Starts a run. From a Temporal Schedule `execution_id` is empty: it then follows from the workflow's id."""

    tenant_id: str
    account_id: str
    origin: Origin
    schedule_id: str | None = None
    spec_version: int | None = None
    """The version that the firing schedule was built from; a run of an older one leaves. None when triggered."""
    triggered_by: TriggeredBy = TriggeredBy.SCHEDULER
    execution_id: str = ""
    scope: ScanScope = field(default_factory=ScanScope)
    """For a scan without a schedule; otherwise the row's scope counts."""


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
    credential: CredentialRef
    credential_type: str
    external_id: str
    in_process: bool
    """Whether the built-in engine scans; otherwise one behind a URL does."""
    notifications: NotificationSettings = field(default_factory=NotificationSettings)


@dataclass(frozen=True)
class Admission:
    """Whether a run may go on. `code` says why one leaves quietly: schedule_paused, schedule_changed, schedule_deleted,
    already_running, account_not_active."""

    plan: ScanPlan | None
    code: str = "admitted"
    running_execution_id: str | None = None
    """With already_running: the execution that holds the schedule."""


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


@dataclass(frozen=True)
class Execution:
    """One row of the executions table."""

    execution_id: str
    tenant_id: str
    account_id: str
    provider_type: ProviderType
    triggered_by: TriggeredBy
    started_at: str
    status: ExecutionStatus = ExecutionStatus.RUNNING
    schedule_id: str | None = None
    completed_at: str | None = None
    counts: Counts = Counts()
    error_code: str | None = None
    result_location: str | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def terminal(self) -> bool:
        return self.status is not ExecutionStatus.RUNNING


@dataclass(frozen=True)
class ScanEnd:
    """How a run ended: what closes its row."""

    status: ExecutionStatus
    error_code: str | None = None
    result: StoredResult | None = None


@dataclass(frozen=True)
class ScanView:
    """What the query of a run answers."""

    execution_id: str
    state: str
    percent: int = 0
