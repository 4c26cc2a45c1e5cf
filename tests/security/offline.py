"""The API in this process without a Temporal server: what is refused never gets as far as one."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from temporalio.client import Client

from emulators.ports import free_port
from tests.api.portal import Portal, open_portal
from tests.rig import Rig


@asynccontextmanager
async def offline(**replaced: object) -> AsyncIterator[Portal]:
    """`replaced` are services other than the fakes."""
    # What is refused is refused thousands of times.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    client = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    portal = open_portal(Rig(client), client, **replaced)  # type: ignore[arg-type]
    async with portal.http:
        yield portal
