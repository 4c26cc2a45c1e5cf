"""What a process does so that it can be watched: nothing, unless its settings ask for it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracerProvider, set_tracer_provider
from starlette.types import ASGIApp
from temporalio.client import Client
from temporalio.common import MetricMeter, SearchAttributeKey
from temporalio.worker import Interceptor

from domain.commands import CommandKind, CommandOutcome, CountUnsigned
from domain.metrics import UNSIGNED_COMMANDS, Metric
from telemetry.aws import counting_aws_requests, tracing_aws_calls
from telemetry.census import Census
from telemetry.http import ObservedApplication
from telemetry.runtime import start_runtime
from telemetry.spans import sending_spans
from telemetry.steps import StepFailures
from telemetry.tracing import tracing


@dataclass(frozen=True)
class Telemetry:
    """The metrics and the traces of this process; each None when it is off."""

    meter: MetricMeter | None
    tracers: TracerProvider | None
    held: ExitStack

    def interceptors(self) -> tuple[Interceptor, ...]:
        """For the connection to Temporal, before those of our own."""
        traced = tracing(self.tracers) if self.tracers else ()
        return (*traced, StepFailures(self.meter)) if self.meter else traced

    def application(self, app: ASGIApp, *, untraced: str) -> ASGIApp:
        """The application, observed; itself when there is nobody to tell. Paths that begin with `untraced` have no
        trace."""
        if not (self.meter or self.tracers):
            return app
        tracer = (self.tracers or NoOpTracerProvider()).get_tracer("api")
        return ObservedApplication(app, meter=self.meter or MetricMeter.noop, tracer=tracer, untraced=untraced)

    def counter(self, metric: Metric) -> Callable[[], None]:
        """Counts one at each call, of a metric without labels. It is served from the start."""
        counter = (self.meter or MetricMeter.noop).create_counter(metric.name, metric.meaning)
        counter.add(0)
        return lambda: counter.add(1)

    def begin_at_zero(self, series: Iterable[tuple[Metric, dict[str, str]]], *, namespace: str) -> None:
        """Serve these series of counters from 0 on. Each comes with its labels, those included that Temporal's SDK adds
        to what a workflow or an activity counts, except for the namespace."""
        if self.meter:
            for metric, labels in series:
                self.meter.create_counter(metric.name, metric.meaning).add(0, {**labels, "namespace": namespace})

    def counter_of_unsigned(self) -> CountUnsigned:
        """Counts one at each call, by kind and outcome. All are served from the start: Prometheus sees no increase in a
        counter whose first value is 1."""
        counter = (self.meter or MetricMeter.noop).create_counter(UNSIGNED_COMMANDS.name, UNSIGNED_COMMANDS.meaning)
        for kind in CommandKind:
            for outcome in CommandOutcome:
                counter.add(0, {"kind": kind.value, "outcome": outcome.value})
        return lambda kind, outcome: counter.add(1, {"kind": kind.value, "outcome": outcome.value})

    def counter_of(self, metric: Metric, label: str, values: Iterable[str]) -> Callable[[str], None]:
        """Counts one of a value at each call, of a metric with one label. Every value is served from the start."""
        counter = (self.meter or MetricMeter.noop).create_counter(metric.name, metric.meaning)
        for value in values:
            counter.add(0, {label: value})
        return lambda value: counter.add(1, {label: value})

    @asynccontextmanager
    async def counting(self, client: Client, *, state: SearchAttributeKey[str]) -> AsyncIterator[None]:
        """Keep the gauges of onboardings under way right, which are found by their `state`."""
        if not self.meter:
            yield
            return
        counting = asyncio.create_task(Census(client, self.meter, state=state).keep())
        try:
            yield
        finally:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)

    def close(self) -> None:
        """Send what has not been sent."""
        self.held.close()


def begin(process: str, version: str, *, metrics: str | None, traces: str | None) -> Telemetry:
    """Before the first client of Temporal or AWS is made: serve metrics at the address `metrics` and send traces to
    the address `traces`. A metrics address that cannot be listened on ends the process with a sentence and exit code
    2."""
    try:
        meter = start_runtime(metrics)
    except ValueError:
        sys.stderr.write(
            "The metrics cannot be served: the port of METRICS_ADDRESS is in use, or its address is not one of this "
            "machine. The API and a worker on one machine need a port each.\n"
        )
        raise SystemExit(2) from None
    held, tracers = ExitStack(), None
    if metrics:
        held.enter_context(counting_aws_requests(meter))
    if traces:
        tracers = sending_spans(f"threat-engine-onboarding-{process}", version, traces)
        held.callback(tracers.shutdown)
        set_tracer_provider(tracers)  # for the HTTP client, which knows of no telemetry
        held.enter_context(tracing_aws_calls(tracers))
    return Telemetry(meter if metrics else None, tracers, held)
