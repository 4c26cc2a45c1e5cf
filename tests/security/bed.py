"""The whole API in this process, on fakes and a Temporal server of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from temporalio.client import Client

from emulators.temporal import starting_temporal
from telemetry.runtime import start_runtime
from temporal.client import connect
from tests.api.whole_portal import WholePortal, whole_portal
from tests.rig import SIGNER
from workflows import search_attributes


@asynccontextmanager
async def bed() -> AsyncIterator[WholePortal]:
    """Raises StackFailed when Temporal does not start."""
    async with temporal_server() as client, whole_portal(client) as whole:
        yield whole


@asynccontextmanager
async def temporal_server() -> AsyncIterator[Client]:
    """A Temporal server of its own, and quiet logs. Raises StackFailed when it does not start."""
    # What is refused is refused thousands of times.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.ERROR)
    attributes = {key.name: key.indexed_value_type.name.title() for key in search_attributes.ALL}
    with TemporaryDirectory(prefix="security-") as folder:
        log = Path(folder) / "temporal.log"
        with starting_temporal(log, ui=False, search_attributes=attributes) as server:
            start_runtime()
            await asyncio.to_thread(server.child.wait_until, server.is_ready)
            yield await connect(server.address, namespace=server.namespace, signer=SIGNER)
