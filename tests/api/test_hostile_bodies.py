"""Bodies from a seed, to every route that takes one; `make security` sends ten times as many."""

from temporalio.client import Client

from tests.api.whole_portal import whole_portal
from tests.security.bodies import MAKERS
from tests.security.hostile_bodies import attack, routes


async def test_no_body_is_repeated_breaks_anything_or_is_refused_in_another_shape(temporal: Client):
    async with whole_portal(temporal) as whole:
        found = await attack(whole, count=500)
        assert len(routes(whole)) * len(MAKERS) < 500
    assert (found.echoes, found.broken, found.shapeless) == ([], [], [])
    assert found.statuses.total() == 500
    assert {400, 413, 415, 422} <= set(found.statuses)
