"""SealAudits: every tenant's waiting events, one run after the other."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.testing import WorkflowEnvironment

from activities.sealing import MOST_TENANTS, FindTrails, Sealed, SealingActivities, SealTrail
from commands.audit.command import read_trail
from domain.audit.anchors import Anchor, Head
from domain.audit.trail import breaches
from domain.callers.tenants import PLATFORM
from domain.errors import Conflict
from stores.audit.keys import checker
from tests.fakes import FakeAuditAnchors
from tests.fakes_audit import BEGAN
from tests.workflows.seal_scenarios import SealRig, anchored, nothing_to_seal, one_refused, sealed
from workflows.audit.seal_audits import SealedTrails


@pytest.fixture
def rig(environment: WorkflowEnvironment) -> SealRig:
    return SealRig(environment.client)


async def test_where_nothing_waits_one_look_is_all(rig: SealRig):
    nothing_to_seal(rig)
    async with rig.worker():
        run = await rig.run()
        assert await run.result() == SealedTrails()
    history = await run.fetch_history()
    steps = [each.activity_task_scheduled_event_attributes.activity_type.name for each in history.events]
    # Every ten minutes the heads are anchored whatever there was to seal.
    assert [name for name in steps if name not in ("", "anchor_heads")] == ["find_unsealed_trails"]


async def test_every_tenants_events_are_sealed_each_in_its_own_chain(rig: SealRig):
    sealed(rig)
    async with rig.worker(max_cached_workflows=0):
        assert await (await rig.run()).result() == SealedTrails(trails=3, digests=3, events=9, late=1)
        assert await (await rig.run()).result() == SealedTrails()
    assert rig.stores.chain.tenants(before="9", limit=10) == []
    for tenant_id in {event.tenant_id for event in rig.stores.ledger.all()}:
        trail = read_trail(rig.stored, tenant_id)
        assert list(breaches(trail, checker([rig.signer.public]), now=BEGAN + timedelta(minutes=5))) == []
        assert {event.event_id for event in trail.events} == {e.event_id for d in trail.digests for e in d.events}


async def test_a_tenant_that_cannot_be_sealed_keeps_no_other_waiting_and_comes_next_time(rig: SealRig):
    one_refused(rig)
    async with rig.worker():
        assert await (await rig.run()).result() == SealedTrails(trails=1, digests=1, events=1, failed=1)
        rig.refused.clear()
        assert await (await rig.run()).result() == SealedTrails(trails=1, digests=1, events=1)


class Crowd(SealingActivities):
    """More tenants than one look finds. What is sealed is not found again."""

    def __init__(self, rig: SealRig, names: list[str]) -> None:
        super().__init__(rig.stores.chain, rig, rig.stores.anchors, rig.stores.tenants)
        self.names, self.looks, self.sealed = names, 0, list[str]()

    def all(self) -> Sequence[Callable[..., Any]]:
        @activity.defn(name="find_unsealed_trails")
        def find(step: FindTrails) -> list[str]:
            self.looks += 1
            return [name for name in self.names if name not in self.sealed][:MOST_TENANTS]

        @activity.defn(name="seal_trail")
        def seal(step: SealTrail) -> Sealed:
            self.sealed.append(step.tenant_id)
            return Sealed(digests=1, events=1)

        return [find, seal, self.anchor_heads]


async def test_of_more_tenants_than_one_look_finds_the_others_come_in_the_same_run(rig: SealRig):
    names = [str(number) for number in range(MOST_TENANTS + 2)]
    rig.steps = crowd = Crowd(rig, names)
    async with rig.worker():
        assert (await (await rig.run()).result()).trails == len(names)
    assert (crowd.looks, sorted(crowd.sealed)) == (2, sorted(names))


async def test_a_run_that_sealed_something_anchors_the_heads_and_says_so(rig: SealRig):
    anchored(rig)
    async with rig.worker():
        result = await (await rig.run()).result()
    [anchor] = rig.stores.anchors.all()
    assert (result.digests, result.anchored, result.anchor_failed) == (2, 1, False)
    assert anchor.heads == {PLATFORM: Head(1, rig.stores.chain.digests(PLATFORM, after=0, limit=1)[0].hash)}


async def test_an_anchoring_that_fails_is_said_and_the_events_are_sealed_all_the_same(rig: SealRig):
    class Unwritable(FakeAuditAnchors):
        def add(self, anchor: Anchor) -> None:
            raise Conflict

    anchored(rig)
    rig.stores.anchors = Unwritable()
    rig.steps = rig.sealing(signer=rig)
    async with rig.worker():
        result = await (await rig.run()).result()
    assert (result.events, result.anchored, result.anchor_failed) == (2, 0, True)
