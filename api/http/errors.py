"""Every error as an answer of the one shape: the domain's errors by their class, the framework's by their status, and
anything else as `internal` without a word about what it was."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.schemas import ErrorAnswer, ErrorDetail, ProblemAnswer
from domain.edge_errors import HeadTooLarge, MalformedRequest, RateLimited, RequestTooSlow
from domain.errors import (
    Conflict,
    Forbidden,
    IdempotencyMismatch,
    Internal,
    InvalidInput,
    MalformedBody,
    MissingScope,
    NotFound,
    OnboardingError,
    PayloadTooLarge,
    Problem,
    ScanRunning,
    Trouble,
    Unauthenticated,
    UnsupportedMediaType,
)

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
RETRY_AFTER_SECONDS = 5

_STATUS: Mapping[type[OnboardingError], int] = {
    MalformedBody: 422,
    InvalidInput: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MalformedRequest: 400,
    RequestTooSlow: 408,
    RateLimited: 429,
    HeadTooLarge: 431,
    IdempotencyMismatch: 422,
    PayloadTooLarge: 413,
    UnsupportedMediaType: 415,
    Conflict: 409,
    Trouble: 503,
}
"""A class that is not here has the status of its nearest ancestor; 500 when none has one."""

_FRAMEWORK = {
    404: (NotFound.code, "There is no such route; see /docs."),
    405: ("method_not_allowed", "This route does not take that method."),
}

log = structlog.get_logger("api")


@dataclass(frozen=True)
class Reply:
    """An answer before it is sent: what a repeat of the request would be given again."""

    status: int
    body: str
    headers: Mapping[str, str]
    kept: str | None = None
    """What a repeat is given in place of the body, where that shows a value once."""

    def response(self) -> Response:
        return Response(self.body, self.status, dict(self.headers), media_type="application/json")


def reply_of(error: OnboardingError) -> Reply:
    """The answer to an error of ours."""
    status = next((_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS), 500)
    problems = _problems_of(error)
    headers = {}
    if isinstance(error, Trouble | RateLimited):
        headers["Retry-After"] = str(math.ceil(error.retry_after or RETRY_AFTER_SECONDS))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MissingScope) and error.scope:
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{error.scope}"'
    if isinstance(error, ScanRunning) and error.execution_id:
        headers["Location"] = f"/api/v1/executions/{error.execution_id}"
    return Reply(status, _body(error.code, error.message, problems), headers)


def _problems_of(error: OnboardingError) -> Sequence[Problem]:
    if isinstance(error, NotFound) and error.pointer is not None:
        return [Problem(error.code, error.message, pointer=error.pointer)]
    return error.problems if isinstance(error, InvalidInput) else ()


def _body(code: str, message: str, problems: Sequence[Problem] = ()) -> str:
    shown = [ProblemAnswer.of(problem) for problem in problems]
    detail = ErrorDetail(code=code, message=message, errors=[p.message for p in problems] or [message], problems=shown)
    return ErrorAnswer(detail=detail).model_dump_json(exclude_none=True)


async def answer_domain(request: Request, error: OnboardingError) -> Response:
    reply = reply_of(error)
    if reply.status >= 500:
        log.warning("request.failed", code=error.code, request_id=request.state.request_id, exc_info=error)
    return reply.response()


async def answer_framework(request: Request, error: HTTPException) -> Response:
    """Unknown routes and wrong methods."""
    code, message = _FRAMEWORK.get(error.status_code, ("http_error", "The request was refused."))
    headers = {"Allow": ", ".join(_allowed(request))} if error.status_code == 405 else {}
    return Reply(error.status_code, _body(code, message), headers).response()


def _allowed(request: Request) -> list[str]:
    """Of the path: the framework names those of one route only, and a path may have several."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    return [m for m in METHODS if any(r.matches(scopes[m])[0] is Match.FULL for r in request.app.router.routes)]


HANDLERS: dict[Any, Any] = {
    OnboardingError: answer_domain,
    HTTPException: answer_framework,
}


class LastHandler:
    """Turns what nobody caught into a 500, inside of Starlette's own last handler: that one raises the error again, and
    the server would write its text, which may hold a value, into the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            pass  # nobody is left to answer
        except Exception as error:
            _note(error, scope)
            if not started:
                await reply_of(Internal()).response()(scope, receive, send)


def _note(error: Exception, scope: Scope) -> None:
    log.error("request.crashed", request_id=scope["state"]["request_id"], exc_info=error)
