"""Failure hygiene: what an activity raises reaches a history or a log only as a failure made of our own words."""

from collections.abc import Callable
from typing import Any

from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class FailureHygiene(Interceptor):
    """Hands every exception of an activity to `as_failure` and raises the outcome without its cause."""

    def __init__(self, as_failure: Callable[[Exception], ApplicationError]) -> None:
        self._as_failure = as_failure

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Translator(next, self._as_failure)


class _Translator(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, as_failure: Callable[[Exception], ApplicationError]) -> None:
        super().__init__(next)
        self._as_failure = as_failure

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        failure: ApplicationError
        try:
            return await super().execute_activity(input)
        except (ApplicationError, CancelledError):
            raise
        except Exception as error:
            failure = self._as_failure(error)
        # Raised outside the handler: the original, whose text may hold a value, is then neither cause nor context.
        raise failure
