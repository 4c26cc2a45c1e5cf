"""Traces through Temporal: the SDK's own interceptor, and one that lets a step belong to the request that asked for it.

The SDK makes every step of a workflow a child of the request that *started* it. An onboarding waits for days between
requests; here its steps follow the latest update, so that the trace of a request holds the AWS calls made for it. What
nobody asked for, such as a scan that its schedule starts, has a trace of its own, whose ids follow from the run: a
worker that replays the workflow goes on with the same trace.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as current
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio import workflow
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.converter import PayloadConverter
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleUpdateInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle, ChildWorkflowHandle

HEADER = "_tracer-data"
"""Where the SDK's interceptor carries the trace."""
_BEGIN = "__threat_engine_begin_trace"


def tracing(tracers: TracerProvider) -> tuple[Interceptor, ...]:
    """In their order, and before all others, so that what they see of an error has been through the failure hygiene."""
    return TracingInterceptor(tracers.get_tracer("temporal")), StepsFollowUpdates(tracers)


class StepsFollowUpdates(Interceptor):
    """Comes after the SDK's interceptor."""

    def __init__(self, tracers: TracerProvider) -> None:
        self._tracers = tracers

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        input.unsafe_extern_functions[_BEGIN] = self._begin_trace
        return _Inbound

    def _begin_trace(self, name: str, run_id: str, time_ns: int, *, replaying: bool) -> Mapping[str, str]:
        """Make the first span of a run that nobody asked for, and return its context. It is called outside of the
        workflow's sandbox, and at a replay it makes a span that is never sent, because the sampler decides anew."""
        ids = hashlib.sha256(run_id.encode()).digest()
        trace_id, span_id = int.from_bytes(ids[:16], "big"), int.from_bytes(ids[16:24], "big")
        with self._tracers.id_generator.chosen(trace_id, span_id):  # type: ignore[attr-defined]  # ours
            span = self._tracers.get_tracer("temporal").start_span(
                name, context=Context(), kind=SpanKind.SERVER, start_time=time_ns
            )
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, set_span_in_context(span))
        if not replaying:
            span.end(time_ns)
        return carrier


class _Inbound(WorkflowInboundInterceptor):
    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self.latest: Context | None = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        info = workflow.info()
        if HEADER not in info.headers:
            begin = workflow.extern_functions()[_BEGIN]
            name, replaying = f"RunWorkflow:{info.workflow_type}", workflow.unsafe.is_replaying()
            carrier = begin(name, info.run_id, workflow.time_ns(), replaying=replaying)
            self.latest = self.latest or TraceContextTextMapPropagator().extract(carrier)
        return await super().execute_workflow(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        if header := input.headers.get(HEADER):
            carrier = PayloadConverter.default.from_payloads([header])[0]
            self.latest = TraceContextTextMapPropagator().extract(carrier)
        return await super().handle_update_handler(input)


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, inbound: _Inbound) -> None:
        super().__init__(next)
        self._inbound = inbound

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        with self._following():
            return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        with self._following():
            return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        with self._following():
            return await super().start_child_workflow(input)

    @contextmanager
    def _following(self) -> Iterator[None]:
        if self._inbound.latest is None:
            yield
            return
        token = current.attach(self._inbound.latest)
        try:
            yield
        finally:
            current.detach(token)
