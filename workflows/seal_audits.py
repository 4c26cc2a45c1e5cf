"""SealAudits: each tenant's audit events since the last run, put into signed digests. A Temporal Schedule starts it
each minute; a tenant of which no event waits costs nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.sealing import MOST_DIGESTS, MOST_TENANTS, Sealed, SealingActivities, SealTrail
    from domain.timestamps import stamp
    from workflows import meters
    from workflows.policies import SEALING

AT_ONCE = 10


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


@workflow.defn
class SealAudits:
    """One run over all tenants. Each tenant's chain is its own."""

    @workflow.run
    async def run(self) -> SealedTrails:
        began = workflow.now()
        tenants = await workflow.execute_activity_method(
            SealingActivities.find_unsealed_trails, summary="Look for tenants with events to seal", **SEALING
        )
        slots, at = asyncio.Semaphore(AT_ONCE), stamp(workflow.now())

        async def seal(tenant_id: str) -> Sealed | None:
            async with slots:
                return await _seal(SealTrail(tenant_id, at))

        sealed = [found for found in await asyncio.gather(*map(seal, tenants)) if found]
        result = SealedTrails(
            trails=sum(found.digests > 0 for found in sealed),
            digests=sum(found.digests for found in sealed),
            events=sum(found.events for found in sealed),
            late=sum(found.late for found in sealed),
            failed=len(tenants) - len(sealed),
        )
        if _nothing_left(tenants, sealed):
            meters.sealed(began)
        workflow.set_current_details(_story(result))
        return result


def _nothing_left(tenants: Sequence[str], sealed: Sequence[Sealed]) -> bool:
    """Whether every trail was sealed as far as it was due. Where a step has reached its limit, there may be more."""
    return len(sealed) == len(tenants) < MOST_TENANTS and all(found.digests < MOST_DIGESTS for found in sealed)


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


def _story(result: SealedTrails) -> str:
    return (
        f"**{result.events} events sealed** in {result.digests} digests of {result.trails} tenants\n\n"
        f"Late: {result.late}\n\nTenants that could not be sealed: {result.failed}"
    )
