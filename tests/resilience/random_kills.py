"""Worker, API and Temporal server die at random while onboardings go through the REST API, and at the end all three at
once. Nothing is lost, nothing happens twice, nothing is left over, and soon after the last death all is done."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from temporalio.client import Client

from bench.load import Sample, sample
from bench.report import Report, Target
from tests.resilience.crowd import PROMISES, NewTraveller, Trip, crowd
from tests.resilience.fleet import Fleet, running_fleet
from tests.resilience.invariants import Broken, Expected, Harm, check
from tests.resilience.mortal import Mortal
from tests.resilience.programs import Conditions
from workflows.ids import onboarding_id

TERMINAL_WITHIN_SECONDS = 120.0
SETTINGS = {"ONBOARDING_LATE_WRITE_SECONDS": "5"}


@dataclass(frozen=True)
class Scale:
    onboardings: int
    in_flight: int
    killings: int
    """Spread over the onboardings by the seed, not over time: on a slow machine the system gets as far between two."""


FULL, SMALL = Scale(300, in_flight=20, killings=30), Scale(12, in_flight=6, killings=2)
WEIGHTS = {"straight": 8, "second try": 1, "given up": 1}
AT_ONCE = {1: 6, 2: 2, 3: 1}
"""How often so many parts die together."""
MAX_SECONDS_LATER = 2.0
MAX_SECONDS_DEAD = 1.0


@dataclass
class Killer:
    """Kills one part or some and lets them come up, at each mark; at the last one all at once."""

    parts: Sequence[Mortal]
    random: Random
    kills: Counter[str] = field(default_factory=Counter)
    own_deaths: Counter[str] = field(default_factory=Counter)
    """Of parts that nobody killed."""

    async def rage(self, marks: Sequence[asyncio.Event]) -> float:
        """The time of the last kill."""
        for mark in marks[:-1]:
            await mark.wait()
            await asyncio.sleep(self.random.uniform(0, MAX_SECONDS_LATER))
            [count] = self.random.choices(list(AT_ONCE), list(AT_ONCE.values()))
            await self._kill(self.random.sample(self.parts, count))
        await marks[-1].wait()
        return await self._kill(self.parts)

    async def _kill(self, parts: Sequence[Mortal]) -> float:
        """When they died."""
        for part in parts:
            if not part.alive:
                self.own_deaths[part.name] += 1
            await part.kill()
            self.kills[part.name] += 1
        died = time.time()
        await asyncio.sleep(self.random.uniform(0, MAX_SECONDS_DEAD))
        await asyncio.gather(*(part.start() for part in parts))
        return died


@dataclass
class Load:
    """Onboardings of all kinds."""

    new_traveller: NewTraveller
    journeys: Sequence[str]
    marks: Mapping[int, asyncio.Event]
    """Set when so many have begun."""
    trips: list[Trip] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    async def one(self) -> float:
        trip = Trip(self.journeys[len(self.trips)], self.new_traveller())
        self.trips.append(trip)
        if mark := self.marks.get(len(self.trips)):
            mark.set()
        began = time.perf_counter()
        self.broken += await trip.go()
        return time.perf_counter() - began

    @property
    def expected(self) -> list[Expected]:
        return [trip.expected for trip in self.trips if trip.traveller.account_id]

    @property
    def repeated(self) -> Counter[str]:
        """By what made it necessary."""
        answers = [answer for trip in self.trips for _, answer in trip.traveller.sent]
        return Counter(f"after {status or 'no answer'}" for answer in answers for status in answer.before)


async def run(conditions: Conditions) -> bool:
    scale = SMALL if conditions.small else FULL
    random = Random(conditions.seed)
    journeys = random.choices(list(PROMISES), [WEIGHTS[name] for name in PROMISES], k=scale.onboardings)
    counts = [*sorted(random.sample(range(1, scale.onboardings), scale.killings)), scale.onboardings]
    marks = {count: asyncio.Event() for count in counts}
    async with (
        running_fleet(conditions.folder, progress=conditions.progress, settings=SETTINGS) as fleet,
        crowd(fleet) as new_traveller,
    ):
        load = Load(new_traveller, journeys, marks)
        killer = Killer((fleet.worker, fleet.api, fleet.temporal), random)
        with conditions.progress.step(f"{scale.onboardings} onboardings while everything dies"):
            async with asyncio.TaskGroup() as group:
                last_kill = group.create_task(killer.rage(list(marks.values())))
                taken = group.create_task(sample(load.one, count=scale.onboardings, in_flight=scale.in_flight))
            terminal_after = await settled(fleet, load, last_kill.result())
        broken = load.broken + await check(load.expected, fleet.aws, fleet.client)
    return show(conditions.report, load, killer, taken.result(), terminal_after=terminal_after, broken=broken)


async def settled(fleet: Fleet, load: Load, last_kill: float) -> float:
    """Seconds from the last kill until the last onboarding had ended; infinite when one has not in time."""
    ids = [onboarding_id(one.tenant_id, one.account_id) for one in load.expected]
    try:
        async with asyncio.timeout(max(1.0, last_kill + TERMINAL_WITHIN_SECONDS - time.time())):
            closed = [await closing_time(fleet.client, workflow_id) for workflow_id in ids]
    except TimeoutError:
        return float("inf")
    return max(0.0, max(at.timestamp() for at in closed) - last_kill)


async def closing_time(client: Client, workflow_id: str) -> datetime:
    handle = client.get_workflow_handle(workflow_id)
    await handle.result()
    found = (await handle.describe()).close_time
    if found is None:
        raise RuntimeError("A workflow that has a result has no closing time.")
    return found


def show(
    report: Report, load: Load, killer: Killer, taken: Sample, *, terminal_after: float, broken: Sequence[Broken]
) -> bool:
    report.heading("Worker, API and Temporal server killed at random")
    report.machine()
    rows = {
        "onboardings": _listed(Counter(trip.journey for trip in load.trips)),
        "kills": _listed(killer.kills),
        "deaths without a kill": _listed(killer.own_deaths),
        "requests that were sent again": _listed(load.repeated),
        "seconds of an onboarding": f"{taken.percentile(50):.1f} (p50), {taken.percentile(99):.1f} (p99)",
        "seconds in all": f"{taken.seconds:.0f}",
    }
    for name, figure in rows.items():
        report.say(f"{name:32}{figure}")
    for one in broken:
        report.say(f"[red]{one}[/red]")
    harms = Counter(one.harm for one in broken)
    targets = [Target(harm, float(harms[harm]), at_most=0) for harm in Harm]
    name = "seconds from the last kill until all are terminal"
    return report.judge([*targets, Target(name, terminal_after, at_most=TERMINAL_WITHIN_SECONDS)], counts=True)


def _listed(counts: Counter[str]) -> str:
    each = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return f"{counts.total()}: {each}" if counts else "0"
