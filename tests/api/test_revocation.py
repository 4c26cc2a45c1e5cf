"""A revoked key is refused by every process within five seconds, whenever each of them last saw it."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.auth.authenticator import Doorman, KeyRing
from domain.callers.api_keys import ApiKey, key_id_of, new_key_text
from domain.errors import Unauthenticated
from tests.api.portal import Portal, add_key, open_portal
from tests.api.test_auth import CountingKeys, stored
from tests.rig import AT

PROMISED = 5.0
LAG = 1.0
"""By which an index of DynamoDB may be behind its table."""

TEXT = new_key_text()
moments = st.floats(0, 1000)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Lagging(CountingKeys):
    """The index of a store in which the key is revoked at one moment, and seen to be so after the lag."""

    def __init__(self, revoked: float, clock: Callable[[], float]) -> None:
        super().__init__(stored(TEXT))
        self._seen, self._clock = revoked + LAG, clock

    def find(self, key_id: str) -> ApiKey | None:
        self.key = replace(stored(TEXT), platform=True, revoked_at=AT if self._clock() >= self._seen else None)
        return super().find(key_id)


def accepts(ring: KeyRing) -> bool:
    try:
        ring.recognise(TEXT, "r")
    except Unauthenticated:
        return False
    return True


@given(revoked=moments, uses=st.lists(moments, max_size=20), late=st.floats(0, 100))
def test_whenever_a_process_used_the_key_it_refuses_it_five_seconds_after_it_was_revoked(
    revoked: float, uses: list[float], late: float
):
    clock = Clock()
    ring = KeyRing(Lagging(revoked, clock), clock=clock)
    for moment in sorted([*uses, max(0.0, revoked - 0.001), revoked + LAG - 0.001]):
        if moment < revoked + PROMISED:
            clock.now = moment
            assert accepts(ring) or moment >= revoked
    clock.now = revoked + PROMISED + late
    assert not accepts(ring)


async def test_a_process_that_has_just_used_the_key_refuses_it_when_another_one_revoked_it(offline: Portal):
    text, clock = add_key(offline.rig, tenant_id=offline.rig.tenant_id), Clock()
    path, headers = f"/tenants/{offline.rig.tenant_id}", {"Authorization": f"Bearer {text}"}
    processes = [open_portal(offline.rig, offline.rig.client) for _ in range(2)]
    for process in processes:
        process.app.state.doorman = Doorman(KeyRing(process.services.api_keys, clock=clock))
        assert (await process.http.get(path, headers=headers)).status_code == 200
    assert (await processes[0].http.delete(f"/api-keys/{key_id_of(text)}")).status_code == 200
    # Both remember it, and this is the promise: not at once, but soon.
    assert (await processes[1].http.get(path, headers=headers)).status_code == 200
    clock.now += PROMISED
    for process in processes:
        assert (await process.http.get(path, headers=headers)).status_code == 401
        await process.http.aclose()


def test_the_promise_would_be_broken_by_a_process_that_remembers_longer():
    """The property above sees what it looks for."""
    clock = Clock()
    ring = KeyRing(Lagging(1000.0, clock), clock=lambda: clock.now // 10)
    clock.now = 1000.0 + LAG / 2
    assert accepts(ring)
    clock.now = 1000.0 + PROMISED
    assert accepts(ring)
