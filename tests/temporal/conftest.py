"""A server of our own making: no namespace attribute of it is shared with the workflow tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.servers import temporal_client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/temporal/" in item.path.as_posix():
            item.add_marker(pytest.mark.stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bare(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A server that knows none of our search attributes."""
    async with temporal_client(tmp_path_factory.mktemp("bare"), attributes={}) as client:
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A server that is set up."""
    async with temporal_client(tmp_path_factory.mktemp("temporal")) as client:
        yield client
