"""The first connection of a process that can do nothing without Temporal, and so waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from temporalio.client import Client

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

log = structlog.get_logger("temporal")


async def first_connection(connect: Callable[[], Awaitable[Client]], stopping: asyncio.Event) -> Client | None:
    """Try with growing pauses until `connect` succeeds; None when `stopping` is set before that."""
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            return await connect()
        except RuntimeError as error:
            # What the SDK raises when it cannot connect.
            log.warning("temporal.unreachable", retry_in_seconds=pause, exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    return None
