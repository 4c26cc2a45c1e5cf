"""The real Temporal server, once for all workflow tests."""

import shutil
import sysconfig
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.rig import PLUGIN, Rig
from workflows import search_attributes

TEMPORAL = shutil.which("temporal", path=sysconfig.get_path("scripts"))
SKIPPING = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
FAST = [
    argument
    for queue in ("transfer", "timer", "visibility")
    for argument in ("--dynamic-config-value", f"history.{queue}ProcessorMaxPollRPS=5000")
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/workflows/" in item.path.as_posix() and item.path.name != "test_replay.py":
            item.add_marker(pytest.mark.stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """The server as it is in production, its clock running."""
    assert TEMPORAL, "The temporal program is missing; run make install."
    async with await WorkflowEnvironment.start_local(
        plugins=[PLUGIN],
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=FAST,
        dev_server_log_level="error",
        search_attributes=search_attributes.ALL,
    ) as environment:
        yield environment


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """The same server with a clock that a test can move on."""
    assert TEMPORAL, "The temporal program is missing; run make install."
    async with await WorkflowEnvironment.start_time_skipping_v2(
        plugins=[PLUGIN],
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=[*FAST, *SKIPPING],
        dev_server_log_level="error",
        search_attributes=search_attributes.ALL,
    ) as environment:
        yield environment


@pytest.fixture
def rig(environment: WorkflowEnvironment) -> Rig:
    return Rig(environment.client)
