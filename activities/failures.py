"""Domain errors as Temporal failures: the one map. An interceptor on every worker applies it, so an activity simply
raises what it means, and nothing but our own sentences can reach a history."""

from dataclasses import asdict
from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import (
    Internal,
    InvalidInput,
    NotYet,
    OnboardingError,
    SealBroken,
    Trouble,
    UnsignedCommand,
    UserError,
)


def as_failure(error: Exception) -> ApplicationError:
    """The failure of an error. A foreign exception becomes `internal` and the name of its class: its text may hold a
    value. User errors are not retried; they, and what is merely not
    finished, count as benign. Everything else may pass, so Temporal tries again."""
    if not isinstance(error, OnboardingError):
        return ApplicationError(f"{Internal.default_message} ({type(error).__name__})", type=Internal.code)
    final = isinstance(error, UserError | SealBroken | UnsignedCommand)
    benign = final or isinstance(error, NotYet)
    delay = error.retry_after if isinstance(error, Trouble) else None
    problems = error.problems if isinstance(error, InvalidInput) else ()
    return ApplicationError(
        error.message,
        # Notes are for operators, who see them in the Web UI; a caller gets the message alone.
        *getattr(error, "__notes__", ()),
        *(asdict(problem) for problem in problems),
        type=error.code,
        non_retryable=final,
        next_retry_delay=None if delay is None else timedelta(seconds=delay),
        category=ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED,
    )
