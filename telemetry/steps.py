"""Failures of activities, counted on the worker: each attempt, also those that a retry makes good."""

from typing import Any

from temporalio import activity
from temporalio.common import MetricMeter
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.errors import CODES, NotYet
from domain.metrics import OTHER, STEP_FAILURES, STEPS_RETRYING

MANY_ATTEMPTS = 10
"""After these, which takes a store call more than a minute, what is wrong does not pass in a moment."""


class StepFailures(Interceptor):
    """Comes outside of the failure hygiene, so that what it sees has a code of ours."""

    def __init__(self, meter: MetricMeter) -> None:
        self._failures = meter.create_counter(STEP_FAILURES.name, STEP_FAILURES.meaning)
        self._retrying = meter.create_counter(STEPS_RETRYING.name, STEPS_RETRYING.meaning)
        self._known: set[str] = set()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Counting(next, self)

    def expect(self, step: str) -> None:
        if step not in self._known:
            self._known.add(step)
            # Prometheus sees no increase in a series that begins at 1.
            for code in (*CODES, OTHER):
                self._failures.add(0, {"step": step, "code": code})
            self._retrying.add(0, {"step": step})

    def count(self, step: str, code: str | None, attempt: int) -> None:
        self._failures.add(1, {"step": step, "code": code if code in CODES else OTHER})
        if attempt >= MANY_ATTEMPTS and code != NotYet.code:
            self._retrying.add(1, {"step": step})


class _Counting(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, failures: StepFailures) -> None:
        super().__init__(next)
        self._failures = failures

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        step = activity.info().activity_type
        self._failures.expect(step)
        try:
            return await super().execute_activity(input)
        except ApplicationError as error:
            self._failures.count(step, error.type, activity.info().attempt)
            raise
