"""Domain errors as Temporal failures: the one map. An interceptor on every worker applies it, so an activity simply
raises what it means, and nothing but our own sentences can reach a history."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import Internal, OnboardingError, SealBroken, Trouble, UserError


def as_failure(error: Exception) -> ApplicationError:
    """The failure of an error. A foreign exception becomes `internal` and the name of its class: its text may hold a
    value. User errors are not retried and count as benign; everything else may pass, so Temporal tries again."""
    if not isinstance(error, OnboardingError):
        return ApplicationError(f"{Internal.default_message} ({type(error).__name__})", type=Internal.code)
    final = isinstance(error, UserError | SealBroken)
    delay = error.retry_after if isinstance(error, Trouble) else None
    return ApplicationError(
        error.message,
        type=error.code,
        non_retryable=final,
        next_retry_delay=None if delay is None else timedelta(seconds=delay),
        category=ApplicationErrorCategory.BENIGN if final else ApplicationErrorCategory.UNSPECIFIED,
    )
