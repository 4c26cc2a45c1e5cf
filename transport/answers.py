"""A deadline and a size for the answers of an AWS client. botocore's own time-out is one for each read, and begins anew
with every byte."""

import io
import time
from functools import lru_cache
from http.client import HTTPResponse
from socket import socket
from typing import Any, TypeVar

MAX_BYTES = 64 * 1024 * 1024

Client = TypeVar("Client")


def bounded(client: Client, *, seconds: float) -> Client:
    """The client, whose every answer has come within so many seconds or is trouble. For a client that was just made."""
    # botocore has no seam for this; tests/transport/test_answers.py sees it if these names change.
    manager = client._endpoint.http_session._manager  # type: ignore[attr-defined]
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _bounded(pool, seconds) for scheme, pool in pools.items()}
    return client


@lru_cache(maxsize=16)
def _bounded(pool: Any, seconds: float) -> Any:
    class Answer(HTTPResponse):
        def __init__(self, sock: socket, *args: Any, **options: Any) -> None:
            super().__init__(sock, *args, **options)
            self.fp = io.BufferedReader(_Bounded(self.fp.detach(), sock, seconds))

    class Connection(pool.ConnectionCls):  # type: ignore[misc]
        response_class = Answer

    class Pool(pool):  # type: ignore[misc]
        ConnectionCls = Connection

    return Pool


class _Bounded(io.RawIOBase):
    """What a connection says, from now on and for so long."""

    def __init__(self, inner: io.RawIOBase, connected: socket, seconds: float) -> None:
        self._inner, self._socket = inner, connected
        self._each, self._ends = connected.gettimeout(), time.monotonic() + seconds
        self._left = MAX_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("The answer takes too long.")
        self._socket.settimeout(left if self._each is None else min(left, self._each))
        count = self._inner.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise OSError("The answer is too large.")
        return int(count) if count is not None else None

    def close(self) -> None:
        self._inner.close()
        super().close()
