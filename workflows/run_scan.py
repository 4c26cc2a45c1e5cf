"""RunScan: claim the schedule, scan, store what was found, close the execution, tell whom it concerns.

A run that is not to be leaves without a trace. One that was admitted always closes its row, and closes it once: however
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
    import workflows.scan_steps as steps
    import workflows.scan_story as scan_story
    from domain.audit import Origin
    from domain.errors import Conflict, NotYet, UserError
    from domain.onboarding import Cancellation
    from domain.scans import (
        Admission,
        Counts,
        ExecutionStatus,
        ScanEnd,
        ScanOutcome,
        ScanPlan,
        ScanRequest,
        ScanState,
        StoredResult,
        TriggeredBy,
    )
    from domain.schedules import ConvergeRequest, Schedule
    from workflows.converge_schedule import ConvergeSchedule
    from workflows.failures import code_of, refusal
    from workflows.notify import Telling
    from workflows.search_attributes import SCAN_STATE

RENEW_SECONDS = 3000.0
"""A session lasts an hour at most: well before its end the engine gets a new one."""

CANCEL = "cancel"
ENGINE_FAILED, TIMED_OUT = "engine_failed", "timed_out"


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
        self._closing = False
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
    async def admitted(self) -> Admission:
        """Wait until the run is let in, or leaves."""
        await workflow.wait_condition(lambda: self._admission is not None)
        return cast(Admission, self._admission)

    @workflow.update(name=CANCEL)
    def cancel(self, cancellation: Cancellation) -> None:
        """Stop the scan and close the execution as cancelled."""
        self._cancel(cancellation.origin)

    @cancel.validator
    def _may_cancel(self, cancellation: Cancellation) -> None:
        if self._closing:
            raise refusal(Conflict, "The scan has ended.")

    async def _run(self) -> ScanOutcome:
        self._admission = await steps.admit(self._request, self._id, self._nominal())
        plan = self._admission.plan
        if plan is None:
            self._closing = True
            self._show(ScanOutcome(self._id, ScanState.LEFT, leaving=self._admission.leaving))
            return self._outcome
        self._show(ScanOutcome(self._id, ScanState.SCANNING))
        end = await self._end_of(plan)
        self._closing = True
        telling = Telling(plan, self._request.schedule_id, end)
        schedule = await steps.close(plan, self._request, self._closed_by(), telling.announced())
        counts = end.result.counts if end.result else Counts()
        self._show(ScanOutcome(self._id, ScanState(end.status.value), error_code=end.error_code, counts=counts))
        await self._follow(schedule)
        await telling.tell()
        return self._outcome

    async def _end_of(self, plan: ScanPlan) -> ScanEnd:
        """However the scan ends, as what the row says."""
        if self._cancelled_by is None:
            self._scan = asyncio.create_task(self._scanned(plan))
            await workflow.wait_condition(self._scan.done)
            if not self._scan.cancelled():
                return self._scan.result()
        return ScanEnd(ExecutionStatus.CANCELLED, steps.now())

    async def _scanned(self, plan: ScanPlan) -> ScanEnd:
        try:
            result = await (self._inside(plan) if plan.in_process else self._outside(plan))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            code = code_of(error)
            return ScanEnd(ExecutionStatus.FAILED, steps.now(), TIMED_OUT if code == NotYet.code else code)
        if isinstance(result, str):
            return ScanEnd(ExecutionStatus.FAILED, steps.now(), result)
        return ScanEnd(ExecutionStatus.COMPLETED, steps.now(), result=result)

    async def _inside(self, plan: ScanPlan) -> StoredResult:
        return await steps.scan_in_process(plan, self._request.max_seconds)

    async def _outside(self, plan: ScanPlan) -> StoredResult | str:
        """The stored result, or the code with which the engine gave up."""
        try:
            failure = await self._wait_for_engine(plan)
        except (ActivityError, asyncio.CancelledError):
            # Whatever stopped the waiting, nobody will take up what the engine still finds.
            await asyncio.shield(self._stop_engine(plan))
            raise
        return failure or await steps.collect_outside(plan)

    async def _wait_for_engine(self, plan: ScanPlan) -> str | None:
        """The engine's error code, None when it has completed."""
        deadline = workflow.now() + timedelta(seconds=self._request.max_seconds)
        while True:
            await steps.start_outside(plan)
            left = (deadline - workflow.now()).total_seconds()
            try:
                progress = await steps.poll_outside(
                    plan.order, every_seconds=self._request.poll_seconds, max_seconds=min(RENEW_SECONDS, left)
                )
            except ActivityError as error:
                if is_cancelled_exception(error) or left <= RENEW_SECONDS:
                    raise
                continue
            if progress.status is ExecutionStatus.COMPLETED:
                return None
            return progress.error_code or ENGINE_FAILED

    async def _stop_engine(self, plan: ScanPlan) -> None:
        try:
            await steps.cancel_outside(plan.order)
        except ActivityError:
            workflow.logger.warning("The engine was not told to stop.")

    async def _follow(self, schedule: Schedule | None) -> None:
        """A schedule whose state the run has changed is brought to Temporal. The sweep does it when this cannot."""
        if schedule is None or schedule.fires:
            return
        try:
            await workflow.start_child_workflow(
                ConvergeSchedule.run,
                ConvergeRequest(schedule.tenant_id, schedule.schedule_id, repair=True),
                id=ids.converge_id(schedule.tenant_id, schedule.schedule_id),
                task_queue=self._request.converge_queue,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("The schedule is being converged already.")

    def _cancel(self, origin: Origin) -> None:
        if self._closing or self._cancelled_by is not None:
            return
        self._cancelled_by = origin
        if self._scan is not None:
            self._scan.cancel()

    def _closed_by(self) -> Origin:
        return self._cancelled_by or self._request.origin

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
