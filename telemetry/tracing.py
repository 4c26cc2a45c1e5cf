"""Traces through Temporal: the SDK's own interceptor, and one that lets a step belong to the request that asked for it.

The SDK makes every step of a workflow a child of the request that *started* it. An onboarding waits for days between
requests; here its steps follow the latest update, so that the trace of a request holds the AWS calls made for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as current
from opentelemetry.context import Context
from opentelemetry.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.converter import PayloadConverter
from temporalio.worker import (
    HandleUpdateInput,
    Interceptor,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

HEADER = "_tracer-data"
"""Where the SDK's interceptor carries the trace."""


def tracing(tracers: TracerProvider) -> tuple[Interceptor, ...]:
    """In their order, and before all others, so that what they see of an error has been through the failure hygiene."""
    return TracingInterceptor(tracers.get_tracer("temporal")), StepsFollowUpdates()


class StepsFollowUpdates(Interceptor):
    """Comes after the SDK's interceptor."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self.latest: Context | None = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self))

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
