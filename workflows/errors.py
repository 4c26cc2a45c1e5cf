"""Failures as workflows see and raise them: domain errors by their code."""

from collections.abc import Mapping
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.errors import Internal, Problem, Unavailable, UserError


def refusal(kind: type[UserError], message: str | None = None) -> ApplicationError:
    """A user error as an update raises it: the API turns its type back into the error of that code."""
    return ApplicationError(message or kind.default_message, type=kind.code, non_retryable=True)


def code_of(error: ActivityError) -> str:
    """The code of the error that an activity ended with; `unavailable` when its time ran out."""
    cause = error.cause
    return (cause.type or Internal.code) if isinstance(cause, ApplicationError) else Unavailable.code


def problems_of(error: ActivityError) -> tuple[Problem, ...]:
    """What the error lists to be put right; its own sentence when it lists nothing."""
    cause, code = error.cause, code_of(error)
    if not isinstance(cause, ApplicationError):
        return (Problem(code, Unavailable.default_message),)
    listed = tuple(_problem(detail) for detail in cause.details if isinstance(detail, Mapping))
    # What follows the sentence of a bug is the name of a class, which is for operators.
    return listed or (Problem(code, Internal.default_message if code == Internal.code else cause.message),)


def final(error: ActivityError) -> ApplicationError:
    """An activity's last error as the workflow's own."""
    message = error.cause.message if isinstance(error.cause, ApplicationError) else Internal.default_message
    return ApplicationError(message, type=code_of(error), non_retryable=True)


def _problem(detail: Mapping[str, Any]) -> Problem:
    return Problem(
        code=detail["code"],
        message=detail["message"],
        pointer=detail.get("pointer"),
        step=detail.get("step"),
        remedy=detail.get("remedy"),
        missing_permissions=tuple(detail.get("missing_permissions", ())),
    )
