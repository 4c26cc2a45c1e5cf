"""Steps that scan: in this process, or by asking an engine elsewhere. They alone see the credential opened; what they
return are counts and where the findings are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError

from activities.heartbeats import heartbeating
from domain.accounts import ProviderType
from domain.errors import Conflict, NotYet, Unavailable
from domain.onboarding.credentials import Credential
from domain.ports import CredentialVault
from domain.scans.ports import Engines, ExecutionStore, InProcessEngine, OutsideEngine, ResultStore
from domain.scans.scan import EngineProgress, ExecutionStatus, Finding, ScanOrder, ScanPlan, StoredResult
from domain.timestamps import stamp

BUILT_IN, ELSEWHERE = "built-in", "elsewhere"
"""The names of the engines in what is kept about their findings."""

SCANNING = 5 / 6
"""The share of a scan's time that the built-in engine gets: the rest is for storing what it found."""


@dataclass(frozen=True)
class PollScan:
    order: ScanOrder
    every_seconds: int


class EngineActivities:
    """The steps, over the ports that the worker was given."""

    def __init__(
        self, engines: Engines, vault: CredentialVault, results: ResultStore, executions: ExecutionStore
    ) -> None:
        self._engines = engines
        self._vault = vault
        self._results = results
        self._executions = executions

    def all(self) -> Sequence[Callable[..., Any]]:
        return [
            self.scan_in_process,
            self.start_outside_scan,
            self.poll_outside_scan,
            self.collect_outside_scan,
            self.cancel_outside_scan,
        ]

    # Without an exception thrown into its thread: between two AWS calls is where it can stop.
    @activity.defn(name="scan_in_process", no_thread_cancel_exception=True)
    def scan_in_process(self, plan: ScanPlan) -> StoredResult:
        self._is_running(plan.order)
        engine = self._in_process(plan.order.provider_type)
        with heartbeating():
            findings = engine.scan(
                plan.order,
                self._credential(plan),
                external_id=plan.external_id,
                max_seconds=SCANNING * _seconds_left(),
                alive=_alive,
            )
            return self._store(plan, findings)

    @activity.defn(name="start_outside_scan")
    def start_outside_scan(self, plan: ScanPlan) -> None:
        """The session is made and handed over in here, so that it is in no history."""
        order = plan.order
        self._is_running(order)
        narrower = self._engines.narrower(order.provider_type)
        session = narrower.narrow(self._credential(plan), external_id=plan.external_id, execution_id=order.execution_id)
        self._outside(order.provider_type).start(order, session)

    @activity.defn(name="poll_outside_scan")
    def poll_outside_scan(self, step: PollScan) -> EngineProgress:
        """Raises NotYet while it runs: the next attempt is the next poll, and no thread is held between the two."""
        progress = self._outside(step.order.provider_type).poll(step.order)
        if progress.status is ExecutionStatus.RUNNING:
            raise NotYet(retry_after=step.every_seconds)
        return progress

    @activity.defn(name="collect_outside_scan")
    def collect_outside_scan(self, plan: ScanPlan) -> StoredResult:
        self._is_running(plan.order)
        with heartbeating():
            return self._store(plan, self._outside(plan.order.provider_type).findings(plan.order))

    @activity.defn(name="cancel_outside_scan")
    def cancel_outside_scan(self, order: ScanOrder) -> None:
        self._outside(order.provider_type).cancel(order)

    def _is_running(self, order: ScanOrder) -> None:
        """Raises Conflict, and NotFound: whoever repeats the step after the scan's end scans nothing."""
        if self._executions.get(order.tenant_id, order.execution_id).final:
            raise Conflict("The scan has ended.")

    def _credential(self, plan: ScanPlan) -> Credential:
        return self._vault.read(plan.order.tenant_id, plan.order.account_id, plan.credential)

    def _store(self, plan: ScanPlan, findings: Sequence[Finding]) -> StoredResult:
        engine, completed_at = BUILT_IN if plan.in_process else ELSEWHERE, stamp(datetime.now(UTC))
        stored = self._results.write(
            plan.order, findings, started_at=plan.started_at, completed_at=completed_at, engine=engine
        )
        return replace(stored, nothing_decided=stored.counts.decided == 0)

    def _in_process(self, provider_type: ProviderType) -> InProcessEngine:
        """A worker of an older or newer version may have let the run in: another one has to go on with it."""
        if engine := self._engines.in_process(provider_type):
            return engine
        raise Unavailable

    def _outside(self, provider_type: ProviderType) -> OutsideEngine:
        if engine := self._engines.outside(provider_type):
            return engine
        raise Unavailable


def _seconds_left() -> float:
    """What is left for this attempt of the time that the run was given; both ends are told by the server's clock."""
    info = activity.info()
    whole = info.schedule_to_close_timeout or timedelta.max
    return (whole - (info.started_time - info.scheduled_time)).total_seconds()


def _alive(percent: int) -> None:
    """Raises when the scan is to stop: for good, or to be taken up by another worker."""
    activity.heartbeat(percent)
    if activity.is_worker_shutdown():
        raise Unavailable
    if activity.is_cancelled():
        raise CancelledError("The scan was cancelled.")
