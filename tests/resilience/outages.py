"""Something that we depend on is away for a while: what is promised meanwhile is kept afterwards, what cannot be
promised is refused at once, the health endpoint tells, and when it is back everything goes on by itself."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from bench.report import Report, Target
from tests.resilience.caller import NO_ANSWER, Unanswered
from tests.resilience.faults import Fault, Plan, Side
from tests.resilience.ground import Ground, burning_ground
from tests.resilience.invariants import Broken, Expected
from tests.resilience.journeys import Traveller, straight
from tests.resilience.mortal import Mortal
from tests.resilience.programs import Conditions

SETTINGS = {"VALIDATE_WAIT_SECONDS": "5"}
RECOVERED_WITHIN_SECONDS = 60.0
ANSWERED_WITHIN_SECONDS = 20.0
LOOK_SECONDS = 0.5
BELIEVED_SECONDS = 3.5
"""A look at what we depend on is believed for three seconds."""
PROBED_SECONDS = 2.5
"""It takes up to two seconds when nothing answers."""
PATIENCE_SECONDS = 300.0
HEAD_START_SECONDS = 0.3
WORDS = {True: "200", False: "503", None: "nothing"}


@dataclass(frozen=True)
class Outage:
    title: str
    away: Callable[[Ground], AbstractAsyncContextManager[None]]
    told: bool = True
    """Whether /health/ready says so."""
    silent: bool = False
    """Whether there is no answer, rather than a bad one."""

    @property
    def noticed_within(self) -> float:
        """Seconds."""
        return BELIEVED_SECONDS + (PROBED_SECONDS if self.silent else 0.0)


@asynccontextmanager
async def dead(ground: Ground) -> AsyncIterator[None]:
    await ground.fleet.temporal.kill()
    yield
    await ground.fleet.temporal.start()


@asynccontextmanager
async def deaf(part: Callable[[Ground], Mortal], ground: Ground) -> AsyncIterator[None]:
    """Connections stay open and nothing is answered."""
    part(ground).signal(signal.SIGSTOP)
    try:
        yield
    finally:
        part(ground).signal(signal.SIGCONT)


@asynccontextmanager
async def failing(side: Side, faults: tuple[Fault, ...], ground: Ground) -> AsyncIterator[None]:
    ground.faults.write(Plan(faults, side=side))
    yield
    ground.faults.write(Plan())


BROKEN = (Fault.SERVER_ERROR, Fault.CUT, Fault.TIMED_OUT)
OUTAGES = (
    Outage("Temporal is dead", dead, silent=True),
    Outage("Temporal hangs", partial(deaf, lambda ground: ground.fleet.temporal), silent=True),
    Outage("our AWS fails", partial(failing, Side.OURS, BROKEN)),
    Outage("our AWS throttles everything", partial(failing, Side.OURS, (Fault.THROTTLED,))),
    Outage("the customers' AWS fails", partial(failing, Side.CUSTOMERS, BROKEN), told=False),
    Outage("all of AWS hangs", partial(deaf, lambda ground: ground.fleet.ministack), silent=True),
)


@dataclass
class Found:
    """What one outage looked like."""

    outage: Outage
    ready: Counter[bool | None] = field(default_factory=Counter)
    """What /health/ready said while it lasted, after its first answers had aged."""
    before: Counter[int] = field(default_factory=Counter)
    """The answers that settled nothing, by status."""
    slowest: float = 0.0
    """Seconds of the slowest answer."""
    recovered: float = float("inf")
    """Seconds from the end until it is ready and everything under way is active."""
    unanswered: int = 0

    @property
    def told(self) -> bool:
        """In every look at it; nobody answering counts as telling."""
        return set(self.ready) <= ({False, None} if self.outage.told else {True})


async def run(conditions: Conditions) -> bool:
    async with burning_ground(conditions.folder, progress=conditions.progress, settings=SETTINGS) as ground:
        return await prove(ground, conditions)


async def prove(ground: Ground, conditions: Conditions) -> bool:
    outages, seconds, count = (OUTAGES[2:3], 4.5, 1) if conditions.small else (OUTAGES, 30.0, 8)
    found = []
    for outage in outages:
        with conditions.progress.step(f"{outage.title} for {seconds:.0f} s"):
            found.append(await through(ground, outage, seconds=seconds, count=count))
    broken = await ground.broken()
    show(conditions.report, found, broken)
    return conditions.report.judge(_targets(found, broken), counts=True)


async def through(ground: Ground, outage: Outage, *, seconds: float, count: int) -> Found:
    """So many accounts that wait for their credential, so many that are being validated, and so many that come while
    it lasts."""
    found = Found(outage)
    await ground.tenants.prepare(3 * count)
    waiting, under_way, late = ([ground.traveller(patience=PATIENCE_SECONDS) for _ in range(count)] for _ in range(3))
    await asyncio.gather(*(traveller.init() for traveller in waiting))
    await asyncio.gather(*(traveller.make_role() for traveller in waiting))
    tasks = [asyncio.create_task(straight(traveller)) for traveller in under_way]
    await asyncio.sleep(HEAD_START_SECONDS)
    async with outage.away(ground):
        tasks += [asyncio.create_task(traveller.validate()) for traveller in waiting]
        tasks += [asyncio.create_task(straight(traveller)) for traveller in late]
        await _look(ground, found, seconds=seconds)
    await _until_recovered(ground, found, tasks)
    travellers = [*waiting, *under_way, *late]
    ground.expected.extend(Expected(traveller.tenant_id, traveller.account_id) for traveller in travellers)
    _count(found, travellers)
    return found


async def _look(ground: Ground, found: Found, *, seconds: float) -> None:
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        ready = await ground.ready()
        if passed > found.outage.noticed_within:
            found.ready[ready] += 1
        await asyncio.sleep(LOOK_SECONDS)


async def _until_recovered(ground: Ground, found: Found, tasks: Sequence[asyncio.Task[None]]) -> None:
    began = time.monotonic()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    while not await ground.ready():  # noqa: ASYNC110 - the API has no event to wait for
        await asyncio.sleep(LOOK_SECONDS)
    found.recovered = time.monotonic() - began
    for error in results:
        if isinstance(error, Unanswered):
            found.unanswered += 1
        elif error is not None:
            raise error


def _count(found: Found, travellers: Sequence[Traveller]) -> None:
    answers = [answer for traveller in travellers for _, answer in traveller.sent]
    found.before.update(status for answer in answers for status in answer.before)
    found.slowest = max(answer.slowest for answer in answers)


def show(report: Report, found: Sequence[Found], broken: Sequence[Broken]) -> None:
    report.heading("Outages")
    report.machine()
    columns = ("", "ready says", "503", "202", "no answer", "slowest answer s", "recovered after s", "never answered")
    lines = []
    for one in found:
        says = ", ".join(f"{WORDS[said]} {count}" for said, count in one.ready.items())
        statuses = [str(one.before[status]) for status in (503, 202, NO_ANSWER)]
        seconds = [f"{value:.1f}" for value in (one.slowest, one.recovered)]
        lines.append((one.outage.title, says, *statuses, *seconds, str(one.unanswered)))
    report.table(columns, lines)
    for breach in broken:
        report.say(f"[red]{breach}[/red]")


def _targets(found: Sequence[Found], broken: Sequence[Broken]) -> list[Target]:
    return [
        Target("outages that the health endpoint does not tell", sum(not one.told for one in found), at_most=0),
        Target("slowest answer, s", max(one.slowest for one in found), at_most=ANSWERED_WITHIN_SECONDS),
        Target("slowest recovery, s", max(one.recovered for one in found), at_most=RECOVERED_WITHIN_SECONDS),
        Target("requests without an answer", sum(one.unanswered for one in found), at_most=0),
        Target("lost, doubled or orphaned", len(broken), at_most=0),
    ]
