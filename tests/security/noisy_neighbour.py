"""One tenant calls at ten times its limit: another, who keeps to its own, is refused nothing and hardly waits longer.

The server is a process of its own, as it is in production, and both come from one address."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx

from bench.report import Target
from domain.callers.api_keys import new_key_text
from emulators.ports import HOST, free_port
from emulators.processes import running
from local.stack import ROOT, answers

LIMIT = 600
"""Requests a minute of a tenant."""
PATH = "/api/v1/onboarding/aws/methods"
CONNECTIONS = 10
EXCESS = 10
"""So many times its limit the loud one calls."""
QUIET_PER_SECOND = 8
FULL_ROUNDS, QUICK_ROUNDS = 9, 5
ROUND_SECONDS = 4.0
USED_UP_SECONDS = 6.0
"""In which the loud one has used up its limit."""


@dataclass
class Heard:
    latencies: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def add(self, more: "Heard") -> None:
        self.latencies += more.latencies
        self.statuses += more.statuses

    def p95(self) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * 0.95)]

    def count(self, status: int) -> int:
        return self.statuses.count(status)


async def call_steadily(http: httpx.AsyncClient, *, per_second: float, seconds: float) -> Heard:
    """An open loop: each request leaves at its time, whatever became of those before."""
    heard, began = Heard(), perf_counter()

    async def one() -> None:
        sent = perf_counter()
        answer = await http.get(PATH)
        heard.latencies.append(perf_counter() - sent)
        heard.statuses.append(answer.status_code)

    async with asyncio.TaskGroup() as group:
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - perf_counter()))
            group.create_task(one())
    return heard


def shout(port: int, key: str, seconds: float) -> Heard:
    """The loud one, in a process of its own and with as little work as can be: what the quiet one waits for is the
    server, not this program."""
    lines = (f"GET {PATH} HTTP/1.1", f"Host: {HOST}", f"Authorization: Bearer {key}", "", "")
    request = "\r\n".join(lines).encode()
    per_second = LIMIT * EXCESS / 60 / CONNECTIONS

    async def one(place: int, heard: Heard) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        began = perf_counter() + place / CONNECTIONS / per_second  # one after the other, evenly
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - perf_counter()))
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            heard.statuses.append(int(head.split(b" ", 2)[1]))
        writer.close()

    async def all_of_them() -> Heard:
        heard = Heard()
        await asyncio.gather(*(one(place, heard) for place in range(CONNECTIONS)))
        return heard

    return asyncio.run(all_of_them())


def client(url: str, key: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30, trust_env=False)


@asynccontextmanager
async def server(folder: Path, keys: Sequence[str]) -> AsyncIterator[str]:
    """The address of an API with a tenant for each key."""
    port = free_port()
    command = [sys.executable, "-m", "tests.security.neighbours", str(port), str(LIMIT), *keys]
    with running("The API", command, log=folder / "api.log", environment={"HOME": str(folder)}, cwd=ROOT) as child:
        url = f"http://{HOST}:{port}"
        await asyncio.to_thread(child.wait_until, partial(answers, f"{url}/api/v1/health/live"))
        yield url


async def run(*, quick: bool) -> Sequence[Target]:
    """In turns, so that what else the machine does meanwhile meets both; the median turn counts."""
    alone: list[Heard] = []
    beside: list[Heard] = []
    shouted = Heard()
    loud_key, quiet_key = new_key_text(), new_key_text()
    with TemporaryDirectory(prefix="neighbours-") as folder, ProcessPoolExecutor(1, get_context("spawn")) as other:
        async with server(Path(folder), (loud_key, quiet_key)) as url, client(url, quiet_key) as http:
            calm = partial(call_steadily, http, per_second=QUIET_PER_SECOND, seconds=ROUND_SECONDS)
            shouting = partial(shout, int(url.rpartition(":")[2]), loud_key)
            loud = partial(asyncio.get_running_loop().run_in_executor, other, shouting)
            began = perf_counter()
            shouted.add(await loud(USED_UP_SECONDS))
            for _ in range(QUICK_ROUNDS if quick else FULL_ROUNDS):
                alone.append(await calm())
                heard, noise = await asyncio.gather(calm(), loud(ROUND_SECONDS))
                beside.append(heard)
                shouted.add(noise)
            allowed = LIMIT * (1 + (perf_counter() - began) / 60)
    before, after = (median(heard.p95() for heard in turns) for turns in (alone, beside))
    print(f"p95 alone {before * 1000:.1f} ms, beside {after * 1000:.1f} ms")
    print(f"of the loud one's requests {shouted.count(200)} were served and {shouted.count(429)} refused")
    return (
        Target("p95 beside a loud tenant / alone", after / before, at_most=1.5),
        Target("refusals of the quiet tenant", sum(heard.count(429) for heard in alone + beside), at_most=0),
        Target("requests served to the loud tenant / its limit", shouted.count(200) / allowed, at_most=1.05),
        Target("requests of the loud tenant that were refused", shouted.count(429), at_least=1),
    )
