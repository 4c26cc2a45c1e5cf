"""RunScan: claim the schedule, scan, store what was found, close the execution, tell whom it concerns.

A run that is not to be leaves without a row. One that was admitted always closes its row, and closes it once: however
the scan ends, by its result, a failure or a cancellation.
"""

import asyncio
from datetime import timedelta
from typing import cast
from uuid import NAMESPACE_URL, uuid5

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    import workflows.ids as ids
    import workflows.metrics as meters
    import workflows.scans.ends as ends
    import workflows.scans.steps as steps
    import workflows.scans.story as scan_story
    from domain.audit.events import Origin
    from domain.errors import Conflict, UserError
    from domain.onboarding.messages import Cancellation
    from domain.scans.scan import (
        Admission,
        Counts,
        EngineProgress,
        ExecutionStatus,
        ScanEnd,
        ScanOutcome,
        ScanPlan,
        ScanRequest,
        ScanState,
        TriggeredBy,
    )
    from domain.schedules.schedule import ConvergeRequest
    from workflows.errors import refusal
    from workflows.scans.notifications import Telling
    from workflows.schedules.converge_schedule import ConvergeSchedule
    from workflows.search_attributes import SCAN_STATE

RENEW_SECONDS = 3000.0
"""A session lasts an hour at most: well before its end the engine gets a new one."""

CANCEL = "cancel"
"""The update's name, for those who know the workflow by its id only."""
ENDED = "The scan has ended."


@workflow.defn
class RunScan:
    """One run of a schedule."""

    @workflow.init
    def __init__(self, request: ScanRequest) -> None:
        self._request = request
        self._id = request.execution_id or str(uuid5(NAMESPACE_URL, workflow.info().workflow_id))
        self._admission: Admission | None = None
        self._scan: asyncio.Task[ScanEnd] | None = None
        self._cancelled_by: Origin | None = None
        self._ends_as: ScanState | None = None
        self._outcome = ScanOutcome(self._id, ScanState.ADMITTING)

    @workflow.run
    async def run(self, request: ScanRequest) -> ScanOutcome:
        self._refuse_a_foreign_request()
        work = asyncio.create_task(self._run())
        interrupted = False
        while not work.done():
            try:
                await workflow.wait_condition(work.done)
            except asyncio.CancelledError:
                interrupted = True
                self._cancel(Origin("operator", "temporal"))
        outcome = work.result()
        await workflow.wait_condition(workflow.all_handlers_finished)
        if interrupted and outcome.state is ScanState.CANCELLED:
            raise asyncio.CancelledError
        return outcome

    @workflow.update
    async def admitted(self, execution_id: str = "") -> Admission:
        """Wait until the run is let in, or leaves. The id is there to be signed: every update has something to sign."""
        await workflow.wait_condition(lambda: self._admission is not None)
        return cast(Admission, self._admission)

    @workflow.update
    async def cancel(self, cancellation: Cancellation) -> None:
        """Stop the scan, and wait until it is certain how it ends: it may come to its own end first."""
        self._cancel(cancellation.origin)
        await workflow.wait_condition(lambda: self._ends_as is not None)
        if self._ends_as is not ScanState.CANCELLED:
            raise refusal(Conflict, ENDED)

    @cancel.validator
    def _may_cancel(self, cancellation: Cancellation) -> None:
        if self._ends_as is not None:
            raise refusal(Conflict, ENDED)

    async def _run(self) -> ScanOutcome:
        self._admission = await steps.admit(self._request, self._id, self._nominal())
        plan = self._admission.plan
        if plan is None:
            self._ends_as = ScanState.LEFT
            if self._admission.leaving:
                meters.scan_skipped(self._admission.leaving)
            self._show(ScanOutcome(self._id, ScanState.LEFT, leaving=self._admission.leaving))
            if self._admission.stopped:
                await self._follow()
            return self._outcome
        self._show(ScanOutcome(self._id, ScanState.SCANNING))
        end = await self._end_of(plan)
        self._ends_as = ScanState(end.status.value)
        telling = Telling(plan, self._request.schedule_id, end)
        schedule = await steps.close(plan, self._request, self._ended_by(), telling.announced())
        meters.scan_ended(plan.order.provider_type, end)
        self._show(self._ended(end, self._ends_as))
        if schedule is not None and not schedule.fires:
            await self._follow()
        await telling.tell()
        return self._outcome

    async def _end_of(self, plan: ScanPlan) -> ScanEnd:
        """However the scan ends, as what the row says."""
        if self._cancelled_by is None:
            self._scan = asyncio.create_task(self._scanned(plan))
            await workflow.wait_condition(self._scan.done)
            if not self._scan.cancelled():
                return self._scan.result()
        return ends.cancelled(at=steps.now())

    async def _scanned(self, plan: ScanPlan) -> ScanEnd:
        try:
            return await (self._inside(plan) if plan.in_process else self._outside(plan))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            return ends.failed(error, in_process=plan.in_process, at=steps.now())

    async def _inside(self, plan: ScanPlan) -> ScanEnd:
        result = await steps.scan_in_process(plan, self._request.max_seconds)
        return ends.completed(result, at=steps.now())

    async def _outside(self, plan: ScanPlan) -> ScanEnd:
        try:
            progress = await self._wait_for_engine(plan)
        except (ActivityError, asyncio.CancelledError):
            # Whatever stopped the waiting, nobody will take up what the engine still finds.
            await asyncio.shield(self._stop_engine(plan))
            raise
        if progress.status is not ExecutionStatus.COMPLETED:
            return ends.gave_up(progress.error_code, at=steps.now())
        result = await steps.collect_outside(plan)
        return ends.completed(result, at=steps.now())

    async def _wait_for_engine(self, plan: ScanPlan) -> EngineProgress:
        """How the engine ended."""
        deadline = workflow.now() + timedelta(seconds=self._request.max_seconds)
        while True:
            await steps.start_outside(plan)
            # One look at least, however long the engine took to start.
            left = max(1.0, (deadline - workflow.now()).total_seconds())
            try:
                return await steps.poll_outside(
                    plan.order, every_seconds=self._request.poll_seconds, max_seconds=min(RENEW_SECONDS, left)
                )
            except ActivityError as error:
                if is_cancelled_exception(error) or left <= RENEW_SECONDS:
                    raise

    async def _stop_engine(self, plan: ScanPlan) -> None:
        try:
            await steps.cancel_outside(plan.order)
        except ActivityError:
            workflow.logger.warning("The engine was not told to stop.")

    async def _follow(self) -> None:
        """A schedule whose state the run has changed is brought to Temporal. The sweep does it when this cannot."""
        tenant_id, schedule_id = self._request.tenant_id, self._request.schedule_id
        try:
            await workflow.start_child_workflow(
                ConvergeSchedule.run,
                ConvergeRequest(tenant_id, schedule_id, repair=True),
                id=ids.converge_id(tenant_id, schedule_id),
                task_queue=self._request.converge_queue,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("The schedule is being converged already.")

    def _cancel(self, origin: Origin) -> None:
        if self._ends_as is not None or self._cancelled_by is not None:
            return
        self._cancelled_by = origin
        if self._scan is not None:
            self._scan.cancel()

    def _ended_by(self) -> Origin:
        """Whoever cancelled it, unless it came to its own end first."""
        cancelled = self._ends_as is ScanState.CANCELLED
        return self._cancelled_by if cancelled and self._cancelled_by else self._request.origin

    def _ended(self, end: ScanEnd, state: ScanState) -> ScanOutcome:
        counts = end.result.counts if end.result else Counts()
        return ScanOutcome(self._id, state, error_code=end.error_code, counts=counts, problems=end.problems)

    def _show(self, outcome: ScanOutcome) -> None:
        self._outcome = outcome
        workflow.set_current_details(scan_story.details(outcome))
        workflow.upsert_search_attributes([SCAN_STATE.value_set(outcome.state.value)])

    def _nominal(self) -> str | None:
        """When the schedule was to fire: the server adds it to the workflow's id."""
        base = ids.scan_id(self._request.tenant_id, self._request.schedule_id)
        return workflow.info().workflow_id.removeprefix(f"{base}-") if self._is_scheduled() else None

    def _is_scheduled(self) -> bool:
        return self._request.triggered_by is TriggeredBy.SCHEDULER

    def _refuse_a_foreign_request(self) -> None:
        name = self._request.schedule_id if self._is_scheduled() else self._request.execution_id
        expected = ids.scan_id(self._request.tenant_id, name)
        found = workflow.info().workflow_id
        if found != expected and not (self._is_scheduled() and found.startswith(f"{expected}-")):
            raise refusal(UserError, "The workflow id and the request name different scans.")
