"""What receives metrics and traces in a test: a reader of the endpoint, and an OTLP collector on the loopback."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from emulators.ports import HOST
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class Sample:
    """A value of a metric, as Prometheus reads it."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Exposition:
    """What an endpoint serves at a moment."""

    samples: Sequence[Sample]
    text: str

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name that have these labels."""
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())

    def names(self) -> set[str]:
        return {sample.name for sample in self.samples}

    def values_of(self, name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in self.samples if sample.name == name}


def read(url: str) -> Exposition:
    text = httpx.get(url, timeout=PATIENCE_SECONDS, trust_env=False).text
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return Exposition([Sample(sample.name, sample.labels, sample.value) for sample in found], text)


@dataclass
class Collector:
    """Keeps every request as it came."""

    url: str
    requests: list[bytes] = field(default_factory=list)

    def spans(self) -> list[Span]:
        return [
            span
            for request in list(self.requests)
            for resource in ExportTraceServiceRequest.FromString(request).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans() if span.name == name]

    def services(self) -> set[str]:
        return {
            attribute.value.string_value
            for request in list(self.requests)
            for resource in ExportTraceServiceRequest.FromString(request).resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        }

    def children_of(self, span: Span) -> list[Span]:
        return [other for other in self.spans() if other.parent_span_id == span.span_id]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    collector = Collector(f"http://{HOST}:{server.server_address[1]}/v1/traces")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attributes(span: Span) -> dict[str, str | int]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}
