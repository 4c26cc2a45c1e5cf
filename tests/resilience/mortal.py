"""A process that dies and comes back."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emulators.processes import Child

START_PATIENCE_SECONDS = 120.0
"""A start after a kill competes with everything else that was killed and starts."""


@dataclass(frozen=True)
class Life:
    """From one start to the next death."""

    child: Child
    is_ready: Callable[[], bool]


Start = Callable[[Path], AbstractContextManager[Life]]
"""Starts the process, with its output in that file, and ends it."""


class Mortal:
    """One part of the system under one name. Every life has a log of its own."""

    def __init__(self, name: str, logs: Path, start: Start) -> None:
        self.name = name
        self.lives = 0
        self._logs, self._start = logs, start
        self._end = ExitStack()
        self._life: Life | None = None

    @property
    def life(self) -> Life:
        """The present one, or the last."""
        if self._life is None:
            raise RuntimeError(f"{self.name} was never started.")
        return self._life

    @property
    def pid(self) -> int:
        return self.life.child.pid

    @property
    def alive(self) -> bool:
        return self._life is not None and self._life.child.process.poll() is None

    async def start(self) -> None:
        """Started and ready. Raises StackFailed."""
        await self.launch()
        await self.until_ready()

    async def launch(self) -> None:
        """Started, not yet ready."""
        self.lives += 1
        log = self._logs / f"{self.name}-{self.lives}.log"
        self._life = await asyncio.to_thread(self._end.enter_context, self._start(log))

    async def until_ready(self) -> None:
        """Raises StackFailed when it ends first or takes too long."""
        await asyncio.to_thread(
            partial(self.life.child.wait_until, self.life.is_ready, patience=START_PATIENCE_SECONDS)
        )

    async def kill(self) -> None:
        """SIGKILL, and gone."""
        self.signal(signal.SIGKILL)
        await self.death()

    async def death(self) -> None:
        """Waits until it has died, by whatever hand."""
        await asyncio.to_thread(self.life.child.process.wait)
        await self.stop()

    async def stop(self) -> None:
        """SIGTERM, and time to finish. Harmless when it is dead or was never started."""
        await asyncio.to_thread(self._end.close)

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP makes it deaf, with its connections open, until SIGCONT."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
