"""Failures as workflows see and raise them: domain errors by their code."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.errors import Internal, Unavailable, UserError


def refusal(kind: type[UserError], message: str | None = None) -> ApplicationError:
    """A user error as an update raises it: the API turns its type back into the error of that code."""
    return ApplicationError(message or kind.default_message, type=kind.code, non_retryable=True)


def code_of(error: ActivityError) -> str:
    """The code of the error that an activity ended with; `unavailable` when its time ran out."""
    cause = error.cause
    return (cause.type or Internal.code) if isinstance(cause, ApplicationError) else Unavailable.code


def final(error: ActivityError) -> ApplicationError:
    """An activity's last error as the workflow's own."""
    message = error.cause.message if isinstance(error.cause, ApplicationError) else Internal.default_message
    return ApplicationError(message, type=code_of(error), non_retryable=True)
