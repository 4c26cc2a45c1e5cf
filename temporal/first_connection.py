"""The first connections of a process that can do nothing without Temporal, or without the key of its commands, and so
waits for them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import structlog
from temporalio.client import Client

from domain.errors import OnboardingError
from temporal.signing.signatures import Signer

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

Result = TypeVar("Result")

log = structlog.get_logger("temporal")


async def first_connection(connect: Callable[[], Awaitable[Client]], stopping: asyncio.Event) -> Client | None:
    """Try with growing pauses until `connect` succeeds; None when `stopping` is set before that."""
    # RuntimeError is what the SDK raises when it cannot connect.
    return await _first(connect, stopping, failure=RuntimeError, event="temporal.unreachable")


async def first_key(signer: Signer, stopping: asyncio.Event) -> bool:
    """The same for the key that commands are signed with. False when `stopping` is set before that."""

    async def prepare() -> bool:
        await asyncio.to_thread(signer.prepare)
        return True

    return bool(await _first(prepare, stopping, failure=OnboardingError, event="commands.key_unavailable"))


async def _first(
    attempt: Callable[[], Awaitable[Result]], stopping: asyncio.Event, *, failure: type[Exception], event: str
) -> Result | None:
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            return await attempt()
        except failure as error:
            log.warning(event, retry_in_seconds=pause, exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    return None
