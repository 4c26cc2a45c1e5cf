"""The Temporal server of a test: a child of this process that ends with it, on ports that nothing else uses, in a
namespace of its own. The SDK's own starter gives a server five seconds, and leaves it behind when a test is killed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client, Plugin

from emulators.temporal import TemporalServer, starting_temporal
from workflows import search_attributes

ATTRIBUTES = {key.name: key.indexed_value_type.name.title() for key in search_attributes.ALL}


@asynccontextmanager
async def temporal_server(
    folder: Path, *, attributes: Mapping[str, str] = ATTRIBUTES, dynamic_config: Mapping[str, str] | None = None
) -> AsyncIterator[TemporalServer]:
    starting = starting_temporal(
        folder / "temporal.log", ui=False, search_attributes=attributes, dynamic_config=dynamic_config
    )
    with starting as server:
        await asyncio.to_thread(server.child.wait_until, server.is_ready)
        yield server


@asynccontextmanager
async def temporal_client(
    folder: Path,
    *,
    plugins: Sequence[Plugin] = (),
    attributes: Mapping[str, str] = ATTRIBUTES,
    dynamic_config: Mapping[str, str] | None = None,
) -> AsyncIterator[Client]:
    """A client of such a server."""
    async with temporal_server(folder, attributes=attributes, dynamic_config=dynamic_config) as server:
        yield await Client.connect(server.address, namespace=server.namespace, plugins=plugins)
