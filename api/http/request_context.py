"""Around every request: its id, the headers that every answer has, and one line in the log.

The line holds what is listed here and nothing that a caller can choose: not the path (the route's template stands for
it), no query, no header but a request id of the accepted form.
"""

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "X-Request-Id"

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Where an answer has not set its own."""

HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
"""For a year a browser comes over TLS only."""

log = structlog.get_logger("api.access")


class RequestMiddleware:
    """Takes over the request id of a caller or a proxy when it has the accepted form, and makes one otherwise."""

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self._app = app
        self._headers = HEADERS | (HTTPS_ONLY if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        given = Headers(scope=scope).get(REQUEST_ID, "")
        state["request_id"] = given if _ID.fullmatch(given) else uuid4().hex
        began, status = time.monotonic(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = state["request_id"]
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, answer)
        _log(scope, status, milliseconds=round((time.monotonic() - began) * 1000))


def _log(scope: Scope, status: int, *, milliseconds: int) -> None:
    log.info(
        "request.served",
        method=scope["method"],
        route=getattr(scope.get("route"), "path", "unknown"),
        status=status,
        milliseconds=milliseconds,
        request_id=scope["state"]["request_id"],
        actor=scope["state"].get("principal", "anonymous"),
    )
