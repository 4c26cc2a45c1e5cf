"""Spans as they leave the process: what is on the list and nothing else.

Libraries put into a span what they find useful, error texts and ids among it. So every span is copied before it is
sent: its name, times, kind and relations; attributes by an allow-list of names; of an exception the name of its class.
"""

from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
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
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(ListedOnly(OTLPSpanExporter(endpoint, timeout=SEND_SECONDS))))
    return tracers


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
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _attributes(span: ReadableSpan) -> Mapping[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        name: _short(value) for name, value in (span.attributes or {}).items() if name in ATTRIBUTES
    }
    for event in span.events:
        if kind := (event.attributes or {}).get("exception.type"):
            found[ERROR_TYPE] = _short(kind)
    return found


def _short(value: AttributeValue) -> AttributeValue:
    return value if isinstance(value, int | float) else str(value)[:MAX_CHARACTERS]
