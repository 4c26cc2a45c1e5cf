"""Requests to AWS, of every session of the process: ours and those with a customer's credential."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore
import botocore.session
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import TracerProvider
from temporalio.common import MetricMeter

from domain.metrics import AWS_REQUESTS

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


RESULTS = ("ok", "refused", "throttled", "failed")


@contextmanager
def counting_aws_requests(meter: MetricMeter) -> Iterator[None]:
    """In every session that is made meanwhile: each attempt, also one that a retry makes good."""
    requests, known = meter.create_counter(AWS_REQUESTS.name, AWS_REQUESTS.meaning), set[str]()

    def answered(**event: Any) -> None:
        name, result = event["event_name"], result_of(event["parsed_response"])
        _, service, operation = name.split(".")
        call = {"service": service, "operation": operation}
        if name not in known:
            known.add(name)  # botocore knows a bounded number of operations
            for each in RESULTS:  # so that the first throttle of an operation is an increase
                requests.add(0, {**call, "result": each})
        requests.add(1, {**call, "result": result})

    def watch(session: botocore.session.Session) -> None:
        session.register("response-received", answered)

    botocore.register_initializer(watch)
    try:
        yield
    finally:
        botocore.unregister_initializer(watch)


@contextmanager
def tracing_aws_calls(tracers: TracerProvider) -> Iterator[None]:
    """A span for each call, whatever its attempts. Customers' AWS is not told our trace ids: there is no propagator."""
    untyped: Any = BotocoreInstrumentor
    instrumentor = untyped()
    instrumentor.instrument(tracer_provider=tracers, propagator=CompositePropagator([]))
    try:
        yield
    finally:
        instrumentor.uninstrument()


def result_of(answer: Any) -> str:
    """`failed` is an answer of 500 or more, or none."""
    if answer is None:
        return "failed"
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if answer.get("Error", {}).get("Code") in THROTTLED or status == 429:
        return "throttled"
    if status >= 500 or not status:
        return "failed"
    return "refused" if status >= 400 else "ok"
