"""What signatures cost: the no-op workflow on a worker that signs and checks, and on one that does not. One Temporal
server, one run; the two take turns, and whichever went first in one round goes second in the next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench.lanes import NoOpLane
from bench.load import Sample, sample, together
from bench.noop import SIGNED_QUEUE
from bench.processes import Observed
from bench.report import Report, Target, milliseconds
from bench.testbed import WORKER, has_started, running_worker
from bench.worker import Kind, signer
from emulators.temporal import running_temporal
from temporal.client import connect

MAX_CPU_RATIO = 1.10
MAX_P50_RATIO = 1.05


@dataclass(frozen=True)
class Plan:
    rounds: int
    one: int
    """How many accounts a round onboards one after the other: their time is what a caller waits."""
    many: int
    """How many it onboards twenty at once: their processor time is what a worker spends when it has enough to do."""
    counts: bool = True
    """Whether the figures are enough to be judged."""


FULL = Plan(rounds=10, one=40, many=160)
QUICK = Plan(rounds=1, one=4, many=8, counts=False)
IN_FLIGHT = 20


@dataclass(frozen=True)
class Contestant:
    lane: NoOpLane
    worker: Observed


async def run(plan: Plan, *, folder: Path, report: Report) -> bool:
    """Whether every target was met."""
    with (
        running_temporal(folder / "logs/temporal-signing.log", ui=False) as server,
        running_worker(Kind.NOOP, server, folder) as plain,
        running_worker(Kind.SIGNED, server, folder) as ours,
    ):
        for child in (plain, ours):
            await asyncio.to_thread(child.wait_until, partial(has_started, child))
        unsigned = NoOpLane(await connect(server.address, namespace=server.namespace), "unsigned")
        client = await connect(server.address, namespace=server.namespace, signer=signer())
        signed = NoOpLane(client, "signed", queue=SIGNED_QUEUE)
        workers = [Observed(WORKER, child.pid) for child in (plain, ours)]
        contestants = [Contestant(*pair) for pair in zip((unsigned, signed), workers, strict=True)]
        await _round(contestants, plan.one, 1)  # the first calls of a process are slow
        targets = []
        for count, in_flight in ((plan.one, 1), (plan.many, IN_FLIGHT)):
            rounds = [await _round(_turned(contestants, number), count, in_flight) for number in range(plan.rounds)]
            targets += _told(rounds, in_flight, report)
    return report.judge(targets, counts=plan.counts)


def _turned(contestants: Sequence[Contestant], number: int) -> Sequence[Contestant]:
    return contestants if number % 2 else contestants[::-1]


async def _round(contestants: Sequence[Contestant], count: int, in_flight: int) -> dict[str, Sample]:
    return {
        each.lane.name: await sample(each.lane.onboard, count=count, in_flight=in_flight, watched=[each.worker])
        for each in contestants
    }


def _told(rounds: Sequence[dict[str, Sample]], in_flight: int, report: Report) -> list[Target]:
    """The median over the rounds of what each round's pair gives."""
    report.heading(f"Signatures, {in_flight} in flight, {len(rounds)} rounds")
    report.machine()
    rows = []
    for name in ("unsigned", "signed"):
        whole = together([found[name] for found in rounds])
        p50, cpu = whole.percentile(50), whole.cpu_each(WORKER)
        rows.append((name, f"{whole.rate:.1f}", milliseconds(p50), milliseconds(cpu)))
    report.table(("", "accounts/s", "p50 ms", "worker CPU ms"), rows)
    pairs = [(found["signed"], found["unsigned"]) for found in rounds]
    # A quick round may be too short for the clock of processor time.
    cpu_ratio = median(ours.cpu_each(WORKER) / max(plain.cpu_each(WORKER), 0.001) for ours, plain in pairs)
    p50_ratio = median(ours.percentile(50) / plain.percentile(50) for ours, plain in pairs)
    targets = [Target(f"worker CPU signed / unsigned, {in_flight} in flight", cpu_ratio, at_most=MAX_CPU_RATIO)]
    if in_flight == 1:
        targets.append(Target("p50 signed / unsigned, 1 in flight", p50_ratio, at_most=MAX_P50_RATIO))
    return targets
