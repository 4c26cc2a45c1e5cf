"""A process of ours that is started again when it dies: nothing of what it was doing is lost, and under `make run` a
newcomer can see that."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from emulators.failures import StackFailed
from emulators.processes import Child

MAX_RESTARTS = 5
FIRST_PAUSE_SECONDS = 0.5
"""Each further pause is twice as long, so that what always dies at once does not keep the machine busy."""
WATCH_SECONDS = 0.2

Say = Callable[[str], None]


class Kept:
    """One process under one name, from its first start to the end of the stack."""

    def __init__(
        self,
        name: str,
        start: Callable[[], AbstractContextManager[Child]],
        is_ready: Callable[[Child], bool],
        *,
        first_pause: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self.name = name
        self._start, self._is_ready, self._pause = start, is_ready, first_pause
        self._end = ExitStack()
        self._restarts = 0
        self.child = self._end.enter_context(start())
        """The present one."""

    def __enter__(self) -> "Kept":
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    async def until_ready(self) -> None:
        """Raises StackFailed when it ends first or takes too long."""
        await asyncio.to_thread(self.child.wait_until, partial(self._is_ready, self.child))

    async def keep(self, say: Say, restarted: Callable[[], None]) -> None:
        """Start it again whenever it dies, and tell so. Raises StackFailed when that was too often."""
        while True:
            if how := self.child.ended():
                await self._again(how, say)
                restarted()
            await asyncio.sleep(WATCH_SECONDS)

    async def _again(self, how: str, say: Say) -> None:
        if self._restarts == MAX_RESTARTS:
            raise StackFailed(f"{self.child.describe(how)}\nIt was started again {MAX_RESTARTS} times before.")
        self._restarts += 1
        name = self.child.name
        say(f"{name} {how}. It is started again in {self._pause:g} s ({self._restarts} of {MAX_RESTARTS} times).")
        await asyncio.sleep(self._pause)
        self._pause *= 2
        began = time.monotonic()
        self._end.close()
        self.child = self._end.enter_context(self._start())
        try:
            await self.until_ready()
        except StackFailed:
            if not self.child.ended():
                raise
            return  # the next look tells it
        took = time.monotonic() - began
        say(f"{name} is up again after {took:.1f} s, as process {self.child.pid}. What it was doing goes on.")
