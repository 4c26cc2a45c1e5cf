"""What stands between the routes and the world: rates, the origins of browsers, and what a head may be."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from limits.aio.storage import Storage
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import LastHandler, reply_of
from api.http.rate_limits import Rates
from api.http.request_context import REQUEST_ID, RequestMiddleware
from domain.edge_errors import HeadTooLarge, MalformedRequest
from domain.errors import OnboardingError

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 100
VERSIONS = ("1.0", "1.1")
PREFLIGHT_SECONDS = 600

ONCE = frozenset(
    name.encode()
    for name in (
        *("authorization", "content-encoding", "content-length", "content-type", "host", "idempotency-key"),
        *("transfer-encoding", "x-api-key"),
    )
)
"""Headers of which a second one is refused: a proxy before us may go by another of the two than we do."""


@dataclass(frozen=True)
class Edge:
    """By default no limits, for tests and benchmarks; an entry point takes them from the settings."""

    rates: Rates = field(default_factory=Rates)
    rate_store: Storage | None = None
    """Where several processes count together."""
    on_rate_outage: Callable[[], None] = lambda: None
    trusted_proxies: tuple[str, ...] = ()
    """Networks of load balancers, which may look whether it works as often as they like."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call; none by default."""
    https: bool = False
    """Whether the world reaches us over TLS only."""

    def middleware(self) -> list[Middleware]:
        """From the outside to the inside."""
        layers: list[Any] = [Middleware(RequestMiddleware, https=self.https)]
        if self.cors_origins:
            layers.append(Middleware(CORSMiddleware, **_cors(self.cors_origins)))
        return [*layers, Middleware(HeadMiddleware), Middleware(LastHandler)]


def _cors(origins: tuple[str, ...]) -> dict[str, Any]:
    """Keys travel in a header that the page's own code sets; cookies do not count here, so none are let through."""
    return {
        "allow_origins": origins,
        "allow_methods": ("GET", "POST", "PUT", "PATCH", "DELETE"),
        "allow_headers": ("Authorization", "Content-Type", "Idempotency-Key", "X-API-Key", REQUEST_ID),
        "expose_headers": (REQUEST_ID, "Location", "Retry-After", "Idempotency-Replayed"),
        "max_age": PREFLIGHT_SECONDS,
    }


class HeadMiddleware:
    """Refuses a head that is too large, and one that two readers could read in two ways."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = _fault(scope) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        answer = reply_of(fault).response()
        # Where the request ends is not certain any more, so nothing after it is read.
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)


def _fault(scope: Scope) -> OnboardingError | None:
    headers = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"]) + sum(len(n) + len(v) for n, v in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEAD_BYTES:
        return HeadTooLarge()
    times = Counter(name for name, _ in headers if name in ONCE)
    ambiguous = any(count > 1 for count in times.values()) or {b"content-length", b"transfer-encoding"} <= times.keys()
    return MalformedRequest() if ambiguous or scope["http_version"] not in VERSIONS else None
