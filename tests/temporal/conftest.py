"""A server of our own making: no namespace attribute of it is shared with the workflow tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import TEMPORAL
from workflows import search_attributes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/temporal/" in item.path.as_posix():
            item.add_marker(pytest.mark.stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bare_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server that knows neither our namespace nor our search attributes."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL, dev_server_log_level="error"
    ) as environment:
        yield environment


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client() -> AsyncIterator[Client]:
    """A server that is set up."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL, dev_server_log_level="error", search_attributes=search_attributes.ALL
    ) as environment:
        yield environment.client
