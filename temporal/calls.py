"""Calls of the client from threads: activities are blocking, the client lives on the process's loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio.service import RPCError, RPCStatusCode

from domain.errors import Unavailable

Result = TypeVar("Result")

CALL_SECONDS = 10.0
_PASSED_ON = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


def call(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work` on the loop from another thread and wait. Raises Unavailable, and RPCError for what is not found or
    not acceptable."""
    future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, CALL_SECONDS), loop)
    try:
        return future.result()
    except RPCError as error:
        if error.status in _PASSED_ON:
            raise
        raise Unavailable from None
    except (TimeoutError, RuntimeError):
        raise Unavailable from None
