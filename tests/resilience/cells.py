"""One fault in one journey, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.resilience.caller import Unanswered
from tests.resilience.crowd import PROMISES
from tests.resilience.declared import Column, Outcome, Row
from tests.resilience.endings import Ending
from tests.resilience.faults import Call, Plan, at
from tests.resilience.ground import Ground
from tests.resilience.invariants import Expected
from tests.resilience.journeys import JOURNEYS, Traveller

NOT_FINAL = 202
"""An answer that is never kept."""
PAUSE_SECONDS = 0.3

Rows = Mapping[Call, Row]


@dataclass(frozen=True)
class Place:
    """Where a fault strikes, and how."""

    journey: str
    call: Call
    column: Column
    row: Row
    fresh: bool = False
    """Whether the process has to be a new one: a call that it makes once is counted with this one."""


@dataclass(frozen=True)
class Cell:
    """What it led to: one of the outcomes, or what was found instead of one."""

    place: Place
    found: str
    asked_to_repeat: bool = False
    """Whether the caller was answered 503 or 202 before the last answer."""

    @property
    def declared(self) -> str:
        return self.place.row.declared(self.place.column) or ""

    @property
    def right(self) -> bool:
        return self.found == self.declared

    @property
    def may_be_slowness(self) -> bool:
        """A worker that does not come round to it in time has a caller asked to repeat, without any fault."""
        return not self.right and self.asked_to_repeat


@dataclass(frozen=True)
class Clean:
    """A journey without faults."""

    calls: frozenset[Call]
    ending: Ending


async def clean_run(ground: Ground, journey: str) -> Clean:
    """The calls of the processes as they are; some are made at the first one of their life only."""
    plan = ground.faults.write(Plan())
    traveller = await travel(ground, journey)
    ending, _ = await ground.scene.ending(traveller.tenant_id, traveller.account_id)
    return Clean(frozenset(attempt.call for attempt in ground.faults.attempts(plan.run)), ending)


async def burn(ground: Ground, place: Place, *, clean: Clean) -> Cell:
    """One journey with one fault, which has gone when the requests are repeated."""
    if place.fresh:
        await restart(ground, place.row.program)
    plan = ground.faults.write(at(place.call, place.column.fault, attempts=place.column.attempts))
    try:
        traveller = await travel(ground, place.journey)
        ending, attempts = await ground.scene.ending(traveller.tenant_id, traveller.account_id)
    except Unanswered as unanswered:
        return Cell(place, str(unanswered))
    except TimeoutError:
        return Cell(place, "the workflow did not end")
    ground.faults.write(Plan())
    if not any(attempt.fault for attempt in ground.faults.attempts(plan.run)):
        return Cell(place, "the call was not made")
    if ending != clean.ending:
        return Cell(place, f"ended otherwise: {ending}")
    found = await _noticed(traveller, step_again=attempts > 1)
    return Cell(place, found, asked_to_repeat=any(answer.before for _, answer in traveller.sent))


async def travel(ground: Ground, journey: str) -> Traveller:
    """A traveller at the end of its journey. Each of its requests is the first of an API key, so that the API's own
    memory of keys does not decide which calls are made."""
    traveller = ground.traveller(own_keys=True, pause=PAUSE_SECONDS)
    await JOURNEYS[journey](traveller)
    promise = PROMISES[journey]
    ground.expected.append(Expected(traveller.tenant_id, traveller.account_id, promise.status, promise.refused))
    return traveller


async def restart(ground: Ground, program: str) -> None:
    part = {"api": ground.fleet.api, "worker": ground.fleet.worker}[program]
    await part.kill()
    await part.start()


async def _noticed(traveller: Traveller, *, step_again: bool) -> str:
    """Which of the outcomes it was; several together are none of them."""
    repeats = await traveller.again()
    answers = [answer for _, answer in traveller.sent]
    if [(a.status, a.body) for a in answers] != [(a.status, a.body) for a in repeats]:
        return f"answered otherwise when repeated: {[answer.status for answer in repeats]}"
    not_kept = any(not answer.replayed and answer.status != NOT_FINAL for answer in repeats)
    before = [status for answer in answers for status in answer.before]
    noticed = {Outcome.STEP: step_again, Outcome.REQUEST: set(before) == {503}, Outcome.NOT_KEPT: not_kept}
    found = [str(outcome) for outcome, is_so in noticed.items() if is_so]
    if not set(before) <= {503}:
        found.append(f"answered {before} before")
    return " + ".join(found) or Outcome.UNNOTICED
