"""Domain errors as Temporal failures: the one map. An interceptor on every worker applies it, so an activity simply
raises what it means, and nothing but our own sentences can reach a history."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import (
    Internal,
    InvalidInput,
    NotYet,
    OnboardingError,
    SealBroken,
    Trouble,
    UnreadableRow,
    UnsignedCommand,
    UserError,
)

BUG_PATIENCE = timedelta(hours=1)
"""How long a step is repeated that ends with a bug of ours: long enough to bring the version before back."""


def as_failure(error: Exception) -> ApplicationError:
    """The failure of an error. A foreign exception becomes `internal` and the name of its class: its text may hold a
    value. User errors and rows that cannot be read are not retried; user errors, and what is merely not
    finished, count as benign. Everything else may pass, so Temporal tries again, a bug of ours for an hour."""
    if not isinstance(error, OnboardingError):
        message = f"{Internal.default_message} ({type(error).__name__})"
        return ApplicationError(message, type=Internal.code, non_retryable=_is_hopeless(error))
    refused = isinstance(error, UserError | SealBroken | UnsignedCommand)
    final = refused or isinstance(error, UnreadableRow) or _is_hopeless(error)
    benign = refused or isinstance(error, NotYet)
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


def _is_hopeless(error: Exception) -> bool:
    """Whether it is a bug of ours that nobody has put right meanwhile."""
    if isinstance(error, OnboardingError) and not isinstance(error, Internal):
        return False
    return activity.in_activity() and datetime.now(UTC) - activity.info().scheduled_time > BUG_PATIENCE
