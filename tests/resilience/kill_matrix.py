"""The worker is killed at each step of an onboarding, before, during and after its effect, and a new one carries on.
Whatever the moment, the account ends as if nothing had happened, and no step runs more often than it must."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from temporalio.api.history.v1 import HistoryEvent

from bench.report import Report
from local.progress import Progress
from tests.resilience.crowd import NewTraveller, Trip, crowd
from tests.resilience.fleet import Fleet, running_fleet
from tests.resilience.invariants import Broken, Harm, check
from tests.resilience.programs import Conditions
from tests.resilience.traps import Moment, Point, Trap
from workflows.ids import onboarding_id

REACHED_WITHIN_SECONDS = 180.0
CLOSED_WITHIN_SECONDS = 120.0
SETTINGS = {"ONBOARDING_LATE_WRITE_SECONDS": "1"}


@dataclass(frozen=True)
class Step:
    """A row of the matrix. `number`: the how-manieth of its journey that makes that call."""

    title: str
    journey: str
    activity: str
    call: str
    number: int = 1

    def at(self, moment: Moment) -> Point:
        return Point(self.activity, self.call, moment, self.number)


TRANSACT = "dynamodb.TransactWriteItems"
STEPS = (
    Step("register", "straight", "register_account", TRANSACT),
    Step("store the credential", "straight", "store_credential", "secrets-manager.CreateSecret"),
    Step("validate", "straight", "validate_credential", "sts.AssumeRole"),
    Step("activate", "straight", "activate_account", TRANSACT),
    Step("record a refusal", "second try", "record_attempt", TRANSACT),
    Step("store the next one", "second try", "store_credential", "secrets-manager.PutSecretValue"),
    Step("make it current", "second try", "promote_credential", "secrets-manager.UpdateSecretVersionStage"),
    Step("delete the credential", "given up", "delete_credential", "secrets-manager.DeleteSecret"),
    Step("close the account", "given up", "close_account", TRANSACT),
    Step("close it once more", "given up", "close_account", TRANSACT, number=2),
)
# The later step first: an onboarding that is recovering must not come by where the trap is set for the next one.
SMALL = ((STEPS[3], Moment.AFTER), (STEPS[1], Moment.DURING))


@dataclass(frozen=True)
class Cell:
    """One death and what followed."""

    step: Step
    moment: Moment
    trip: Trip
    recovery: float
    """Seconds from the death until the step was done."""
    attempts: int
    """Of the step."""
    broken: Sequence[Broken]


async def run(conditions: Conditions) -> bool:
    program = {"worker": ["-m", "tests.resilience.fragile", str(conditions.folder)]}
    async with (
        running_fleet(conditions.folder, progress=conditions.progress, programs=program, settings=SETTINGS) as fleet,
        crowd(fleet) as new_traveller,
    ):
        matrix = Matrix(fleet, new_traveller, conditions.progress)
        cells = await (matrix.some() if conditions.small else matrix.all())
        broken = [one for cell in cells for one in cell.broken]
        broken += await check([cell.trip.expected for cell in cells], fleet.aws, fleet.client)
    show(conditions.report, cells, broken)
    return not broken


@dataclass(frozen=True)
class Death:
    """The worker has died at a point, and another one is up."""

    step: Step
    moment: Moment
    trip: Trip
    journey: "asyncio.Task[list[Broken]]"
    at: float | None
    """When; None when it was not at that point in time."""


@dataclass(frozen=True)
class Matrix:
    fleet: Fleet
    new_traveller: NewTraveller
    progress: Progress

    async def all(self) -> list[Cell]:
        """One after the other, so that no recovery is disturbed by the next death."""
        async with asyncio.TaskGroup() as group:
            return [
                await self._recovered(await self._killed(group, step, moment)) for step in STEPS for moment in Moment
            ]

    async def some(self) -> list[Cell]:
        """The deaths one after the other, the recoveries together."""
        async with asyncio.TaskGroup() as group:
            deaths = [await self._killed(group, *point) for point in SMALL]
            return list(await asyncio.gather(*map(self._recovered, deaths)))

    async def _killed(self, group: asyncio.TaskGroup, step: Step, moment: Moment) -> Death:
        Trap(self.fleet.folder).set(step.at(moment))
        trip = Trip(step.journey, self.new_traveller())
        with self.progress.step(f"{step.title}: the worker is killed {moment}, and another one is up"):
            journey = group.create_task(trip.go())
            return Death(step, moment, trip, journey, await next_life(self.fleet))

    async def _recovered(self, death: Death) -> Cell:
        broken, traveller = await death.journey, death.trip.traveller
        handle = self.fleet.client.get_workflow_handle(onboarding_id(traveller.tenant_id, traveller.account_id))
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSED_WITHIN_SECONDS):
                await handle.result()
        if death.at is None:
            what = f"The worker never came to {death.step.title}, {death.moment}."
            broken.append(Broken(Harm.LOST, traveller.account_id, what))
        history = (await handle.fetch_history()).events
        recovery, attempts = repetition(history, death.step, death.at or time.time())
        return Cell(death.step, death.moment, death.trip, recovery, attempts, broken)


async def next_life(fleet: Fleet) -> float | None:
    """The time at which the worker died, once another one is up; None when it does not die."""
    try:
        async with asyncio.timeout(REACHED_WITHIN_SECONDS):
            await fleet.worker.death()
    except TimeoutError:
        return None
    died = time.time()
    await fleet.worker.start()
    return died


def repetition(history: Sequence[HistoryEvent], step: Step, died: float) -> tuple[float, int]:
    """How long after the death the step was done, and at which attempt."""
    names = {
        event.event_id: event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history
        if event.HasField("activity_task_scheduled_event_attributes")
    }
    attempts = {
        event.event_id: event.activity_task_started_event_attributes.attempt
        for event in history
        if event.HasField("activity_task_started_event_attributes")
    }
    for event in history:
        done = event.activity_task_completed_event_attributes
        at = event.event_time.ToNanoseconds() / 1e9
        if names.get(done.scheduled_event_id) == step.activity and at > died:
            return at - died, attempts[done.started_event_id]
    return float("nan"), 0


def show(report: Report, cells: Sequence[Cell], broken: Sequence[Broken]) -> None:
    report.heading("The worker killed at each step: seconds until the step is done, and the attempt that did it")
    report.machine()
    titles = list(dict.fromkeys(cell.step.title for cell in cells))
    lines = [(title, *(_figure(cells, title, moment) for moment in Moment)) for title in titles]
    report.table(("", *Moment), lines)
    report.say(f"{len(cells)} kills, {len(broken)} invariants broken.")
    for one in broken:
        report.say(f"[red]{one}[/red]")


def _figure(cells: Sequence[Cell], title: str, moment: Moment) -> str:
    found = [cell for cell in cells if (cell.step.title, cell.moment) == (title, moment)]
    return f"{found[0].recovery:.1f} ({found[0].attempts})" if found else ""
