"""The guarded HTTP client, for every address that a customer can name: TLS to public hosts, no redirects, no proxies or
files from the environment, and a bound on the size and the time of an answer."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Self

import httpcore

from domain.errors import InvalidInput, PlatformConfig, Unavailable
from transport.guard import NotPublic, PublicOnly

IDLE_CONNECTIONS = 8
IDLE_SECONDS = 5.0

NOT_PUBLIC = "The address does not lead to a host on the internet."


@dataclass(frozen=True)
class Bounds:
    """Of one request. An answer that comes drop by drop is cut off when its time is over."""

    seconds: float = 20
    connect_seconds: float = 5
    read_seconds: float = 10
    body_bytes: int = 1024 * 1024


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


class GuardedClient:
    """Thread-safe. `is_allowed` says which hosts may be asked at all; `ca_file` names the authorities to trust in place
    of the system's. `keep_alive` is for hosts of ours to choose: several calls then share a connection."""

    def __init__(
        self,
        backend: PublicOnly | None = None,
        *,
        is_allowed: Callable[[str], bool] = lambda _: True,
        bounds: Bounds | None = None,
        ca_file: str | None = None,
        keep_alive: bool = False,
    ) -> None:
        self._is_allowed = is_allowed
        self._connection = {} if keep_alive else {"connection": "close"}
        self._bounds = bounds or Bounds()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusting(ca_file),
            network_backend=backend or PublicOnly(),
            max_connections=32,
            max_keepalive_connections=IDLE_CONNECTIONS if keep_alive else 0,
            keepalive_expiry=IDLE_SECONDS,
        )

    def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Raises InvalidInput for an address that is not public or not allowed, PlatformConfig when TLS fails,
        Unavailable when there is no whole answer in time."""
        target = _target(url)
        if not self._is_allowed(target.host.decode()):
            raise InvalidInput(NOT_PUBLIC)
        sent = {"host": _authority(target), **self._connection, **(headers or {})}
        try:
            return self._exchange(method, target, sent, body)
        except NotPublic:
            raise InvalidInput(NOT_PUBLIC) from None
        except httpcore.ConnectError as error:
            raise _connecting(error) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            raise Unavailable from None

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, method: str, target: httpcore.URL, headers: dict[str, str], body: bytes) -> Reply:
        bounds, started = self._bounds, time.monotonic()
        timeouts = {"connect": bounds.connect_seconds, "read": bounds.read_seconds, "write": bounds.read_seconds}
        with self._pool.stream(
            method, target, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
        ) as answer:
            received = bytearray()
            for chunk in answer.iter_stream():
                received += chunk
                if len(received) > bounds.body_bytes or time.monotonic() - started > bounds.seconds:
                    raise Unavailable("The answer is too large, or takes too long.")
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        return Reply(answer.status, found, bytes(received))


@lru_cache(maxsize=8)
def _trusting(ca_file: str | None) -> ssl.SSLContext:
    """One for all clients: the authorities of the system take most of a megabyte."""
    return ssl.create_default_context(cafile=ca_file)


def _target(url: str) -> httpcore.URL:
    try:
        target = httpcore.URL(url)
    except (httpcore.LocalProtocolError, ValueError, UnicodeError):
        raise InvalidInput(NOT_PUBLIC) from None
    if target.scheme != b"https" or not target.host:
        raise InvalidInput(NOT_PUBLIC)
    return target


def _authority(target: httpcore.URL) -> str:
    host = target.host.decode()
    return host if target.port in (None, 443) else f"{host}:{target.port}"


def _connecting(error: httpcore.ConnectError) -> Exception:
    """httpcore wraps the cause; a certificate that does not fit is told from a host that does not answer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return PlatformConfig()
        cause = cause.__cause__ or cause.__context__
    return Unavailable()
