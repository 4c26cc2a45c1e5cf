"""HTTP calls that end: within one deadline and one number of bytes, with no redirect followed, no proxy or file taken
from the environment, and no cookie kept."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Self

import httpcore
from opentelemetry.trace import SpanKind, StatusCode, get_tracer

from transport.deadline import Connector, deadline

_TRACER = get_tracer("transport")
"""It does nothing until the process sends traces."""

IDLE_CONNECTIONS = 8
IDLE_SECONDS = 5.0


class TooLarge(Exception):
    """An answer of more bytes than its bounds allow."""


FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, TooLarge)
"""Everything that `Exchanges.send` raises."""


@dataclass(frozen=True)
class Bounds:
    """Of one call."""

    seconds: float = 20
    """From its begin to the last byte of the answer: the wait for a connection, the name server and TLS included."""
    connect_seconds: float = 5
    read_seconds: float = 10
    """Between two parts of the answer."""
    body_bytes: int = 1024 * 1024


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


class Exchanges:
    """Thread-safe. `ca_file` names the authorities to trust in place of the system's; with `keep_alive` several calls
    share a connection."""

    def __init__(
        self, connector: Connector, bounds: Bounds, *, ca_file: str | None = None, keep_alive: bool = False
    ) -> None:
        """Raises OSError for a file of authorities that cannot be used."""
        self._bounds = bounds
        self._always = {} if keep_alive else {"connection": "close"}
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusting(ca_file),
            network_backend=connector,
            max_connections=32,
            max_keepalive_connections=IDLE_CONNECTIONS if keep_alive else 0,
            keepalive_expiry=IDLE_SECONDS,
        )

    def send(self, method: str, target: httpcore.URL, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send a request and return its whole answer, in a span of its own. Raises FAILURES."""
        # Neither host nor path: customers name them, and tokens and ids stand in them.
        with _TRACER.start_as_current_span(
            f"HTTP {method}", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=True
        ) as span:
            span.set_attribute("http.request.method", method)
            reply = self._send(method, target, headers, body)
            span.set_attribute("http.response.status_code", reply.status)
            if reply.status >= 500:
                span.set_status(StatusCode.ERROR)
        return reply

    def _send(self, method: str, target: httpcore.URL, headers: Mapping[str, str], body: bytes) -> Reply:
        bounds = self._bounds
        timeouts = {
            "pool": bounds.seconds,
            "connect": bounds.connect_seconds,
            "read": bounds.read_seconds,
            "write": bounds.read_seconds,
        }
        sent = {"host": _authority(target), **self._always, **headers}
        with (
            deadline(bounds.seconds),
            self._pool.stream(
                method, target, headers=list(sent.items()), content=body, extensions={"timeout": timeouts}
            ) as answer,
        ):
            received = bytearray()
            for chunk in answer.iter_stream():
                received += chunk
                if len(received) > bounds.body_bytes:
                    raise TooLarge
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        return Reply(answer.status, found, bytes(received))

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@lru_cache(maxsize=8)
def _trusting(ca_file: str | None) -> ssl.SSLContext:
    """One for all clients: the authorities of the system take most of a megabyte."""
    return ssl.create_default_context(cafile=ca_file)


def _authority(target: httpcore.URL) -> str:
    host = target.host.decode()
    usual = {b"https": 443, b"http": 80}.get(target.scheme)
    return host if target.port in (None, usual) else f"{host}:{target.port}"
