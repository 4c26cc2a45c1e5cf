"""A process that needs Temporal waits for it, and can be stopped while it waits."""

import asyncio

from temporalio.client import Client

from emulators.ports import free_port
from temporal.client import connect
from temporal.first_connection import first_connection
from tests.patience import PATIENCE_SECONDS


class Unreachable:
    """Connecting fails a number of times before it works."""

    def __init__(self, failures: int, client: Client | None = None) -> None:
        self.failures, self.calls, self._client = failures, 0, client
        self.called = asyncio.Event()

    async def __call__(self) -> Client:
        self.calls += 1
        self.called.set()
        if self.calls <= self.failures or self._client is None:
            raise RuntimeError("Failed client connect")
        return self._client


async def test_the_first_try_that_succeeds_counts():
    client = await connect("127.0.0.1:1", namespace="default", lazy=True)
    connecting = Unreachable(failures=1, client=client)
    assert await first_connection(connecting, asyncio.Event()) is client
    assert connecting.calls == 2


async def test_waiting_ends_when_the_process_is_to_stop():
    stopping, connecting = asyncio.Event(), Unreachable(failures=1000)
    waiting = asyncio.create_task(first_connection(connecting, stopping))
    await connecting.called.wait()
    stopping.set()
    assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) is None


async def test_a_server_that_is_not_there_is_what_it_waits_for():
    async def connecting() -> Client:
        return await connect(f"127.0.0.1:{free_port()}", namespace="default")

    stopping = asyncio.Event()
    waiting = asyncio.create_task(first_connection(connecting, stopping))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    stopping.set()
    assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) is None
