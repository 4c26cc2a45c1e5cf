"""What a running API and worker really serve and send: every name that the dashboard, the alerts and the reference use,
labels from closed sets, and traces that go from a request to AWS."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from rich.console import Console
from temporalio.worker import Worker

from domain.metrics import ALL, Kind
from emulators.ports import HOST, free_port, free_ports
from local.clouds import running_clouds
from local.demo import Demo, onboard, scan
from local.demo_clouds import onboard_others
from local.progress import Progress
from local.stack import Stack, running_stack
from telemetry.runtime import build_runtime
from telemetry.spans import ATTRIBUTES, ERROR_TYPE
from temporal.client import connect
from tests.patience import PATIENCE_SECONDS
from tests.rig import eventually
from tests.telemetry.broken_workflow import Broken
from tests.telemetry.collector import Collector, Exposition, attributes, collecting, read
from tests.telemetry.rules import parts, queries
from workflows.ids import RECONCILE_ID, SEAL_AUDITS_ID

pytestmark = [pytest.mark.stack]

BY_THE_SDK = {"namespace", "task_queue", "workflow_type", "activity_type"}
UNBOUNDED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9]{12}|[0-9a-f]{32}|\bte-|AKIA|arn:")


@dataclass(frozen=True)
class Observed:
    """What was served and sent in the course of an onboarding, a refusal and a mishap."""

    stack: Stack
    demo: Demo
    api: Exposition
    worker: Exposition
    broken: Exposition
    collector: Collector

    def expositions(self) -> tuple[Exposition, ...]:
        return self.api, self.worker, self.broken

    def names(self) -> set[str]:
        return set.union(*(found.names() for found in self.expositions()))

    def labels_of(self, name: str) -> set[str]:
        return {label for found in self.expositions() for s in found.samples if s.name == name for label in s.labels}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def observed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Observed]:
    quiet = Progress(Console(quiet=True))
    ports = free_ports()
    folder = tmp_path_factory.mktemp("observed")
    with collecting() as collector, running_clouds(folder / "clouds", port=free_port()) as clouds:
        settings = {"TRACES_ENDPOINT": collector.url, **clouds.settings}
        async with running_stack(folder, ports=ports, progress=quiet, settings=settings) as stack:
            demo = await onboard(stack, quiet)
            await scan(stack, demo, quiet)
            await onboard_others(stack, clouds, demo, quiet)
            await be_refused(stack, demo)
            await sweep(stack)
            broken = await fail_a_workflow(stack)
            api, worker = (read(stack.metrics[name]) for name in ("api", "worker"))
        yield Observed(stack, demo, api, worker, broken, collector)  # the processes sent the rest as they ended


async def be_refused(stack: Stack, demo: Demo) -> None:
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    base_url = f"{stack.api_url}/api/v1/onboarding"
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as api:
        wanted = {"tenant_id": demo.tenant_id, "account_name": "Second", "auth_method": "access_key"}
        account_id = (await api.post("/aws/init", json=wanted)).json()["account_id"]
        key = {"access_key_id": "AKIA" + "A" * 16, "secret_access_key": "s" * 40}
        body = {"account_id": account_id, "auth_method": "access_key", "credentials": key}
        assert (await api.post("/aws/validate", json=body)).status_code == 400


async def sweep(stack: Stack) -> None:
    """Now rather than at its time. What is started by hand would be refused; what the worker has signed is not."""
    client = await connect(stack.temporal.address, namespace=stack.temporal.namespace)
    for name in (RECONCILE_ID, SEAL_AUDITS_ID):
        schedule = client.get_schedule_handle(name)
        await schedule.trigger()

        async def has_ended(name: str = name) -> bool:
            query = f"WorkflowId STARTS_WITH '{name}-' AND ExecutionStatus = 'Completed'"
            return (await client.count_workflows(query)).count > 0

        await eventually(has_ended)


async def fail_a_workflow(stack: Stack) -> Exposition:
    address, queue = f"{HOST}:{free_port()}", f"test-{uuid4()}"
    options = {"runtime": build_runtime(address)}
    client = await connect(stack.temporal.address, namespace=stack.temporal.namespace, options=options)

    async def has_failed() -> bool:
        return read(f"http://{address}/metrics").value("temporal_workflow_task_execution_failed_total") > 0

    async with Worker(client, task_queue=queue, workflows=[Broken]):
        handle = await client.start_workflow(Broken.run, id=queue, task_queue=queue)
        await eventually(has_failed)
        await handle.terminate()
    return read(f"http://{address}/metrics")


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
async def test_a_query_asks_for_what_is_served(observed: Observed, query: str):
    asked = parts(query)
    assert asked.metrics <= observed.names()
    assert all(matcher.label in observed.labels_of(matcher.metric) for matcher in asked.matchers)
    assert asked.grouped_by <= set.union(*(observed.labels_of(name) for name in asked.metrics))


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
async def test_a_metric_of_ours_is_served_as_it_is_documented(observed: Observed, metric):
    name = f"{metric.exposed}_bucket" if metric.kind is Kind.HISTOGRAM else metric.exposed
    expected = {*metric.labels, *({"le"} if metric.kind is Kind.HISTOGRAM else ())}
    assert observed.labels_of(name) - BY_THE_SDK == expected
    bounds = (
        {s.labels["le"] for found in observed.expositions() for s in found.samples if s.name == name}
        if metric.buckets
        else set()
    )
    assert {float(bound) for bound in bounds} == ({*metric.buckets, float("inf")} if metric.buckets else set())


async def test_no_label_holds_an_id_a_number_of_an_account_or_a_name(observed: Observed):
    for found in observed.expositions()[:2]:
        values = {value for sample in found.samples for value in sample.labels.values()}
        assert [value for value in values if UNBOUNDED.search(value) or "Demo" in value] == []


async def test_a_trace_goes_from_the_request_through_the_workflow_to_aws(observed: Observed):
    [request] = observed.collector.named("POST /onboarding/aws/validate-json")
    names = {span.name for span in observed.collector.spans() if span.trace_id == request.trace_id}
    assert names > {
        "KMS.GenerateDataKey",
        "StartWorkflowUpdate:submit_credential",
        "StartActivity:store_credential",
        "RunActivity:store_credential",
        "KMS.Decrypt",
        "Secrets Manager.CreateSecret",
        "RunActivity:validate_credential",
        "STS.AssumeRole",
        "RunActivity:activate_account",
        "DynamoDB.TransactWriteItems",
    }
    assert observed.collector.services() == {"threat-engine-onboarding-api", "threat-engine-onboarding-worker"}


async def test_a_good_onboarding_and_scan_have_no_span_that_is_an_error(observed: Observed):
    """That the role does not open without its external id is what was hoped for."""
    [request] = observed.collector.named("POST /onboarding/aws/validate-json")
    errors = [s.name for s in observed.collector.spans() if s.trace_id == request.trace_id and s.status.code == 2]
    assert errors == []


async def test_what_a_schedule_starts_is_one_trace_that_begins_with_its_run(observed: Observed):
    [root] = [span for span in observed.collector.named("RunWorkflow:SealAudits") if not span.parent_span_id][:1]
    steps = {span.name for span in observed.collector.spans() if span.trace_id == root.trace_id}
    assert {"StartActivity:find_unsealed_trails", "RunActivity:find_unsealed_trails", "DynamoDB.Scan"} <= steps
    known = {span.span_id for span in observed.collector.spans()}
    orphans = [s.name for s in observed.collector.spans() if s.parent_span_id and s.parent_span_id not in known]
    assert orphans == []


async def test_a_call_to_another_cloud_has_a_span_without_an_address(observed: Observed):
    calls = [span for span in observed.collector.spans() if span.name.startswith("HTTP ")]
    assert calls
    assert all(span.parent_span_id and span.kind == Span.SPAN_KIND_CLIENT for span in calls)


async def test_a_span_holds_what_is_listed_and_no_id(observed: Observed):
    spans = observed.collector.spans()
    assert {name for span in spans for name in attributes(span)} - {ERROR_TYPE} == ATTRIBUTES
    texts = {str(text) for span in spans for text in (span.name, *attributes(span).values())}
    assert [text for text in texts if UNBOUNDED.search(text)] == []
    assert {event for span in spans for event in span.events} == set()


async def test_a_log_line_leads_to_the_trace(observed: Observed):
    log = (observed.stack.folder / "logs/api.log").read_text()
    [request] = observed.collector.named("POST /onboarding/aws/validate-json")
    [line] = [line for line in log.splitlines() if request.trace_id.hex() in line and "request.served" in line]
    assert '"request_id"' in line
