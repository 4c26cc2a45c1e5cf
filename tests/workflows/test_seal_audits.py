"""SealAudits: every tenant's waiting events, one run after the other."""

from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from commands.audit import read_trail
from domain.audit_trail import breaches
from stores.audit_keys import checker
from tests.fakes_audit import BEGAN
from tests.workflows.seal_scenarios import SealRig, nothing_to_seal, one_refused, sealed
from workflows.seal_audits import SealedTrails


@pytest.fixture
def rig(environment: WorkflowEnvironment) -> SealRig:
    return SealRig(environment.client)


async def test_where_nothing_waits_one_look_is_all(rig: SealRig):
    nothing_to_seal(rig)
    async with rig.worker():
        run = await rig.run()
        assert await run.result() == SealedTrails()
    history = await run.fetch_history()
    assert len([e for e in history.events if e.HasField("activity_task_scheduled_event_attributes")]) == 1


async def test_every_tenants_events_are_sealed_each_in_its_own_chain(rig: SealRig):
    sealed(rig)
    async with rig.worker(max_cached_workflows=0):
        assert await (await rig.run()).result() == SealedTrails(trails=3, digests=3, events=9, late=1)
        assert await (await rig.run()).result() == SealedTrails()
    assert rig.stores.chain.tenants(limit=10) == []
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
