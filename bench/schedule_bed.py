"""What schedules are measured on: a Temporal server of their own, and a worker on ports in memory."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from temporalio.client import Client

from bench.processes import Observed
from bench.scan_worker import temporal_schedules
from bench.testbed import SERVER, WORKER, has_started
from domain.schedules.schedule import Schedule
from emulators.processes import running
from emulators.temporal import running_temporal
from local.stack import ROOT
from temporal.client import connect
from temporal.schedules.schedules import TemporalSchedules
from temporal.setup import ensure_search_attributes
from workflows import search_attributes

AT_ONCE = 16
"""Schedules that are made at the same time."""

IDLE_SHARE, IDLE_SECONDS, PATIENCE_SECONDS = 0.15, 5, 600
"""A server that uses less of one processor than this, for so long, has done what it was asked for."""


@dataclass(frozen=True)
class ScheduleBed:
    folder: Path
    client: Client
    address: str
    server: Observed
    schedules: TemporalSchedules

    async def make(self, rows: Sequence[Schedule]) -> None:
        """The Temporal Schedules of rows, as a worker makes them."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(threads, self.schedules.converge, row) for row in rows))

    async def settled(self) -> None:
        """Wait for what the server still does after many schedules were made: each is a workflow of its own."""
        idle, deadline = 0, time.monotonic() + PATIENCE_SECONDS
        while idle < IDLE_SECONDS and time.monotonic() < deadline:
            before = self.server.cpu_seconds()
            await asyncio.sleep(1)
            idle = idle + 1 if self.server.cpu_seconds() - before < IDLE_SHARE else 0

    @asynccontextmanager
    async def worker(self, *, scan_seconds: float = 0) -> AsyncIterator[Observed]:
        """A worker whose scans take that long. Raises StackFailed when it does not start."""
        command = [
            sys.executable,
            "-m",
            "bench.scan_worker",
            self.address,
            self.client.namespace,
            "--seconds",
            str(scan_seconds),
        ]
        log, home = self.folder / "logs/bench-scans.log", {"HOME": str(self.folder)}
        with running("The worker of scans", command, log=log, environment=home, cwd=ROOT) as child:
            await asyncio.to_thread(child.wait_until, partial(has_started, child))
            yield Observed(WORKER, child.pid)


@asynccontextmanager
async def schedule_bed(folder: Path) -> AsyncIterator[ScheduleBed]:
    """Raises StackFailed when the server does not start."""
    with running_temporal(folder / "logs/temporal-schedules.log", ui=False) as server:
        client = await connect(server.address, namespace=server.namespace)
        await ensure_search_attributes(client, search_attributes.ALL)
        observed = Observed(SERVER, server.child.pid)
        yield ScheduleBed(folder, client, server.address, observed, temporal_schedules(client))
