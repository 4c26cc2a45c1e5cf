"""Spans as they leave the process: what is on the list and nothing else.

Libraries put into a span what they find useful, error texts and ids among it. So every span is copied before it is
sent: its name, times, kind and relations; attributes by an allow-list of names; of an exception the name of its class.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

ATTRIBUTES = frozenset(
    {
        *("http.request.method", "http.route", "http.response.status_code", "http.status_code"),
        *("rpc.system", "rpc.service", "rpc.method", "cloud.region", "retry_attempts"),
    }
)
"""Each takes its values from a set that the code closes, or is a small number."""

ERROR_TYPE = "error.type"
MAX_CHARACTERS = 100
SEND_SECONDS = 5
"""Also what a collector that does not answer may hold up the end of a process."""


def sending_spans(service: str, version: str, endpoint: str) -> TracerProvider:
    """Sends to the OTLP collector at `endpoint`, in the background. Sampling and further headers are the SDK's own
    settings, OTEL_TRACES_SAMPLER and OTEL_EXPORTER_OTLP_HEADERS."""
    resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: version})
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False, id_generator=ChosenIds())
    tracers.add_span_processor(BatchSpanProcessor(ListedOnly(OTLPSpanExporter(endpoint, timeout=SEND_SECONDS))))
    return tracers


class ChosenIds(RandomIdGenerator):
    """Random ids, except inside `chosen`: a workflow that is replayed finds the trace that it began."""

    def __init__(self) -> None:
        super().__init__()
        self._chosen: ContextVar[tuple[int, int] | None] = ContextVar("chosen", default=None)

    @contextmanager
    def chosen(self, trace_id: int, span_id: int) -> Iterator[None]:
        token = self._chosen.set((trace_id, span_id))
        try:
            yield
        finally:
            self._chosen.reset(token)

    def generate_trace_id(self) -> int:
        chosen = self._chosen.get()
        return chosen[0] if chosen else super().generate_trace_id()

    def generate_span_id(self) -> int:
        chosen = self._chosen.get()
        return chosen[1] if chosen else super().generate_span_id()


class ListedOnly(SpanExporter):
    """Hands on a copy of each span that holds what is listed."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([listed(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def listed(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name[:MAX_CHARACTERS],
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span),
        links=[Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(StatusCode.UNSET if _is_answered(span) else span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _is_answered(span: ReadableSpan) -> bool:
    """Return whether the other side has answered a call of ours with 4xx. Many such answers are what was hoped for: a
    role that does not open without its external id, a condition that does not hold. Where one is not, the step that
    asked has failed too, and its span says so."""
    found = span.attributes or {}
    status = found.get("http.status_code", found.get("http.response.status_code", 0))
    return span.kind is SpanKind.CLIENT and isinstance(status, int) and 400 <= status < 500


def _attributes(span: ReadableSpan) -> Mapping[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        name: _short(value) for name, value in (span.attributes or {}).items() if name in ATTRIBUTES
    }
    for event in span.events:
        if not _is_answered(span) and (kind := (event.attributes or {}).get("exception.type")):
            found[ERROR_TYPE] = _short(kind)
    return found


def _short(value: AttributeValue) -> AttributeValue:
    return value if isinstance(value, int | float) else str(value)[:MAX_CHARACTERS]
