"""A closed loop: as many at once as asked for, each followed by the next, until all are done."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.processes import Observed

Work = Callable[[], Awaitable[float]]
"""Does one unit and returns the seconds that count."""


@dataclass(frozen=True)
class Sample:
    """What one round of the loop took."""

    seconds: float
    latencies: Sequence[float]
    """The seconds that count, of each unit."""
    cpu_seconds: Mapping[str, float]
    """Processor time by name of process."""

    @property
    def count(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.count / self.seconds

    def percentile(self, percent: float) -> float:
        """The smallest latency that so many per cent do not exceed."""
        return sorted(self.latencies)[max(0, math.ceil(percent / 100 * self.count) - 1)]

    def cpu_each(self, name: str) -> float:
        """Seconds of processor time per unit; 0 for a process that was not watched."""
        return self.cpu_seconds.get(name, 0.0) / self.count

    @property
    def cpu_together(self) -> float:
        """Seconds of processor time per unit, of all processes that were watched."""
        return sum(self.cpu_seconds.values()) / self.count


async def sample(work: Work, *, count: int, in_flight: int, watched: Sequence[Observed] = ()) -> Sample:
    """Do `work` so many times, `in_flight` at once. Its first error ends the round and is raised."""
    latencies: list[float] = []
    waiting = iter(range(count))

    async def lane() -> None:
        for _ in waiting:
            latencies.append(await work())

    before = {process.name: process.cpu_seconds() for process in watched}
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(in_flight, count)):
            group.create_task(lane())
    seconds = time.perf_counter() - began
    used = {process.name: process.cpu_seconds() - before[process.name] for process in watched}
    return Sample(seconds, latencies, used)


def together(samples: Sequence[Sample]) -> Sample:
    """The rounds of one thing as one sample."""
    return Sample(
        seconds=sum(one.seconds for one in samples),
        latencies=[latency for one in samples for latency in one.latencies],
        cpu_seconds={name: sum(one.cpu_seconds[name] for one in samples) for name in samples[0].cpu_seconds},
    )
