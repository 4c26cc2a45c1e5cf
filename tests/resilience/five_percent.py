"""One attempt in twenty fails, of every call to AWS on either side, in one of all the ways: onboardings end as they do
without faults, nobody helps, and AWS is not asked much more often."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from bench.load import Sample, sample
from bench.report import Report, Target
from tests.resilience.caller import Unanswered
from tests.resilience.endings import Ending
from tests.resilience.faults import Fault, Plan
from tests.resilience.ground import Ground, burning_ground
from tests.resilience.invariants import Broken, Expected
from tests.resilience.journeys import Traveller, straight
from tests.resilience.programs import Conditions

RATE = 0.05
IN_FLIGHT = 20
PATIENCE_SECONDS = 240.0
MIN_ACTIVE = 0.99
MAX_CALLS_RATIO = 1.5
FEW = 5
"""Too few for a ratio: one unlucky onboarding would decide it."""


@dataclass
class Round:
    """Onboardings under one plan."""

    sample: Sample
    travellers: list[Traveller]
    unanswered: int = 0
    calls: int = 0
    """Attempts, as AWS sees them."""
    faults: int = 0
    endings: Counter[Ending] = field(default_factory=Counter)
    steps_again: int = 0

    @property
    def repeated(self) -> int:
        """Requests that were answered with 503 before."""
        return sum(len(answer.before) for traveller in self.travellers for _, answer in traveller.sent)

    @property
    def terminal(self) -> float:
        return self.endings.total() / len(self.travellers)

    @property
    def calls_each(self) -> float:
        return self.calls / len(self.travellers)


async def run(conditions: Conditions) -> bool:
    async with burning_ground(conditions.folder, progress=conditions.progress) as ground:
        return await prove(ground, conditions)


async def prove(ground: Ground, conditions: Conditions) -> bool:
    count = FEW if conditions.small else 300
    await onboard(ground, Plan(), count=2)  # the first calls of a process are others
    with conditions.progress.step(f"{count} onboardings without faults"):
        clean = await onboard(ground, Plan(), count=count)
    with conditions.progress.step(f"{count} onboardings with faults, seed {conditions.seed}"):
        burnt = await onboard(ground, Plan(tuple(Fault), rate=RATE, seed=conditions.seed), count=count)
    broken = await ground.broken()
    show(conditions.report, {"without": clean, f"with {RATE:.0%} faults": burnt}, broken)
    return conditions.report.judge(_targets(clean, burnt, broken), counts=True)


def _targets(clean: Round, burnt: Round, broken: list[Broken]) -> list[Target]:
    [(ending, alike)] = clean.endings.most_common(1)
    active = burnt.endings[ending]
    otherwise = clean.endings.total() - alike + burnt.endings.total() - active
    ratio = Target("calls to AWS, with / without faults", burnt.calls / clean.calls, at_most=MAX_CALLS_RATIO)
    return [
        Target("terminal, of all", burnt.terminal, at_least=1.0),
        Target("active, without help, of all", active / len(burnt.travellers), at_least=MIN_ACTIVE),
        Target("ended otherwise than most do without faults", otherwise, at_most=0),
        Target("lost, doubled or orphaned", len(broken), at_most=0),
        *([] if len(burnt.travellers) <= FEW else [ratio]),
    ]


async def onboard(ground: Ground, plan: Plan, *, count: int) -> Round:
    travellers: list[Traveller] = []
    unanswered = 0
    await ground.tenants.prepare(count)
    ground.faults.write(plan)

    async def one() -> float:
        nonlocal unanswered
        traveller = ground.traveller(patience=PATIENCE_SECONDS)
        travellers.append(traveller)
        began = time.perf_counter()
        try:
            await straight(traveller)
        except Unanswered:
            unanswered += 1
        return time.perf_counter() - began

    found = Round(await sample(one, count=count, in_flight=IN_FLIGHT), travellers)
    ground.faults.write(Plan())
    attempts = ground.faults.attempts(plan.run)
    found.calls, found.faults = len(attempts), sum(attempt.fault is not None for attempt in attempts)
    found.unanswered = unanswered
    for traveller in travellers:
        ground.expected.append(Expected(traveller.tenant_id, traveller.account_id))
        with suppress(TimeoutError):
            ending, most = await ground.scene.ending(traveller.tenant_id, traveller.account_id)
            found.endings[ending] += 1
            found.steps_again += most > 1
    return found


def show(report: Report, rounds: dict[str, Round], broken: list[Broken]) -> None:
    columns = (
        "",
        "onboardings",
        "active",
        "unanswered",
        "503",
        "steps again",
        "calls",
        "faults",
        "calls each",
        "p50 s",
    )
    lines = []
    for name, found in rounds.items():
        active = sum(count for ending, count in found.endings.items() if ending.status == "active")
        numbers = (len(found.travellers), active, found.unanswered, found.repeated, found.steps_again, found.calls)
        figures = (
            f"{found.calls_each:.1f}",
            f"{found.sample.percentile(50):.1f}",
            f"{found.sample.percentile(99):.1f}",
        )
        lines.append((name, *map(str, (*numbers, found.faults)), *figures))
    report.heading("Faults in everything")
    report.machine()
    report.table((*columns, "p99 s"), lines)
    for breach in broken:
        report.say(f"[red]{breach}[/red]")
