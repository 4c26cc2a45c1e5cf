"""Around the API's application: the time of every request, and the span that its trace begins with.

Both name the route by its template. Nothing that a caller sends is taken over, not even a trace id: a trace begins
here, and the log line that has the request id has the trace id too.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.common import MetricMeter

from domain.metrics import HTTP_DURATION, OTHER, SECONDS

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


@dataclass
class Exchange:
    """One request and what became of it. `status` is 0 when nothing was answered."""

    method: str
    route: str = OTHER
    status: int = 0


class ObservedApplication:
    """The application, observed. Paths that begin with `untraced` have no trace: load balancers ask them for ever."""

    def __init__(self, app: ASGIApp, *, meter: MetricMeter, tracer: Tracer, untraced: str) -> None:
        self._app, self._tracer, self._untraced = app, tracer, untraced
        self._durations = meter.create_histogram_float(HTTP_DURATION.name, HTTP_DURATION.meaning, SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange, began = Exchange(scope["method"] if scope["method"] in METHODS else OTHER), time.monotonic()

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            await send(message)

        with self._span(scope["path"]) as span:
            try:
                await self._app(scope, receive, watch)
            finally:
                # The router leaves in the scope what it found.
                exchange.route = getattr(scope.get("route"), "path", OTHER)
                self._record(exchange, time.monotonic() - began)
                _describe(span, exchange)

    @contextmanager
    def _span(self, path: str) -> Iterator[Span]:
        if path.startswith(self._untraced):
            with suppress_instrumentation():
                yield INVALID_SPAN
            return
        with self._tracer.start_as_current_span(
            "request", kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            yield span

    def _record(self, exchange: Exchange, seconds: float) -> None:
        labels = {"method": exchange.method, "route": exchange.route, "status": str(exchange.status)}
        self._durations.record(seconds, labels)


def _describe(span: Span, exchange: Exchange) -> None:
    span.update_name(f"{exchange.method} {exchange.route}")
    span.set_attribute("http.request.method", exchange.method)
    span.set_attribute("http.route", exchange.route)
    span.set_attribute("http.response.status_code", exchange.status)
    if exchange.status >= 500 or not exchange.status:
        span.set_status(Status(StatusCode.ERROR))
