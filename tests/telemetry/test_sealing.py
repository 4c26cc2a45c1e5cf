"""What a sealing of the audit trail on the real server measures of itself."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity

from activities.failures import as_failure
from activities.sealing import MOST_DIGESTS, MOST_TENANTS, FindTrails, Sealed, SealingActivities, SealTrail
from domain.metrics import AUDIT_EVENTS_SEALED, AUDIT_SEALED_AT
from emulators.temporal import TemporalServer
from temporal.client import connect
from tests.fakes_audit import BEGAN
from tests.telemetry.conftest import Meters
from tests.workflows.seal_scenarios import Run, SealRig

SEALED_AT = AUDIT_SEALED_AT.exposed


@pytest_asyncio.fixture(loop_scope="session")
async def rig(server: TemporalServer, meters: Meters) -> AsyncIterator[SealRig]:
    options = {"runtime": meters.runtime}
    yield SealRig(await connect(server.address, namespace=server.namespace, as_failure=as_failure, options=options))


async def ended(rig: SealRig) -> Run:
    run = await rig.run()
    await run.result()
    return run


async def second_of_start(run: Run) -> int:
    """By the clock that the workflow goes by: that of its first task."""
    history = await run.fetch_history()
    first = next(e for e in history.events if e.HasField("workflow_task_started_event_attributes"))
    return first.event_time.seconds


async def test_a_sealing_that_leaves_nothing_tells_when_it_began(rig: SealRig, meters: Meters):
    rig.write(str(uuid4()), at=BEGAN)
    async with rig.worker(max_cached_workflows=0):
        run = await ended(rig)
    found = meters.read()
    assert found.value(AUDIT_EVENTS_SEALED.exposed) == 1
    assert found.value(SEALED_AT) == await second_of_start(run)


async def test_a_sealing_that_finds_nothing_is_as_good_as_one_that_does(rig: SealRig, meters: Meters):
    async with rig.worker():
        run = await ended(rig)
    assert meters.read().value(SEALED_AT) == await second_of_start(run)


async def test_while_a_tenant_cannot_be_sealed_the_time_stands_still(rig: SealRig, meters: Meters):
    for tenant_id in (str(uuid4()), str(uuid4())):
        rig.write(tenant_id, at=BEGAN)
    async with rig.worker():
        rig.refused = {tenant_id}
        await ended(rig)
        assert SEALED_AT not in meters.read().names()
        rig.refused.clear()
        run = await ended(rig)
        before = await second_of_start(run)
        assert meters.read().value(SEALED_AT) == before
        rig.write(tenant_id, at=BEGAN)
        rig.refused = {tenant_id}
        await ended(rig)
    assert meters.read().value(SEALED_AT) == before


class Busy(SealingActivities):
    """So many tenants, of each of which so many digests were made."""

    def __init__(self, rig: SealRig, *, tenants: int, digests: int) -> None:
        super().__init__(rig.stores.chain, rig, rig.stores.anchors, rig.stores.tenants)
        self._crowd, self._digests = tenants, digests

    def all(self) -> Sequence[Callable[..., Any]]:
        @activity.defn(name="find_unsealed_trails")
        def find(step: FindTrails) -> list[str]:
            return [str(number) for number in range(self._crowd)]

        @activity.defn(name="seal_trail")
        def seal(step: SealTrail) -> Sealed:
            return Sealed(self._digests)

        return [find, seal, self.anchor_heads]


@pytest.mark.parametrize(
    ("tenants", "digests", "told"),
    [(2, MOST_DIGESTS - 1, True), (2, MOST_DIGESTS, False), (MOST_TENANTS, 1, False)],
    ids=["below the limits", "a tenant's limit", "the limit of tenants"],
)
async def test_a_sealing_that_may_have_left_something_over_does_not_tell(
    rig: SealRig, meters: Meters, tenants: int, digests: int, told: bool
):
    rig.steps = Busy(rig, tenants=tenants, digests=digests)
    async with rig.worker():
        await ended(rig)
    assert (SEALED_AT in meters.read().names()) is told
