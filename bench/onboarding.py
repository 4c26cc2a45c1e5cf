"""Accounts per second and the time from handing a credential in to being active: (a) a workflow of the same messages
and steps that does nothing, (b) ours on ports in memory, (c) ours on the emulated AWS. One Temporal server, one run;
the three take turns in rounds, so that whatever else the machine does hits them alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.load import Sample, sample, together
from bench.report import Report, Target, milliseconds
from bench.testbed import DRIVER, EMULATOR, SERVER, WORKER, Entrant, Testbed

MIN_RATE_RATIO = 0.85
MAX_P50_RATIO = 1.25
PROCESSES = (SERVER, WORKER, DRIVER, EMULATOR)


@dataclass(frozen=True)
class Plan:
    rounds: int
    accounts: Mapping[int, int]
    """How many accounts a round onboards, by how many are in flight."""
    slowest: Mapping[int, int]
    """The same for lane (c), where an account takes the emulator ten times as long."""
    counts: bool = True
    """Whether the figures are enough to be judged."""


FULL = Plan(rounds=6, accounts={1: 30, 20: 140, 100: 250}, slowest={1: 8, 20: 40, 100: 100})
QUICK = Plan(rounds=1, accounts={1: 3, 4: 8}, slowest={1: 1, 4: 4}, counts=False)

Rounds = Mapping[str, Sequence[Sample]]


async def run(bed: Testbed, plan: Plan, *, report: Report) -> bool:
    """Whether every target was met."""
    targets: list[Target] = []
    names = [entrant.lane.name for entrant in bed.entrants]
    await _rounds(bed, plan, in_flight=min(plan.accounts), rounds=1)  # the first calls of a process are slow
    for in_flight in plan.accounts:
        found = await _rounds(bed, plan, in_flight=in_flight, rounds=plan.rounds)
        report.heading(f"{in_flight} onboardings in flight, {plan.rounds} rounds")
        report.machine()
        _show(report, found)
        limit, ours = (together(found[name]) for name in names[:2])
        report.say(f"Processor time of (a) / (b): {limit.cpu_together / ours.cpu_together:.2f}")
        targets += targets_of(found[names[0]], found[names[1]], in_flight=in_flight)
    return report.judge(targets, counts=plan.counts)


async def _rounds(bed: Testbed, plan: Plan, *, in_flight: int, rounds: int) -> Rounds:
    found: dict[str, list[Sample]] = {entrant.lane.name: [] for entrant in bed.entrants}
    for _ in range(rounds):
        for entrant in bed.entrants:
            found[entrant.lane.name].append(await _round(bed, entrant, plan=plan, in_flight=in_flight))
    return found


async def _round(bed: Testbed, entrant: Entrant, *, plan: Plan, in_flight: int) -> Sample:
    last = entrant is bed.entrants[-1]
    count = (plan.slowest if last else plan.accounts)[in_flight]
    if last:
        await bed.tenants.prepare(count)
    return await sample(entrant.lane.onboard, count=count, in_flight=in_flight, watched=entrant.watched)


def _show(report: Report, found: Rounds) -> None:
    cpu_columns = (*(f"{name} CPU" for name in PROCESSES), "all CPU")
    columns = ("", "accounts/s", "spread", "p50 ms", "p95 ms", "p99 ms", *cpu_columns)
    rows = []
    for name, rounds in found.items():
        whole, rates = together(rounds), [one.rate for one in rounds]
        latencies = [milliseconds(whole.percentile(percent)) for percent in (50, 95, 99)]
        cpu = [milliseconds(whole.cpu_each(process)) for process in PROCESSES]
        cpu.append(milliseconds(whole.cpu_together))
        rows.append((name, f"{median(rates):.1f}", f"{min(rates):.1f}–{max(rates):.1f}", *latencies, *cpu))
    report.table(columns, rows)


def targets_of(limit: Sequence[Sample], ours: Sequence[Sample], *, in_flight: int) -> list[Target]:
    """The median over the rounds of what each round's pair gives."""
    pairs = list(zip(ours, limit, strict=True))
    rate = median(b.rate / a.rate for b, a in pairs)
    p50 = median(b.percentile(50) / a.percentile(50) for b, a in pairs)
    return [
        Target(f"rate (b) / (a), {in_flight} in flight", rate, at_least=MIN_RATE_RATIO),
        Target(f"p50 (b) / (a), {in_flight} in flight", p50, at_most=MAX_P50_RATIO),
    ]
