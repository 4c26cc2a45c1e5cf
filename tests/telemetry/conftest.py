"""A meter with its endpoint, and tracers with their collector."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import TracerProvider
from temporalio.common import MetricMeter
from temporalio.runtime import Runtime

from emulators.ports import HOST, free_port
from emulators.temporal import TemporalServer
from telemetry.runtime import build_runtime
from telemetry.spans import sending_spans
from tests.servers import temporal_server
from tests.telemetry.collector import Collector, Exposition, collecting, read


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/telemetry/" in item.path.as_posix() and {"server", "stack"} & set(getattr(item, "fixturenames", ())):
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
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    """The real one."""
    async with temporal_server(tmp_path_factory.mktemp("temporal")) as server:
        yield server
