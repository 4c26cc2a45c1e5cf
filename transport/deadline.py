"""Connections under one deadline: whoever is asked has so many seconds for the name, the connection, TLS, the head and
the body together, however the bytes come. A time-out for each read alone would begin anew with every byte."""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from threading import BoundedSemaphore, Event, Thread
from typing import Any

import httpcore

Resolver = Callable[[str, int], Sequence[str]]
"""From a host name and a port to its addresses. Raises OSError."""

MAX_LOOKUPS = 32
"""Look-ups of names that may be under way at once: nobody can end one that hangs."""

_ends: ContextVar[float] = ContextVar("ends")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything that this thread does on a `Connector`'s connections inside is over after so many seconds."""
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def remaining(timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
    """Seconds that one step may take. Raises `late` when there are none."""
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise late
    return left if timeout is None else min(left, timeout)


def resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Connector(httpcore.NetworkBackend):
    """Connects to the addresses of a host, one after the other, within the deadline."""

    def __init__(self, resolver: Resolver = resolve) -> None:
        self._resolver = resolver
        self._lookups = BoundedSemaphore(MAX_LOOKUPS)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Raises httpcore.ConnectError and httpcore.ConnectTimeout."""
        return self.connect([(address, port) for address in self.addresses(host, port, timeout)], timeout)

    def addresses(self, host: str, port: int, timeout: float | None) -> Sequence[str]:
        """What the name leads to. Raises httpcore.ConnectError, and httpcore.ConnectTimeout when no name server answers
        in time."""
        if not self._lookups.acquire(timeout=remaining(timeout, httpcore.ConnectTimeout)):
            raise httpcore.ConnectTimeout
        lookup = _Lookup(self._resolver, host, port, self._lookups.release)
        # The C library cannot be told how long to wait, so the wait is left and the look-up ends by itself.
        Thread(target=lookup.run, name="name-lookup", daemon=True).start()
        if not lookup.done.wait(remaining(timeout, httpcore.ConnectTimeout)):
            raise httpcore.ConnectTimeout
        if not lookup.addresses:
            raise httpcore.ConnectError
        return lookup.addresses

    def connect(self, addresses: Sequence[tuple[str, int]], timeout: float | None) -> httpcore.NetworkStream:
        """Raises httpcore.ConnectError and httpcore.ConnectTimeout."""
        failure: type[Exception] = httpcore.ConnectError
        for address in addresses:
            try:
                connected = socket.create_connection(address, remaining(timeout, httpcore.ConnectTimeout))
            except TimeoutError:
                failure = httpcore.ConnectTimeout
            except OSError:
                failure = httpcore.ConnectError
            else:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return Stream(connected)
        raise failure


class _Lookup:
    def __init__(self, resolver: Resolver, host: str, port: int, ended: Callable[[], None]) -> None:
        self._resolver, self._host, self._port, self._ended = resolver, host, port, ended
        self.done = Event()
        self.addresses: Sequence[str] = ()

    def run(self) -> None:
        try:
            self.addresses = self._resolver(self._host, self._port)
        except (OSError, UnicodeError):
            self.addresses = ()
        finally:
            self._ended()
            self.done.set()


class Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline of the exchange that it serves."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _mapped(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(remaining(timeout, httpcore.ReadTimeout))
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        with _mapped(httpcore.WriteTimeout, httpcore.WriteError):
            while rest:
                self._socket.settimeout(remaining(timeout, httpcore.WriteTimeout))
                rest = rest[self._socket.send(rest) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with _mapped(httpcore.ConnectTimeout, httpcore.ConnectError), ExitStack() as opened:
            opened.callback(self.close)
            self._socket.settimeout(remaining(timeout, httpcore.ConnectTimeout))
            over_tls = Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname))
            opened.pop_all()
            return over_tls

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            return bool(waiting.poll(0))
        return None


@contextmanager
def _mapped(late: type[Exception], failed: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise late from None
    except OSError as error:
        raise failed from error
