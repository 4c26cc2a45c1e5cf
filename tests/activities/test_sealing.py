"""The steps that seal the audit trail."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.sealing import Sealed, SealTrail
from domain.audit.anchors import Head
from domain.audit.trail import BEGINNING, MOST_EVENTS, AuditDigest, fingerprint, note_of
from domain.callers.tenants import PLATFORM
from domain.errors import Unavailable, UnreadableRow
from domain.timestamps import stamp
from tests.fakes_audit import BEGAN, AuditRig
from tests.stores.samples import new_event, new_tenant

TENANT = str(uuid4())
LATER = BEGAN + timedelta(minutes=10)


@pytest.fixture
def rig() -> AuditRig:
    return AuditRig()


def chain(rig: AuditRig) -> Sequence[AuditDigest]:
    return rig.stores.chain.digests(TENANT, after=0, limit=1000)


def test_events_are_sealed_in_their_order_with_their_fingerprints(rig: AuditRig):
    second, first = (rig.write(TENANT, at=BEGAN + timedelta(seconds=seconds)) for seconds in (5, 1))
    assert rig.seal(TENANT, at=LATER) == Sealed(1, 2, 0, head=chain(rig)[0].hash)
    [digest] = chain(rig)
    assert [(e.event_id, e.fingerprint) for e in digest.events] == [
        (event.event_id, fingerprint(event)) for event in (first, second)
    ]
    assert (digest.sequence, digest.previous, digest.sealed_at) == (1, BEGINNING, stamp(LATER))


def test_what_is_younger_than_two_minutes_waits(rig: AuditRig):
    rig.write(TENANT, at=BEGAN)
    young = rig.write(TENANT, at=LATER - timedelta(seconds=119))
    assert rig.seal(TENANT, at=LATER).events == 1
    assert [note.event_id for note in rig.stores.chain.waiting(TENANT, after="", limit=10)] == [young.event_id]


def test_where_nothing_waits_nothing_is_written(rig: AuditRig):
    assert rig.seal(TENANT, at=LATER) == Sealed()
    assert chain(rig) == []
    assert rig.found(at=LATER) == []


def test_a_repeated_step_seals_nothing_twice(rig: AuditRig):
    rig.write(TENANT, at=BEGAN)
    assert [rig.seal(TENANT, at=LATER).events for _ in range(2)] == [1, 0]
    assert len(chain(rig)) == 1


def test_a_digest_goes_on_from_the_one_before(rig: AuditRig):
    for minute in (0, 5):
        rig.write(TENANT, at=BEGAN + timedelta(minutes=minute))
        rig.seal(TENANT, at=BEGAN + timedelta(minutes=minute + 3))
    first, second = chain(rig)
    assert (second.sequence, second.previous) == (2, first.hash)


def test_an_event_that_comes_behind_is_sealed_as_late(rig: AuditRig):
    rig.write(TENANT, at=LATER - timedelta(minutes=4))
    rig.seal(TENANT, at=LATER)
    late = rig.write(TENANT, at=BEGAN)
    in_time = rig.write(TENANT, at=LATER + timedelta(minutes=1))
    assert rig.seal(TENANT, at=LATER + timedelta(minutes=5)).late == 1
    assert [(e.event_id, e.late) for e in chain(rig)[1].events] == [(late.event_id, True), (in_time.event_id, False)]


def test_a_digest_of_late_events_alone_does_not_turn_the_time_back(rig: AuditRig):
    rig.lived(TENANT, minutes=5)
    until = chain(rig)[-1].until
    for _ in range(MOST_EVENTS + 1):
        rig.write(TENANT, at=BEGAN - timedelta(days=1))
    assert rig.seal(TENANT, at=BEGAN + timedelta(minutes=5)).late == MOST_EVENTS + 1
    assert [digest.until for digest in chain(rig)[-2:]] == [until, until]


def test_a_flood_takes_several_digests_and_none_of_it_is_late(rig: AuditRig):
    for number in range(2 * MOST_EVENTS + 10):
        rig.write(TENANT, at=BEGAN + timedelta(milliseconds=number // 50))
    sealed = rig.seal(TENANT, at=LATER)
    assert (sealed.digests, sealed.events, sealed.late) == (3, 2 * MOST_EVENTS + 10, 0)


def test_tenants_have_chains_of_their_own(rig: AuditRig):
    other = str(uuid4())
    for tenant_id in (TENANT, other):
        rig.write(tenant_id, at=BEGAN)
    assert rig.found(at=LATER) == sorted([TENANT, other])
    rig.seal(TENANT, at=LATER)
    assert rig.found(at=LATER) == [other]


def test_a_tenant_of_which_nothing_is_due_yet_is_not_looked_at(rig: AuditRig):
    rig.write(TENANT, at=LATER - timedelta(seconds=119))
    assert (rig.found(at=LATER), rig.found(at=LATER + timedelta(seconds=2))) == ([], [TENANT])


def test_two_sealers_at_once_seal_each_event_once(rig: AuditRig):
    """The other one is always faster."""

    class Overtaken:
        def __getattr__(self, name: str) -> object:
            return getattr(rig.stores.chain, name)

        def append(self, digest: AuditDigest) -> None:
            rig.seal(TENANT, at=LATER)
            rig.stores.chain.append(digest)

    rig.write(TENANT, at=BEGAN)
    slow = rig.sealing(chain=Overtaken())  # type: ignore[arg-type]
    assert ActivityEnvironment().run(slow.seal_trail, SealTrail(TENANT, stamp(LATER))) == Sealed()
    assert len(chain(rig)) == 1


def test_what_was_sealed_before_the_store_failed_stays_sealed(rig: AuditRig):
    class Failing:
        seen = 0

        def sign(self, message: bytes) -> str:
            self.seen += 1
            if self.seen == 2:
                raise Unavailable
            return rig.signer.sign(message)

    for number in range(MOST_EVENTS + 5):
        rig.write(TENANT, at=BEGAN + timedelta(milliseconds=number))
    steps, step = rig.sealing(signer=Failing()), SealTrail(TENANT, stamp(LATER))
    with pytest.raises(Unavailable):
        ActivityEnvironment().run(steps.seal_trail, step)
    assert ActivityEnvironment().run(steps.seal_trail, step).events == 5
    assert [len(digest.events) for digest in chain(rig)] == [MOST_EVENTS, 5]


def test_the_notes_are_those_of_the_events(rig: AuditRig):
    event = rig.write(TENANT, at=BEGAN)
    assert rig.stores.chain.waiting(TENANT, after="", limit=10) == [note_of(event, now=BEGAN)]


def test_the_heads_of_all_chains_are_anchored_and_only_when_something_was_sealed_since(rig: AuditRig):
    tenant = new_tenant()
    rig.stores.tenants.create(tenant, new_event(tenant.tenant_id, at=stamp(BEGAN)))
    for owner in (tenant.tenant_id, PLATFORM):
        rig.seal(owner, at=LATER)
    [first], [platform] = (rig.stores.chain.digests(owner, after=0, limit=2) for owner in (tenant.tenant_id, PLATFORM))
    heads = {tenant.tenant_id: Head(1, first.hash), PLATFORM: Head(1, platform.hash)}
    assert rig.anchor(at=LATER) == 2
    assert [anchor.heads for anchor in rig.stores.anchors.all()] == [heads]
    assert rig.anchor(at=LATER + timedelta(minutes=10)) == 0  # nothing was sealed since
    rig.write(tenant.tenant_id, at=LATER)
    rig.seal(tenant.tenant_id, at=LATER + timedelta(minutes=4))
    assert rig.anchor(at=LATER + timedelta(minutes=4)) == 0  # too soon after the last one
    assert rig.anchor(at=LATER + timedelta(minutes=14)) == 2
    assert [anchor.heads[tenant.tenant_id].sequence for anchor in rig.stores.anchors.all()] == [1, 2]


def test_each_day_begins_with_an_anchor_so_that_an_idle_tenants_last_one_never_ends(rig: AuditRig):
    rig.write(PLATFORM, at=BEGAN)
    rig.seal(PLATFORM, at=LATER)
    midnights = [LATER.replace(hour=0, minute=0) + timedelta(days=day) for day in (1, 2, 3)]
    assert [rig.anchor(at=midnight) for midnight in midnights] == [1, 1, 1]
    assert rig.anchor(at=midnights[-1] + timedelta(hours=12)) == 0
    assert {anchor.digest for anchor in rig.stores.anchors.all()} == {next(iter(rig.stores.anchors.all())).digest}


def test_where_nothing_was_ever_sealed_there_is_nothing_to_anchor(rig: AuditRig):
    assert rig.anchor(at=LATER) == 0
    assert rig.stores.anchors.all() == []


def test_a_chain_that_somebody_made_unreadable_keeps_no_other_one_from_being_anchored(rig: AuditRig):
    class Damaged:
        def __getattr__(self, name: str) -> object:
            return getattr(rig.stores.chain, name)

        def latest(self, tenant_id: str) -> AuditDigest | None:
            if tenant_id == PLATFORM:
                raise UnreadableRow
            return rig.stores.chain.latest(tenant_id)

    tenant = new_tenant()
    rig.stores.tenants.create(tenant, new_event(tenant.tenant_id, at=stamp(BEGAN)))
    for owner in (tenant.tenant_id, PLATFORM):
        rig.seal(owner, at=LATER)
    rig.steps = rig.sealing(chain=Damaged())  # type: ignore[arg-type]
    assert rig.anchor(at=LATER) == 1
    assert [list(anchor.heads) for anchor in rig.stores.anchors.all()] == [[tenant.tenant_id]]
