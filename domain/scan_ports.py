"""What the core asks of the outside for schedules and scans. The rules of `domain.ports` hold here too."""

from collections.abc import Callable, Sequence
from typing import Protocol

from domain.audit import AuditEvent
from domain.credentials import Credential, Secret
from domain.notifications import Channel, Delivery, Notification
from domain.pages import Page
from domain.scans import EngineProgress, Execution, Finding, ScanEnd, ScanOrder, StoredResult
from domain.schedules import Cadence, Preview, Schedule, ScheduleStatus


class ScheduleStore(Protocol):
    def create(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        """Raises NotFound without the account, Conflict when it is not active, AlreadyExists for an id in use."""

    def get(self, tenant_id: str, schedule_id: str) -> Schedule:
        """Raises NotFound, also for another tenant's. Strongly consistent."""

    def tenant_of(self, schedule_id: str) -> str:
        """For platform administrators. Raises NotFound."""

    def replace(self, schedule: Schedule, event: AuditEvent) -> Schedule:
        """Write the successor of `spec_version - 1`; claim and counters stay. Raises NotFound, StaleVersion."""

    def delete(self, tenant_id: str, schedule_id: str, event: AuditEvent) -> None:
        """One that is missing is no error."""

    def claim(self, schedule: Schedule, execution: Execution, event: AuditEvent, *, stale: str | None = None) -> None:
        """Write the execution's row and hold the schedule for it, in one transaction. Raises NotFound when the schedule
        is gone, StaleVersion when it is not at `schedule.spec_version` or does not fire any more, ScanRunning when
        another execution than `stale` holds it."""

    def release(
        self, tenant_id: str, execution: Execution, end: ScanEnd, event: AuditEvent, *, pause_after: int
    ) -> Schedule | None:
        """Close the execution's row and, when it holds a schedule, let that go and count the run; a one-time schedule
        completes, and after `pause_after` failures in a row the status becomes error. The successor of the schedule,
        None without one. Closing a closed row with the same event changes nothing; with another raises Conflict."""

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
    def start(self, execution: Execution, event: AuditEvent) -> None:
        """The row of a scan that has no schedule."""

    def get(self, tenant_id: str, execution_id: str) -> Execution:
        """Raises NotFound."""

    def tenant_of(self, execution_id: str) -> str:
        """For platform administrators. Raises NotFound."""

    def add_delivery(self, tenant_id: str, execution_id: str, delivery: Delivery) -> None:
        """Show what became of a notification; one entry a channel, the latest."""

    def page(
        self, tenant_id: str, *, schedule_id: str | None, account_id: str | None, limit: int, cursor: str | None
    ) -> Page[Execution]:
        """Newest first."""


class ResultStore(Protocol):
    """Full findings as objects, counts as rows."""

    def write(
        self, order: ScanOrder, findings: Sequence[Finding], *, started_at: str, completed_at: str
    ) -> StoredResult:
        """Under tenant, account and scan; writing again replaces the same object."""

    def get(self, tenant_id: str, execution_id: str) -> StoredResult:
        """Raises NotFound."""

    def link(self, result: StoredResult) -> str:
        """A URL that shows the findings for five minutes."""


class Schedules(Protocol):
    """Temporal Schedules, built in full from rows."""

    def converge(self, schedule: Schedule) -> None:
        """Make, replace or pause the Temporal Schedule as the row says. Raises InvalidInput when it never fires."""

    def remove(self, schedule_id: str) -> None:
        """One that is missing is no error."""

    def next_run(self, schedule: Schedule) -> str | None:
        """None when it is paused or will not fire."""

    def preview(self, cadence: Cadence, *, count: int) -> Preview:
        """Asked of the server through a paused throw-away schedule. Raises InvalidInput."""

    def versions(self) -> dict[str, int]:
        """The spec version of every Temporal Schedule of ours, by schedule id: for the sweep."""

    def is_running(self, execution_id: str, tenant_id: str) -> bool:
        """Whether the workflow of that execution is still open."""


class InProcessEngine(Protocol):
    """Scans in the worker's own process."""

    def scan(
        self, order: ScanOrder, credential: Credential, *, external_id: str, alive: Callable[[int], None]
    ) -> Sequence[Finding]:
        """Calls `alive(percent)` often; it raises when the scan is to stop. Raises Trouble, CredentialRefused."""


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


class Notifier(Protocol):
    """Delivers to one kind of channel."""

    def deliver(self, channel: Channel, notification: Notification, signing: Secret | None) -> None:
        """Raises Trouble to be tried again, InvalidInput when it can never work."""
