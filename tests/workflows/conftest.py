"""The real Temporal server, once for all workflow tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.testing import TimeSkipper, WorkflowEnvironment

from tests.rig import PLUGIN, Rig
from tests.servers import temporal_client

SKIPPING = {"frontend.WorkflowTimeSkippingEnabled": "true"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/workflows/" in item.path.as_posix() and item.path.name != "test_replay.py":
            item.add_marker(pytest.mark.stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def environment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkflowEnvironment]:
    """The server as it is in production, its clock running."""
    async with temporal_client(tmp_path_factory.mktemp("temporal"), plugins=[PLUGIN]) as client:
        yield WorkflowEnvironment.from_client(client)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def skipping(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TimeSkipper]:
    """The same server with a clock that a test can move on."""
    folder = tmp_path_factory.mktemp("skipping")
    async with temporal_client(folder, plugins=[PLUGIN], dynamic_config=SKIPPING) as client:
        yield TimeSkipper(client)


@pytest.fixture
def rig(environment: WorkflowEnvironment) -> Rig:
    return Rig(environment.client)
