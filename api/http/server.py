"""The HTTP server: uvicorn, with an end to every wait for a client, and answers of our shape to what is no HTTP.

uvicorn's own protocol waits for ever for a head, for a body and for an answer to be read, and takes any number of
connections that say nothing.
"""

import asyncio
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.errors import reply_of
from api.http.hardening import MAX_HEAD_BYTES
from api.http.openapi import PREFIX
from api.http.rate_limits import site_of
from api.http.request_context import HEADERS, REQUEST_ID
from domain.edge_errors import HeadTooLarge, MalformedRequest, RequestTooSlow
from domain.errors import OnboardingError, Unavailable

STOP_SECONDS = 10
HEALTH = f"{PREFIX}/health"
FULL = "Too many connections are open; try again shortly."

log = structlog.get_logger("api.server")


@dataclass(frozen=True)
class ServerLimits:
    """What a client may take of a server."""

    head_seconds: float = 10
    """From its connection, or its first byte, until a request's head is complete."""
    body_seconds: float = 20
    """From the head until the body is complete."""
    unread_seconds: float = 20
    """Until a client has taken all that was sent to it."""
    keep_alive_seconds: int = 5
    """Between an answer and the next request."""
    connections: int = 512
    """One more takes the place of one that waits for its client; while none does, it is told to come again."""
    health_places: int = 16
    """Connections above those, on which nothing but the health routes is answered."""


def server_config(
    app: ASGIApp, *, limits: ServerLimits = ServerLimits(), trusted_proxies: tuple[str, ...] = (), **options: Any
) -> uvicorn.Config:
    """`trusted_proxies` are the networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    class Limited(BoundedProtocol):
        LIMITS = limits

    return uvicorn.Config(
        app,
        http=Limited,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        # Never None: uvicorn would look into the environment.
        forwarded_allow_ips=list(trusted_proxies),
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=STOP_SECONDS,
        **options,
    )


class HealthOnly:
    """The application, while there is no place for more: health is answered, so that nobody takes a busy process for a
    dead one; for all else the client is to come again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(HEALTH):
            await self._app(scope, receive, send)
            return
        answer = reply_of(Unavailable(FULL)).response()
        answer.headers.update({**HEADERS, REQUEST_ID: uuid4().hex, "Connection": "close"})
        await answer(scope, receive, send)


class BoundedProtocol(H11Protocol):
    """One connection."""

    LIMITS: ClassVar[ServerLimits]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._awaited: float | None = None
        self._since = time.monotonic()
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # As soon as anything is left unread, and until nothing is.
        transport.set_write_buffer_limits(high=0)
        self._watch()
        self._find_a_place()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._since = time.monotonic()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._since = time.monotonic()
            self._unread = self.loop.call_later(self.LIMITS.unread_seconds, self._cut_off)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._was_read()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_watching()
        self._was_read()

    @property
    def waits_since(self) -> float | None:
        """When the server began to wait for this client, None while the client waits for the server."""
        if self._unread is not None or self._owed() is not None or (self.cycle and self.cycle.response_complete):
            return self._since
        return None

    def give_up_place(self) -> None:
        """Close the connection for the sake of another one."""
        if self._unread is not None:
            self._cut_off()
        elif self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self._stop_watching()
            self.transport.close()
        else:
            self._refuse(Unavailable(FULL))

    def _find_a_place(self) -> None:
        opened = [each for each in self.connections if not each.transport.is_closing()]
        if len(opened) <= self.LIMITS.connections:
            return
        leaving = _longest_waiting(each for each in opened if each is not self and isinstance(each, BoundedProtocol))
        if leaving is not None:
            leaving.give_up_place()
        elif len(opened) <= self.LIMITS.connections + self.LIMITS.health_places:
            self.app = HealthOnly(self.app)
        else:
            self._refuse(Unavailable(FULL))

    def _cut_off(self) -> None:
        """Without a linger of none the kernel would go on to keep, and to offer, what nobody reads."""
        opened = self.transport.get_extra_info("socket")
        if opened is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _was_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        """Called where uvicorn has caught what the parser raised."""
        error = sys.exception()
        too_large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431
        self._refuse(HeadTooLarge() if too_large else MalformedRequest())

    def _watch(self) -> None:
        """A deadline for whatever the client owes us now: it is set once, however many bytes come meanwhile."""
        awaited = None if self.transport.is_closing() else self._owed()
        if awaited != self._awaited:
            self._stop_watching()
            if awaited is not None:
                self._deadline, self._since = self.loop.call_later(awaited, self._too_late), time.monotonic()
            self._awaited = awaited

    def _owed(self) -> float | None:
        if self.conn.their_state is h11.SEND_BODY:
            return self.LIMITS.body_seconds
        # Between two requests uvicorn's own timer runs.
        head_is_due = self.cycle is None or self.conn.trailing_data[0]
        return self.LIMITS.head_seconds if self.conn.their_state is h11.IDLE and head_is_due else None

    def _stop_watching(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self._awaited = None

    def _too_late(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self.transport.close()  # nothing was asked, so there is nothing to answer
        else:
            self._refuse(RequestTooSlow())

    def _refuse(self, error: OnboardingError) -> None:
        """Answer, unless an answer has begun, and close. Whatever the application says after that is not sent."""
        self._stop_watching()
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._answer(error)
        self.transport.close()

    def _answer(self, error: OnboardingError) -> None:
        reply, request_id = reply_of(error), uuid4().hex
        body = reply.body.encode()
        headers = {**HEADERS, **reply.headers, REQUEST_ID: request_id, "Content-Type": "application/json"}
        headers |= {"Content-Length": str(len(body)), "Connection": "close"}
        pairs = [*self.server_state.default_headers, *((n.encode(), v.encode()) for n, v in headers.items())]
        response = h11.Response(status_code=reply.status, headers=pairs)
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        log.info("request.refused", status=reply.status, code=error.code, request_id=request_id)


def _longest_waiting(opened: Iterable[BoundedProtocol]) -> BoundedProtocol | None:
    """Of the address with the most connections that wait for their client, so that nobody's crowd drives out others."""
    waiting = [(each, since) for each in opened if (since := each.waits_since) is not None]
    crowds = Counter(_site(each) for each, _ in waiting)
    return max(waiting, key=lambda each: (crowds[_site(each[0])], -each[1]), default=(None, 0.0))[0]


def _site(connection: BoundedProtocol) -> str:
    return site_of(connection.client[0] if connection.client else None)
