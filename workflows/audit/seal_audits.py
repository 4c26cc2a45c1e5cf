"""SealAudits: each tenant's audit events since the last run, put into signed digests. A Temporal Schedule starts it
each minute; a tenant of which no event waits costs nothing."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.sealing import (
        MOST_DIGESTS,
        MOST_TENANTS,
        AnchorHeads,
        FindTrails,
        Sealed,
        SealingActivities,
        SealTrail,
    )
    from domain.audit.anchors import ANCHOR_INTERVAL
    from domain.commands import RecurringRequest
    from domain.timestamps import stamp
    from workflows import metrics
    from workflows.policies import SEALING

AT_ONCE = 10
MOST_LOOKS = 4
"""Each at so many tenants that the history stays short; the next run, a minute later, finds the others."""


@dataclass(frozen=True)
class SealedTrails:
    """What one run has sealed."""

    trails: int = 0
    digests: int = 0
    events: int = 0
    late: int = 0
    """Events that came when younger ones had been sealed already."""
    failed: int = 0
    """Trails that could not be sealed; the next run tries again."""
    anchored: int = 0
    """Heads that this run has put where nobody can change them."""
    anchor_failed: bool = False
    """Whether the heads could not be anchored; the next run tries again."""


@workflow.defn
class SealAudits:
    """One run over all tenants. Each tenant's chain is its own."""

    @workflow.run
    async def run(self, request: RecurringRequest | None = None) -> SealedTrails:
        """`request` is None where a Temporal Schedule of an earlier release starts it."""
        began = workflow.now()
        slots, at, done = asyncio.Semaphore(AT_ONCE), stamp(began), dict[str, Sealed | None]()

        async def seal(tenant_id: str) -> None:
            async with slots:
                done[tenant_id] = await _seal(SealTrail(tenant_id, at))

        for _ in range(MOST_LOOKS):
            tenants = await _find(FindTrails(at))
            await asyncio.gather(*(seal(tenant_id) for tenant_id in tenants if tenant_id not in done))
            if len(tenants) < MOST_TENANTS:
                break
        result = _sum(done.values())
        if workflow.patched("anchor-heads") and (result.digests or _is_on_the_grid(began)):
            result = await _anchor(AnchorHeads(at), result)
        if len(tenants) < MOST_TENANTS and _is_done(done.values()) and not result.anchor_failed:
            metrics.sealed(began)
        workflow.set_current_details(_story(result))
        return result


def _sum(done: Collection[Sealed | None]) -> SealedTrails:
    sealed = [found for found in done if found]
    return SealedTrails(
        trails=sum(found.digests > 0 for found in sealed),
        digests=sum(found.digests for found in sealed),
        events=sum(found.events for found in sealed),
        late=sum(found.late for found in sealed),
        failed=len(done) - len(sealed),
    )


def _is_done(done: Collection[Sealed | None]) -> bool:
    """Whether every trail was sealed as far as it was due. Where a step has reached its limit, there may be more."""
    return all(found and found.digests < MOST_DIGESTS for found in done)


def _is_on_the_grid(began: datetime) -> bool:
    """Return whether this run looks for something to anchor although it sealed nothing. What an earlier run sealed too
    soon after an anchor waits for such a run."""
    return began.minute % int(ANCHOR_INTERVAL.total_seconds() // 60) == 0


async def _find(step: FindTrails) -> list[str]:
    return await workflow.execute_activity_method(
        SealingActivities.find_unsealed_trails, step, summary="Look for tenants with events to seal", **SEALING
    )


async def _seal(step: SealTrail) -> Sealed | None:
    """None when it could not be done."""
    try:
        return await workflow.execute_activity_method(
            SealingActivities.seal_trail, step, summary="Seal a tenant's events", **SEALING
        )
    except ActivityError:
        # One tenant keeps no other waiting.
        workflow.logger.warning("A tenant's audit events could not be sealed.")
        return None


async def _anchor(step: AnchorHeads, result: SealedTrails) -> SealedTrails:
    try:
        anchored = await workflow.execute_activity_method(
            SealingActivities.anchor_heads, step, summary="Anchor the heads of all chains", **SEALING
        )
    except ActivityError:
        workflow.logger.warning("The heads of the audit trails could not be anchored.")
        return replace(result, anchor_failed=True)
    return replace(result, anchored=anchored)


def _story(result: SealedTrails) -> str:
    return (
        f"**{result.events} events sealed** in {result.digests} digests of {result.trails} tenants\n\n"
        f"Late: {result.late}\n\nTenants that could not be sealed: {result.failed}\n\n"
        f"Heads anchored: {'failed' if result.anchor_failed else result.anchored}"
    )
