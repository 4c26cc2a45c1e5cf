"""What the core asks of the outside for schedules and scans. The rules of `domain.ports` hold here too."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from domain.accounts import ProviderType
from domain.audit.events import AuditEvent
from domain.errors import Problem
from domain.onboarding.credentials import Credential, Secret
from domain.onboarding.messages import Cancellation
from domain.pages import Page
from domain.scans.notifications import Channel, Delivery, Notification
from domain.scans.scan import EngineProgress, Execution, Finding, ScanEnd, ScanOrder, ScanResult, StoredResult
from domain.schedules.schedule import Cadence, ListedSchedule, Preview, Schedule, ScheduleStatus, Skip


class ScheduleStore(Protocol):
    def create(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        """Raises NotFound without the account, Conflict when it is not active, AlreadyExists for an id in use."""

    def get(self, tenant_id: str, schedule_id: str) -> Schedule:
        """Raises NotFound, also for another tenant's. Strongly consistent."""

    def tenant_of(self, schedule_id: str) -> str:
        """For platform administrators. Raises NotFound."""

    def replace(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        """Write the successor of `spec_version - 1`; claim and counters stay, but a schedule that is set active again
        has no failures in a row. Raises NotFound, StaleVersion."""

    def close_channels(self, schedule: Schedule, event: AuditEvent) -> None:
        """Write the notification channels of this very version in their sealed form, and change nothing else. Raises
        NotFound, StaleVersion."""

    def delete(self, tenant_id: str, schedule_id: str, event: AuditEvent) -> None:
        """One that is missing is no error."""

    def claim(self, schedule: Schedule, execution: Execution, event: AuditEvent, *, stale: str | None = None) -> None:
        """Write the execution's row and hold the schedule for it, in one transaction; with `stale`, the id of an
        execution whose workflow is gone, that one's row is closed as failed, `abandoned`, in the same transaction, with
        an event of its own.
        Raises NotFound when the schedule is gone, StaleVersion when it is not at `schedule.spec_version` any more,
        ScanRunning when another execution than `stale` holds it."""

    def release(self, execution: Execution, end: ScanEnd, event: AuditEvent, *, pause_after: int) -> Schedule | None:
        """Close the execution's row; let its schedule go if it holds it, and count the run: a one-time schedule
        completes, and after `pause_after` failures in a row the status becomes error with the reason
        `failed_repeatedly`; either raises `spec_version` and has an event of its own. A cancelled run counts as neither
        success nor failure. The schedule as it then is, None when it is gone. Closing a closed row with the same event
        changes nothing, with another one raises Conflict."""

    def note_skip(self, schedule: Schedule, skip: Skip, event: AuditEvent) -> None:
        """Show on the row that a run was left. When the row is gone, the event is kept alone."""

    def page(
        self,
        tenant_id: str | None,
        *,
        account_id: str | None,
        status: ScheduleStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Schedule]:
        """Of a tenant, of one of its accounts, or of all tenants (for the sweep) when `tenant_id` is None."""


class ExecutionStore(Protocol):
    def get(self, tenant_id: str, execution_id: str) -> Execution:
        """Raises NotFound. Strongly consistent."""

    def tenant_of(self, execution_id: str) -> str:
        """For platform administrators. Raises NotFound."""

    def record_delivery(self, tenant_id: str, execution_id: str, delivery: Delivery, event: AuditEvent) -> None:
        """Show what became of a notification: replaces the entry of the same channel. Raises NotFound."""

    def page(
        self, tenant_id: str, *, schedule_id: str | None, account_id: str | None, limit: int, cursor: str | None
    ) -> Page[Execution]:
        """Of a schedule or of an account, newest first."""


class ResultStore(Protocol):
    """Full findings as objects, counts as rows."""

    def write(
        self, order: ScanOrder, findings: Sequence[Finding], *, started_at: str, completed_at: str, engine: str = ""
    ) -> StoredResult:
        """Under tenant, account and scan; writing again replaces the same object and row, with the same events. What
        the events say is told against the scan before of the same account and engine."""

    def get(self, tenant_id: str, scan_id: str) -> ScanResult:
        """Raises NotFound."""

    def tenant_of(self, scan_id: str) -> str:
        """For platform administrators. Raises NotFound."""

    def page(self, tenant_id: str, *, account_id: str, limit: int, cursor: str | None) -> Page[ScanResult]:
        """Of an account, newest first."""

    def link(self, result: ScanResult) -> str:
        """A URL that shows the findings for five minutes."""


class Schedules(Protocol):
    """Temporal Schedules, built in full from rows."""

    def converge(self, schedule: Schedule) -> None:
        """Make or replace the Temporal Schedule so that it is what the row says. Raises InvalidInput for a cadence that
        the server refuses."""

    def remove(self, schedule_id: str) -> None:
        """One that is missing is no error."""

    def next_run(self, schedule: Schedule) -> str | None:
        """None when it does not fire any more, or not now."""

    def next_runs(self, schedules: Sequence[Schedule]) -> Mapping[str, str]:
        """The same for a page of at most 100, in one call and a moment old; one that does not fire is left out."""

    def preview(self, cadence: Cadence, *, count: int) -> Preview:
        """Asked of the server through a paused throw-away schedule. Raises InvalidInput for a cadence that the server
        refuses; one that never fires has no fire times."""

    def listed(self) -> Mapping[str, ListedSchedule]:
        """Every Temporal Schedule of ours by schedule id, a moment old: for the sweep."""

    def tidy(self) -> None:
        """Remove what previews of a process that died left behind."""


class RunningScans(Protocol):
    """The runs that are under way, as Temporal knows them."""

    def is_running(self, workflow_id: str) -> bool: ...

    def cancel(self, workflow_id: str, cancellation: Cancellation) -> None:
        """Ask the run to end as cancelled. One that has ended is no error."""


class InProcessEngine(Protocol):
    """Scans in the worker's own process."""

    def scan(
        self,
        order: ScanOrder,
        credential: Credential,
        *,
        external_id: str,
        max_seconds: float,
        alive: Callable[[int], None],
    ) -> Sequence[Finding]:
        """What was not reached within `max_seconds` is a finding too. Calls `alive(percent)` often; it raises when the
        scan is to stop. Raises Trouble, CredentialRefused."""


class OutsideEngine(Protocol):
    """Scans elsewhere: asked, polled, cancelled. The execution id is the job's, so a repeated start is no new one."""

    def start(self, order: ScanOrder, session: Credential) -> None:
        """Hand the order over with a short-lived credential. Starting a running job again renews its credential."""

    def poll(self, order: ScanOrder) -> EngineProgress: ...

    def findings(self, order: ScanOrder) -> Sequence[Finding]: ...

    def cancel(self, order: ScanOrder) -> None:
        """A job that is unknown or finished is no error."""


class Narrower(Protocol):
    """Makes the credential that an outside engine gets: short-lived and narrowed where the cloud can do that."""

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential: ...


class Engines(Protocol):
    """What can scan here, by cloud. An engine behind a URL comes before a built-in one."""

    def in_process(self, provider_type: ProviderType) -> InProcessEngine | None: ...

    def outside(self, provider_type: ProviderType) -> OutsideEngine | None: ...

    def narrower(self, provider_type: ProviderType) -> Narrower: ...


class ChannelPolicy(Protocol):
    """Which channels may be named at all."""

    def problems(self, channel: Channel) -> Sequence[Problem]:
        """What can be told without a connection: the form, and addresses that are not for customers to name."""


class Notifier(Protocol):
    """Delivers to one kind of channel."""

    def deliver(self, channel: Channel, notification: Notification, signing: Secret | None) -> None:
        """Raises Trouble to be tried again, InvalidInput when it can never work."""
