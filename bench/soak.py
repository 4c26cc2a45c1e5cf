"""Resident memory of the API and of a worker over many onboardings, on ports in memory that never grow."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.load import sample
from bench.portal_process import PortalProcess, portal_process
from bench.processes import Observed
from bench.report import Report, Target
from bench.testbed import WORKER, Testbed
from tests.fakes_clouds import ROLE_ARN

MAX_GROWTH = 1.1
"""Of the last fifth over the second one: in the first one caches fill up."""


@dataclass(frozen=True)
class Plan:
    stretches: int
    accounts: int
    """Of a stretch; memory is read after each."""
    in_flight: int
    counts: bool = True


FULL = Plan(stretches=10, accounts=1_000, in_flight=20)
QUICK = Plan(stretches=5, accounts=4, in_flight=4, counts=False)


async def run(bed: Testbed, plan: Plan, *, report: Report) -> bool:
    """Whether the memory stays what it is."""
    async with portal_process(bed) as portal:
        watched = (portal.observed, Observed(WORKER, bed.in_memory.pid))
        report.heading(f"Resident memory over {plan.stretches * plan.accounts:,} onboardings, MiB")
        report.machine()
        found = []
        for number in range(1, plan.stretches + 1):
            found.append(await _stretch(portal, plan, watched))
            memory = ", ".join(f"{name} {size / 2**20:.0f}" for name, size in found[-1].items())
            report.say(f"{number * plan.accounts:7,}: {memory}")
    targets = [growth(name, [memory[name] for memory in found]) for name in found[0]]
    return report.judge(targets, counts=plan.counts)


async def _stretch(portal: PortalProcess, plan: Plan, watched: Sequence[Observed]) -> dict[str, int]:
    async def onboard() -> float:
        started = await portal.http.init(portal.tenant_id)
        answer = await portal.http.validate(started["account_id"], ROLE_ARN)
        if answer["status"] != "active":
            raise RuntimeError(f"An account did not become active: {answer['status']}.")
        return 0.0

    await sample(onboard, count=plan.accounts, in_flight=plan.in_flight)
    return {process.name: process.resident_bytes() for process in watched}


def growth(name: str, memory: Sequence[int]) -> Target:
    fifth = len(memory) // 5
    early, late = memory[fifth : 2 * fifth], memory[-fifth:]
    return Target(f"memory of the {name}, late / early", sum(late) / sum(early), at_most=MAX_GROWTH)
