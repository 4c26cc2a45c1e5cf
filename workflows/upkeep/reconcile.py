"""Reconcile: compare all schedules with what Temporal has, and mend what differs. A Temporal Schedule of its own starts
it; between two sweeps ConvergeSchedule keeps both together, so there is normally nothing to do."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    import workflows.ids as ids
    from activities.onboarding_upkeep import EndLost, LostAccount, OnboardingUpkeep
    from activities.upkeep import Key, Mend, UpkeepActivities
    from domain.audit.events import Origin
    from domain.commands import RecurringRequest
    from domain.schedules.schedule import ConvergeRequest
    from domain.timestamps import stamp
    from workflows.policies import MENDING, SWEEP
    from workflows.schedules.converge_schedule import ConvergeSchedule

AT_ONCE = 10
"""How many things are mended at the same time: a sweep is never urgent."""


@dataclass(frozen=True)
class Swept:
    """What one sweep found, and therefore mended."""

    rows: int
    astray: int
    orphans: int
    abandoned: int
    lost: int = 0
    """Onboardings whose workflow is gone."""
    missed: int = 0
    """One-time schedules whose moment passed without a run."""
    signed: int = 0
    """Temporal Schedules that were signed anew."""
    unreadable: int = 0
    """Rows of schedules, and of their runs, that cannot be read."""
    unmended: int = 0
    """Things that could not be mended; the next sweep finds them again."""
    settled: int = 0
    """Schedules that were stopped because of an obstacle, or go on because it is gone."""


@workflow.defn
class Reconcile:
    """One sweep."""

    @workflow.run
    async def run(self, request: RecurringRequest | None = None) -> Swept:
        """`request` is None where a Temporal Schedule of an earlier release starts it."""
        drift = await workflow.execute_activity_method(
            UpkeepActivities.find_drift,
            RecurringRequest("find_drift"),
            summary="Compare every row with its Temporal Schedule",
            **SWEEP,
        )
        unmended = await _few_at_once([_close(key) for key in drift.abandoned])
        unmended += await _few_at_once([_record_missed(key) for key in drift.missed])
        settled: list[Key] = []
        unmended += await _few_at_once([_settle(key, settled) for key in drift.unsettled])
        # Without a row a Temporal Schedule is removed, and with it whatever else is left of the schedule.
        astray = (*drift.astray, *drift.missed, *drift.orphans, *drift.outdated)
        turned, settled = len(settled), [key for key in settled if key not in astray]
        unmended += await _few_at_once([_converge(key) for key in (*astray, *settled)])
        lost = await workflow.execute_activity_method(
            OnboardingUpkeep.find_lost,
            RecurringRequest("find_lost_onboardings"),
            summary="Look for onboardings whose workflow is gone",
            **SWEEP,
        )
        unmended += await _few_at_once([_end(account) for account in lost])
        swept = Swept(
            rows=drift.rows,
            astray=len(drift.astray),
            orphans=len(drift.orphans),
            abandoned=len(drift.abandoned),
            lost=len(lost),
            missed=len(drift.missed),
            signed=len(drift.outdated),
            unreadable=len(drift.unreadable),
            unmended=unmended,
            settled=turned,
        )
        workflow.set_current_details(_story(swept))
        return swept


async def _few_at_once(work: Sequence[Coroutine[Any, Any, None]]) -> int:
    """How many could not be done: none of them keeps another one waiting."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(step: Coroutine[Any, Any, None]) -> bool:
        async with slots:
            try:
                await step
            except (ActivityError, ChildWorkflowError) as error:
                if is_cancelled_exception(error):
                    raise
                workflow.logger.warning("Something could not be mended; the next sweep finds it again.")
                return False
            return True

    return (await asyncio.gather(*(one(step) for step in work))).count(False)


async def _converge(key: Key) -> None:
    try:
        await workflow.execute_child_workflow(
            ConvergeSchedule.run,
            ConvergeRequest(key.tenant_id, key.schedule_id, repair=True),
            id=ids.converge_id(key.tenant_id, key.schedule_id),
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("The schedule is being converged already.")


async def _close(key: Key) -> None:
    await workflow.execute_activity_method(
        UpkeepActivities.close_abandoned,
        Mend(key, _sweep(), stamp(workflow.now())),
        summary="Close a run whose workflow is gone",
        **MENDING,
    )


async def _record_missed(key: Key) -> None:
    await workflow.execute_activity_method(
        UpkeepActivities.record_missed,
        Mend(key, _sweep(), stamp(workflow.now())),
        summary="Show that a one-time schedule did not run",
        **MENDING,
    )


async def _settle(key: Key, settled: list[Key]) -> None:
    """Adds the schedule to `settled` when it was changed."""
    changed = await workflow.execute_activity_method(
        UpkeepActivities.settle_schedule,
        Mend(key, _sweep(), stamp(workflow.now())),
        summary="Show what stands in the way of a schedule, or that nothing does",
        **MENDING,
    )
    if changed:
        settled.append(key)


async def _end(account: LostAccount) -> None:
    await workflow.execute_activity_method(
        OnboardingUpkeep.end_lost,
        EndLost(account, _sweep(), stamp(workflow.now())),
        summary="Close an onboarding whose workflow is gone",
        **MENDING,
    )


def _sweep() -> Origin:
    return Origin("system", workflow.info().workflow_id)


def _story(swept: Swept) -> str:
    mended = (
        f"{swept.astray} out of step, {swept.orphans} without a row, {swept.abandoned} held by a run that is gone, "
        f"{swept.missed} one-time ones that did not run"
    )
    left = f"Could not be mended: {swept.unmended}\n\nCould not be read: {swept.unreadable}"
    settled = f"Signed anew: {swept.signed}\n\nStopped, or going on again: {swept.settled}"
    return f"**{swept.rows} schedules**\n\nMended: {mended}\n\nOnboardings closed: {swept.lost}\n\n{settled}\n\n{left}"
