"""How a program that talks to Temporal ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

PAUSE_SECONDS = 0.1


def run_program(work: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run`, with a pause before the loop ends, also after an error. Without it an interpreter that ends soon
    after its last call of the SDK crashes about one time in twenty, with exit code 134 or 139: the SDK's threads still
    call into Python (temporalio/sdk-python#300)."""
    return asyncio.run(_with_pause(work))


async def _with_pause(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return await work
    finally:
        await asyncio.sleep(PAUSE_SECONDS)
