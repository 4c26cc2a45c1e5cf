"""A meter with its endpoint, and tracers with their collector."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import TracerProvider
from temporalio.common import MetricMeter
from temporalio.runtime import Runtime
from temporalio.testing import WorkflowEnvironment

from local.ports import HOST, free_port
from telemetry.runtime import build_runtime
from telemetry.spans import sending_spans
from tests.telemetry.collector import Collector, Exposition, collecting, read
from tests.workflows.conftest import FAST, TEMPORAL
from workflows import search_attributes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/telemetry/" in item.path.as_posix() and {"address", "stack"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


@dataclass(frozen=True)
class Meters:
    """A runtime and what it serves."""

    runtime: Runtime
    url: str

    @property
    def meter(self) -> MetricMeter:
        return self.runtime.metric_meter

    def read(self) -> Exposition:
        return read(self.url)


@pytest.fixture
def meters() -> Meters:
    address = f"{HOST}:{free_port()}"
    return Meters(build_runtime(address), f"http://{address}/metrics")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def tracers(collector: Collector) -> Iterator[TracerProvider]:
    """`force_flush` sends what there is."""
    tracers = sending_spans("test", "1", collector.url)
    yield tracers
    tracers.shutdown()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def address() -> AsyncIterator[str]:
    """The real server."""
    assert TEMPORAL, "The temporal program is missing; run make install."
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=FAST,
        dev_server_log_level="error",
        search_attributes=search_attributes.ALL,
    ) as environment:
        yield environment.client.service_client.config.target_host
