"""The engine's limit: the messages and the number of steps of an onboarding, with nothing behind them.

What Temporal alone costs on this machine: the same update-with-start, the same update with a sealed credential in it,
four activities in a row on threads. No limits, no deadline, no search attribute, no state for people.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from domain.onboarding import OnboardRequest, Registered, Result, Submission, SubmissionOutcome

QUEUE = "bench-noop"


class NoOpActivities:
    """One step that does nothing."""

    def all(self) -> Sequence[Callable[..., Any]]:
        return [self.step]

    @activity.defn(name="step")
    def step(self) -> None:
        """Nothing."""


@workflow.defn
class NoOp:
    """Register, wait for a submission, store, validate, activate: in name only."""

    @workflow.init
    def __init__(self, request: OnboardRequest) -> None:
        self._request = request
        self._registered = False
        self._submission: Submission | None = None
        self._outcome: SubmissionOutcome | None = None

    @workflow.run
    async def run(self, request: OnboardRequest) -> str:
        await self._step()
        self._registered = True
        await workflow.wait_condition(lambda: self._submission is not None)
        for _ in ("store", "validate", "activate"):
            await self._step()
        if self._submission is not None:
            self._outcome = SubmissionOutcome(self._submission.submission_id, Result.ACTIVE, "The account is active.")
        await workflow.wait_condition(workflow.all_handlers_finished)
        return request.account_id

    @workflow.update
    async def registered(self) -> Registered:
        await workflow.wait_condition(lambda: self._registered)
        return Registered(self._request.account_id, self._request.external_id, "")

    @workflow.update
    async def submit_credential(self, submission: Submission) -> SubmissionOutcome:
        self._submission = submission
        await workflow.wait_condition(lambda: self._outcome is not None)
        return self._outcome or SubmissionOutcome(submission.submission_id, Result.CLOSED, "")

    async def _step(self) -> None:
        await workflow.execute_activity_method(NoOpActivities.step, start_to_close_timeout=timedelta(seconds=15))
