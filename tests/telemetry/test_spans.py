"""Of a span leaves what is on the list."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, Status, StatusCode

from telemetry.spans import ATTRIBUTES, ERROR_TYPE, MAX_CHARACTERS, ListedOnly
from tests.telemetry.collector import Collector, attributes

CANARY = "canary-7f3a"


def fail() -> None:
    raise ValueError(CANARY)


def test_an_error_shows_its_class_and_not_its_text(tracers: TracerProvider, collector: Collector):
    with pytest.raises(ValueError, match=CANARY), tracers.get_tracer("test").start_as_current_span("step"):
        fail()
    tracers.force_flush()
    [span] = collector.named("step")
    assert attributes(span) == {ERROR_TYPE: "ValueError"}
    assert (span.status.code, span.status.message) == (StatusCode.ERROR.value, "")
    assert list(span.events) == []
    assert CANARY.encode() not in b"".join(collector.requests)


def test_attributes_and_links_of_others_are_left_out(tracers: TracerProvider, collector: Collector):
    tracer = tracers.get_tracer("test")
    with tracer.start_as_current_span("first") as first:
        first.set_attributes({"temporalWorkflowID": CANARY, "url.full": CANARY, "http.route": "/tenants"})
    link = Link(first.get_span_context(), {"why": CANARY})
    with tracer.start_as_current_span("second", links=[link]) as second:
        second.add_event("note", {"text": CANARY})
        second.set_status(Status(StatusCode.ERROR, CANARY))
    tracers.force_flush()
    assert attributes(collector.named("first")[0]) == {"http.route": "/tenants"}
    assert collector.named("second")[0].links[0].span_id == collector.named("first")[0].span_id
    assert CANARY.encode() not in b"".join(collector.requests)


values = st.text() | st.integers(-(2**31), 2**31) | st.booleans() | st.lists(st.text())


@settings(deadline=None)
@given(st.text(max_size=300), st.dictionaries(st.text(min_size=1) | st.sampled_from(sorted(ATTRIBUTES)), values))
def test_whatever_is_recorded_nothing_outside_of_the_list_leaves(name: str, given: dict[str, Any]):
    memory, tracers = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(ListedOnly(memory)))
    with tracers.get_tracer("test").start_as_current_span(name, attributes=given):
        pass
    [span] = memory.get_finished_spans()
    assert set(span.attributes or {}) <= ATTRIBUTES
    assert all(len(str(value)) <= MAX_CHARACTERS for value in [span.name, *(span.attributes or {}).values()])


def test_a_collector_that_is_gone_stops_nothing(tracers: TracerProvider, collector: Collector):
    with tracers.get_tracer("test").start_as_current_span("kept"):
        pass
    tracers.force_flush()
    assert [span.name for span in collector.spans()] == ["kept"]
    assert collector.services() == {"test"}
