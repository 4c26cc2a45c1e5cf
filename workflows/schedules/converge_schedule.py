"""ConvergeSchedule: the only writer of a schedule. Each change is written to the row, and the Temporal Schedule is then
built from the row; without a change it is only built anew.

It lives for as long as changes come. An interruption between row and Temporal Schedule is retried for a day, which
operators see; after that the sweep tries again and again.
"""

from collections import deque
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    import workflows.ids as ids
    from activities.schedules import Converge, ScheduleActivities
    from domain.errors import UserError
    from domain.schedules.schedule import ConvergeRequest, Schedule, ScheduleChange
    from workflows.errors import final, refusal
    from workflows.policies import MENDING, STORE_CALL, Timing

CHANGE_WITHIN = timedelta(minutes=1)
"""The change comes with the start, unless the server lost it on the way."""


@workflow.defn
class ConvergeSchedule:
    """One schedule's row and Temporal Schedule, brought together."""

    @workflow.init
    def __init__(self, request: ConvergeRequest) -> None:
        self._request = request
        self._changes: deque[ScheduleChange] = deque()
        self._outcomes: dict[str, Schedule | ApplicationError] = {}

    @workflow.run
    async def run(self, request: ConvergeRequest) -> None:
        if not self._is_named(request.tenant_id, request.schedule_id):
            raise refusal(UserError, "The workflow id and the request name different schedules.")
        if request.repair:
            await self._converge(MENDING)
        else:
            await self._next_change()
        while self._changes:
            change = self._changes.popleft()
            self._outcomes[change.change_id] = await self._apply(change)
            await workflow.wait_condition(lambda: bool(self._changes) or workflow.all_handlers_finished())

    @workflow.update
    async def apply(self, change: ScheduleChange) -> Schedule:
        """Make a change, and wait until the Temporal Schedule follows it. The row as it is then."""
        self._changes.append(change)
        await workflow.wait_condition(lambda: change.change_id in self._outcomes)
        outcome = self._outcomes[change.change_id]
        if isinstance(outcome, ApplicationError):
            raise outcome
        return outcome

    @apply.validator
    def _may_apply(self, change: ScheduleChange) -> None:
        ours = (change.schedule.tenant_id, change.schedule.schedule_id)
        if ours != (self._request.tenant_id, self._request.schedule_id) or not self._is_named(*ours):
            raise refusal(UserError, "The change is of another schedule.")

    def _is_named(self, tenant_id: str, schedule_id: str) -> bool:
        """Whether the workflow's id names this schedule, of this tenant."""
        return workflow.info().workflow_id == ids.converge_id(tenant_id, schedule_id)

    async def _next_change(self) -> None:
        try:
            await workflow.wait_condition(lambda: bool(self._changes), timeout=CHANGE_WITHIN)
        except TimeoutError:
            workflow.logger.info("No change came.")

    async def _apply(self, change: ScheduleChange) -> Schedule | ApplicationError:
        outcome: Schedule | ApplicationError
        try:
            outcome = await workflow.execute_activity_method(
                ScheduleActivities.apply_change,
                change,
                summary=f"Write the row: {change.kind.value}",
                **STORE_CALL,
            )
        except ActivityError as error:
            outcome = final(error)
        # Also after a refusal: the secret that came with it may have been stored.
        try:
            await self._converge(STORE_CALL)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # The row is written: the sweep finds what is out of step, and goes on trying.
            workflow.logger.warning("The Temporal Schedule does not follow its row yet.")
        return outcome

    async def _converge(self, timing: Timing) -> None:
        await workflow.execute_activity_method(
            ScheduleActivities.converge_schedule,
            Converge(self._request.tenant_id, self._request.schedule_id),
            summary="Build the Temporal Schedule from the row",
            **timing,
        )
