"""Around every activity. Failure hygiene: what it raises reaches a history or a log only as a failure made of our own
words. And no activity runs without a signed input."""

from collections.abc import Callable
from typing import Any

from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.commands import CommandKind
from temporal.signing.signatures import Signer, refusal


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


class NothingUnsigned(Interceptor):
    """Refuses an activity without an input. Every other one was checked when its input was decoded."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Refusing(next, self._signer)


class _Refusing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, signer: Signer) -> None:
        super().__init__(next)
        self._signer = signer

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if not input.args and not self._signer.accepts([], kind=CommandKind.ACTIVITY):
            raise refusal()
        return await super().execute_activity(input)
