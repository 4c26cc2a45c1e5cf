"""What an onboarding on the real server measures and traces."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import pytest_asyncio
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider

from activities.failures import as_failure
from domain.errors import Internal, Unavailable
from domain.metrics import (
    DELIVERIES,
    ONBOARDING_DURATION,
    ONBOARDINGS_ENDED,
    REFUSALS,
    SCAN_CHECKS,
    SCAN_COMPLETED_AT,
    SCAN_DURATION,
    SCANS_ENDED,
    SCANS_SKIPPED,
    STEP_FAILURES,
    SUBMISSIONS,
)
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from emulators.temporal import TemporalServer
from telemetry.census import Census
from telemetry.process import Telemetry
from telemetry.steps import StepFailures
from telemetry.tracing import tracing
from temporal.client import connect
from tests.fakes_clouds import ScriptedProvider, refused
from tests.rig import SIGNER, Rig, eventually
from tests.scan_rig import ScanRig
from tests.telemetry.collector import Collector
from tests.telemetry.conftest import Meters
from tests.workflows import scan_scenarios
from workflows.ids import ONBOARDING_QUEUE
from workflows.metrics import known_series
from workflows.onboarding.onboard_account import OnboardAccount
from workflows.search_attributes import ONBOARDING_STATE

CANARY = "canary-7f3a"
ENDED = f"{ONBOARDING_DURATION.exposed}_count"
ANSWERED = "onboarding_submission_duration_seconds_count"


@pytest_asyncio.fixture(loop_scope="session")
async def rig(server: TemporalServer, meters: Meters, tracers: TracerProvider) -> AsyncIterator[Rig]:
    interceptors = (*tracing(tracers), StepFailures(meters.meter))
    client = await connect(
        server.address,
        namespace=server.namespace,
        as_failure=as_failure,
        interceptors=interceptors,
        options={"runtime": meters.runtime},
    )
    yield Rig(client)


async def test_an_onboarding_is_measured_once_however_often_it_is_replayed(rig: Rig, meters: Meters):
    async with rig.worker(max_cached_workflows=0):
        onboarding = await rig.start()
        await rig.submit(onboarding)
        await onboarding.result()
    found = meters.read()
    assert found.value(ENDED) == found.value(ENDED, provider="aws", outcome="active") == 1
    assert found.value(ANSWERED) == found.value(ANSWERED, provider="aws", result="active") == 1
    assert found.value(STEP_FAILURES.exposed, step="store_credential", code="unavailable") == 0


async def test_each_end_has_its_outcome(rig: Rig, meters: Meters):
    async with rig.worker():
        await (await rig.start(rig.request(deadline_seconds=1))).result()
        cancelled = await rig.start()
        await rig.cancel(cancelled)
        await cancelled.result()
    assert meters.read().values_of(ENDED, "outcome") == {"expired", "cancelled"}


async def test_a_refusal_is_counted_by_step_and_code(rig: Rig, meters: Meters):
    rig.script(refused("unsafe_trust", step="trust"))
    async with rig.worker():
        await rig.submit(await rig.start())
    found = meters.read()
    assert found.value(REFUSALS.exposed, provider="aws", step="trust", code="unsafe_trust") == 1
    assert found.value(ANSWERED, result="refused") == 1


async def test_a_code_that_nobody_knows_is_other(rig: Rig, meters: Meters):
    rig.script(refused(CANARY, step=CANARY))
    async with rig.worker():
        await rig.submit(await rig.start())
    assert meters.read().value(REFUSALS.exposed, step="other", code="other") == 1
    assert CANARY not in meters.read().text


async def test_attempts_of_a_step_that_fail_are_counted_by_code(rig: Rig, meters: Meters):
    rig.script(Unavailable(), Internal())
    async with rig.worker():
        await rig.submit(await rig.start())
    found = meters.read()
    assert found.value(STEP_FAILURES.exposed) == 2
    for code in ("unavailable", "internal"):
        assert found.value(STEP_FAILURES.exposed, step="validate_credential", code=code) == 1
    assert found.value(ENDED, outcome="active") == 1


async def test_onboardings_under_way_are_counted_by_state(rig: Rig, meters: Meters):
    census = Census(rig.client, meters.meter, state=ONBOARDING_STATE)
    running = "onboardings_running"

    async def counted(number: int) -> bool:
        await census.count()
        return meters.read().value(running, state="waiting_for_credential") == before + number

    await census.count()
    before = meters.read().value(running, state="waiting_for_credential")
    async with rig.worker():
        onboardings = [await rig.start() for _ in range(2)]
        await eventually(lambda: counted(2))
        for onboarding in onboardings:
            await rig.cancel(onboarding)
            await onboarding.result()
        await eventually(lambda: counted(0))
    assert meters.read().value("onboardings_waiting_long") == 0
    assert meters.read().value("onboardings_counted_timestamp_seconds") > 1.7e9


@contextmanager
def request(tracers: TracerProvider, name: str) -> Iterator[None]:
    """As the API's own span would be around a request."""
    with tracers.get_tracer("test").start_as_current_span(name):
        yield
    tracers.force_flush()


def trace_of(collector: Collector, name: str) -> bytes:
    [span] = collector.named(name)
    return span.trace_id


def ancestors(collector: Collector, span: Span) -> list[str]:
    by_id = {span.span_id: span for span in collector.spans()}
    names = []
    while span.parent_span_id:
        span = by_id[span.parent_span_id]
        names.append(span.name)
    return names


async def test_a_step_is_in_the_trace_of_the_request_that_asked_for_it(
    rig: Rig, tracers: TracerProvider, collector: Collector
):
    async with rig.worker(max_cached_workflows=0):
        with request(tracers, "init"):
            onboarding = await rig.start()
            await onboarding.execute_update(OnboardAccount.registered, "the row")
        with request(tracers, "validate"):
            await rig.submit(onboarding)
        await onboarding.result()
    tracers.force_flush()
    [validated] = collector.named("RunActivity:validate_credential")
    assert ancestors(collector, validated) == [
        "StartActivity:validate_credential",
        "StartWorkflowUpdate:submit_credential",
        "validate",
    ]
    steps = {step: trace_of(collector, f"RunActivity:{step}") for step in ("register_account", "activate_account")}
    expected = {"register_account": trace_of(collector, "init"), "activate_account": trace_of(collector, "validate")}
    assert steps == expected


class Leaky(ScriptedProvider):
    """Fails once, as code of others does."""

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        verdict = super().validate(credential, expectation)
        if len(self.calls) == 1:
            raise KeyError(CANARY)
        return verdict


async def test_neither_a_metric_nor_a_span_holds_what_an_exception_says(
    rig: Rig, meters: Meters, tracers: TracerProvider, collector: Collector
):
    rig.provider = Leaky()
    async with rig.worker():
        with request(tracers, "validate"):
            onboarding = await rig.start()
            await rig.submit(onboarding)
        await onboarding.result()
    tracers.force_flush()
    failed, worked = sorted(
        collector.named("RunActivity:validate_credential"), key=lambda span: span.start_time_unix_nano
    )
    assert (failed.status.code, worked.status.code) == (2, 0)
    assert meters.read().value(STEP_FAILURES.exposed, step="validate_credential", code="internal") == 1
    for secret in (CANARY, rig.tenant_id, onboarding.id):
        assert secret.encode() not in b"".join(collector.requests)
        assert secret not in meters.read().text


async def test_the_first_event_of_each_kind_is_an_increase(rig: Rig, meters: Meters):
    """The series that an event counts is the one that was there with 0, whatever labels the SDK adds."""
    rig.queue = ONBOARDING_QUEUE
    Telemetry(meters.meter, None, ExitStack()).begin_at_zero(known_series(), namespace=rig.client.namespace)
    before = meters.read()
    counters = [ONBOARDINGS_ENDED, SUBMISSIONS, REFUSALS, SCANS_ENDED, SCANS_SKIPPED, SCAN_CHECKS, DELIVERIES]
    assert {metric.exposed for metric in counters} <= before.names()
    rig.script(refused("unsafe_trust", step="trust"))
    async with rig.worker():
        onboarding = await rig.start()
        await rig.submit(onboarding)
        await rig.submit(onboarding)
        await onboarding.result()
    after = meters.read()
    for metric in (ONBOARDINGS_ENDED, SUBMISSIONS, REFUSALS):
        known, found = ({str(s.labels) for s in each.samples if s.name == metric.exposed} for each in (before, after))
        assert found == known, metric.name
    assert after.value(ONBOARDINGS_ENDED.exposed, provider="aws", outcome="active") == 1
    assert after.value(REFUSALS.exposed, provider="aws", step="trust", code="unsafe_trust") == 1


async def test_a_scan_is_measured_by_how_it_ended_and_what_it_found(server: TemporalServer, meters: Meters):
    client = await connect(
        server.address,
        namespace=server.namespace,
        signer=SIGNER,
        as_failure=as_failure,
        options={"runtime": meters.runtime},
    )
    rig = ScanRig(client)
    async with rig.worker():
        await (await scan_scenarios.completed(rig)).result()
        await (await scan_scenarios.failed(rig)).result()
    found = meters.read()
    assert found.value(SCANS_ENDED.exposed, provider="aws", outcome="completed") == 1
    assert found.value(SCANS_ENDED.exposed, provider="aws", outcome="failed") == 1
    assert found.value(f"{SCAN_DURATION.exposed}_count", provider="aws") == 2
    assert found.value(SCAN_CHECKS.exposed, status="passed") + found.value(SCAN_CHECKS.exposed, status="failed") > 0
    assert found.value(SCAN_COMPLETED_AT.exposed, provider="aws") > 1_700_000_000
    assert found.value(DELIVERIES.exposed, channel="webhook", state="delivered") >= 1
