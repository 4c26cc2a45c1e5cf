"""The API under test. `offline` has no Temporal behind it; `portal` and `scans` have the real server and a worker."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from temporalio.client import Client

from api.services import Limits
from tests.api.portal import Portal, open_portal
from tests.api.scan_portal import ScanPortal, open_scan_portal
from tests.patience import PATIENCE_SECONDS
from tests.rig import PLUGIN, Rig
from tests.scan_rig import ScanRig
from tests.servers import temporal_client

NOWHERE = "127.0.0.1:9"
LIMITS = Limits(
    validate_wait_seconds=PATIENCE_SECONDS, accept_wait_seconds=PATIENCE_SECONDS, query_wait_seconds=PATIENCE_SECONDS
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/api/" in item.path.as_posix() and "temporal" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Without the processes' own configuration, structlog would draw every local variable of a traceback."""
    with capture_logs():
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with temporal_client(tmp_path_factory.mktemp("temporal"), plugins=[PLUGIN]) as client:
        yield client


@pytest.fixture
async def offline() -> AsyncIterator[Portal]:
    client = await Client.connect(NOWHERE, lazy=True)
    portal = open_portal(Rig(client), client)
    async with portal.http:
        yield portal


@pytest.fixture
async def idle(temporal: Client) -> AsyncIterator[Portal]:
    """Nobody works: the worker is the test's to start."""
    portal = open_portal(Rig(temporal), temporal, LIMITS)
    async with portal.http:
        yield portal


@pytest.fixture
async def portal(idle: Portal) -> AsyncIterator[Portal]:
    async with idle.rig.worker():
        yield idle


@pytest.fixture
async def idle_scans(temporal: Client) -> AsyncIterator[ScanPortal]:
    """An active account to schedule, and nobody who works."""
    scans = await open_scan_portal(ScanRig(temporal))
    async with scans.http:
        yield scans


@pytest.fixture
async def scans(idle_scans: ScanPortal) -> AsyncIterator[ScanPortal]:
    async with idle_scans.rig.worker():
        yield idle_scans
