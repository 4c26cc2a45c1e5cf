"""The API's calls of the workflows of schedules and scans, bounded in time as those of an onboarding are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateStage,
)
from temporalio.common import Priority, WorkflowIDConflictPolicy
from temporalio.service import RPCError

from api.auth.access import missing
from api.onboarding_calls import NOT_NOW, Gone, bounded
from api.services import Services
from domain.audit.events import Origin
from domain.edge_errors import TenantDisabled
from domain.errors import Busy, Conflict, NoEngine, NotFound, ScanRunning, Unavailable
from domain.onboarding.messages import Cancellation
from domain.scans.scan import Admission, Execution, Leaving, ScanOutcome, ScanRequest, TriggeredBy
from domain.schedules.schedule import ConvergeRequest, Schedule, ScheduleChange
from workflows.ids import ONBOARDING_PRIORITY, SCAN_PRIORITY, converge_id, scan_id
from workflows.scans.run_scan import RunScan
from workflows.schedules.converge_schedule import ConvergeSchedule
from workflows.search_attributes import of_scan, of_schedule

NOT_ACTIVE = "The account is not active; bring it back before it is scanned."


@dataclass(frozen=True)
class ScheduleCalls:
    """Changes schedules and runs them."""

    services: Services

    async def change(self, change: ScheduleChange) -> Schedule:
        """Write the row and bring Temporal to it. Raises Unavailable, and what the store raises."""
        schedule = change.schedule
        start: WithStartWorkflowOperation[ConvergeSchedule, None] = WithStartWorkflowOperation(
            ConvergeSchedule.run,
            ConvergeRequest(schedule.tenant_id, schedule.schedule_id),
            id=converge_id(schedule.tenant_id, schedule.schedule_id),
            task_queue=self.services.onboarding_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=of_schedule(schedule),
            priority=Priority(priority_key=ONBOARDING_PRIORITY, fairness_key=schedule.tenant_id),
            static_summary=f"Change the schedule {schedule.schedule_id}",
        )
        try:
            async with bounded(self.services.limits.accept_wait_seconds), _looked_at(start):
                return await self.services.temporal.execute_update_with_start_workflow(
                    ConvergeSchedule.apply, change, start_workflow_operation=start, id=change.change_id
                )
        except NotFound:
            # It was deleted meanwhile.
            raise missing("schedule", "schedule_id") from None
        except Gone:
            # It ended between the start and the update: the next try starts another one.
            raise Unavailable(NOT_NOW) from None

    async def trigger(self, schedule: Schedule, execution_id: str, origin: Origin) -> None:
        """Start a run and wait until it holds the schedule. Raises Unavailable, ScanRunning, Conflict, NotFound. A run
        that left has used nothing up, so its id may run again; one that was admitted is not to be triggered again."""
        start: WithStartWorkflowOperation[RunScan, ScanOutcome] = WithStartWorkflowOperation(
            RunScan.run,
            self._request(schedule, execution_id, origin),
            id=scan_id(schedule.tenant_id, execution_id),
            task_queue=self.services.scans_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=of_scan(schedule),
            priority=Priority(priority_key=SCAN_PRIORITY, fairness_key=schedule.tenant_id),
            static_summary=f"Scan {schedule.provider_type.value} account {schedule.account_id}",
        )
        try:
            async with bounded(self.services.limits.accept_wait_seconds), _looked_at(start):
                # Without an id of ours: the server would answer it from the run that left.
                admission = await self.services.temporal.execute_update_with_start_workflow(
                    RunScan.admitted, execution_id, start_workflow_operation=start
                )
        except Gone:
            # It ended without saying so: an operator terminated it, perhaps. The next try looks for its row first.
            raise Unavailable(NOT_NOW) from None
        _refuse(admission)

    async def cancel(self, execution: Execution, origin: Origin, update_id: str) -> None:
        """End a run as cancelled. Raises Unavailable, and Conflict when it came to its own end first; when that is not
        certain after a while, the run itself will say."""
        handle: WorkflowHandle[RunScan, ScanOutcome] = self.services.temporal.get_workflow_handle_for(
            RunScan.run, execution.workflow_id
        )
        try:
            async with bounded(self.services.limits.accept_wait_seconds):
                update = await handle.start_update(
                    RunScan.cancel, Cancellation(origin), id=update_id, wait_for_stage=WorkflowUpdateStage.ACCEPTED
                )
            with suppress(Unavailable):
                async with bounded(self.services.limits.accept_wait_seconds):
                    await update.result()
        except Gone:
            raise Conflict("The scan has ended.") from None

    def _request(self, schedule: Schedule, execution_id: str, origin: Origin) -> ScanRequest:
        limits = self.services.limits
        return ScanRequest(
            tenant_id=schedule.tenant_id,
            schedule_id=schedule.schedule_id,
            origin=origin,
            triggered_by=TriggeredBy.MANUAL,
            execution_id=execution_id,
            max_seconds=limits.scan_seconds,
            poll_seconds=limits.scan_poll_seconds,
            converge_queue=self.services.onboarding_queue,
        )


@asynccontextmanager
async def _looked_at(start: WithStartWorkflowOperation[Any, Any]) -> AsyncIterator[None]:
    """When the call fails, the operation's own future has failed too, and nobody else looks at it."""
    try:
        yield
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        with suppress(type(error)):
            await start.workflow_handle()
        raise


def _refuse(admission: Admission) -> None:
    match admission.leaving:
        case None:
            return
        case Leaving.RUNNING:
            raise ScanRunning(execution_id=admission.running_execution_id)
        case Leaving.TENANT:
            raise TenantDisabled
        case Leaving.ACCOUNT:
            raise Conflict(NOT_ACTIVE)
        case Leaving.NO_ENGINE:
            raise NoEngine
        case Leaving.DELETED:
            raise missing("schedule", "schedule_id")
        case _:
            raise Busy("The schedule is being changed at this moment; try again.")
