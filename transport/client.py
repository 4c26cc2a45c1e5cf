"""The guarded HTTP client, for every address that a customer can name: TLS to public hosts, no redirects, no proxies or
files from the environment, and a bound on the size and the time of an answer."""

import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpcore

from domain.errors import InvalidInput, PlatformConfig, Unavailable
from transport.exchange import FAILURES, Bounds, Exchanges, Reply
from transport.guard import NotPublic, PublicOnly

NOT_PUBLIC = "The address does not lead to a host on the internet."


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
        self._exchanges = Exchanges(backend or PublicOnly(), bounds or Bounds(), ca_file=ca_file, keep_alive=keep_alive)

    def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Raises InvalidInput for an address that is not public or not allowed, PlatformConfig when TLS fails,
        Unavailable when there is no whole answer in time."""
        target = _target(url)
        if not self._is_allowed(target.host.decode()):
            raise InvalidInput(NOT_PUBLIC)
        try:
            return self._exchanges.send(method, target, headers or {}, body)
        except NotPublic:
            raise InvalidInput(NOT_PUBLIC) from None
        except httpcore.ConnectError as error:
            raise _connecting(error) from None
        except FAILURES:
            raise Unavailable from None

    def close(self) -> None:
        self._exchanges.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _target(url: str) -> httpcore.URL:
    try:
        target = httpcore.URL(url)
    except (httpcore.LocalProtocolError, ValueError, UnicodeError):
        raise InvalidInput(NOT_PUBLIC) from None
    if target.scheme != b"https" or not target.host:
        raise InvalidInput(NOT_PUBLIC)
    return target


def _connecting(error: httpcore.ConnectError) -> Exception:
    """httpcore wraps the cause; a certificate that does not fit is told from a host that does not answer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return PlatformConfig()
        cause = cause.__cause__ or cause.__context__
    return Unavailable()
