"""What is another tenant's is not found as fast, or as slowly, as what is missing."""

from collections.abc import Mapping
from statistics import median
from time import perf_counter, sleep
from typing import Any

from api.auth.permissions import Tenancy
from tests.api.portal import Portal, add_key, open_portal
from tests.api.routes import Call, calls
from tests.api.test_isolation import ABSENT, QUERY, furnished, with_tenancy

PAIRS = 150
TOLERANCE = 0.15
"""Of the time of the whole answer, which is a millisecond or two here and more over a network: far below what can be
told apart from outside, and above the noise of medians on a busy machine."""


async def seconds(portal: Portal, call: Call, names: Mapping[str, str]) -> float:
    query = {name: names[name] for name in call.query if name in QUERY}
    url = f"http://api.test{call.path.format_map({'provider': 'aws', **names})}"
    began = perf_counter()
    answer = await portal.http.request(call.method, url, params=query)
    took = perf_counter() - began
    assert answer.status_code == 404, (call.path, answer.text)
    return took


async def compared(portal: Portal, call: Call, foreign: Mapping[str, str]) -> float:
    """By which part one takes longer than the other. They take turns in being first."""
    sides: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * PAIRS):
        which = (number + number // 2) % 2
        sides[which].append(await seconds(portal, call, (foreign, ABSENT)[which]))
    one, other = map(median, sides)
    return abs(one - other) / min(one, other)


async def test_another_tenants_things_take_as_long_as_missing_ones(offline: Portal):
    foreign = furnished(offline)
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=offline.rig.tenant_id)}"
    reads = [call for call in with_tenancy(offline, Tenancy.OWNED, Tenancy.NAMED) if call.method == "GET"]
    assert len(reads) >= 10
    for call in reads:
        # A machine that is busy elsewhere may spoil one comparison, and does not spoil three alike.
        differences = [await compared(offline, call, foreign)]
        while min(differences) > TOLERANCE and len(differences) < 3:
            differences.append(await compared(offline, call, foreign))
        assert min(differences) <= TOLERANCE, (call.path, differences)


class Telling:
    """A store of accounts that looks a while at what is there, whoever asks."""

    def __init__(self, store: Any, foreign: str) -> None:
        self._store, self._foreign = store, foreign
        self.seconds = 0.001
        self.tenant_of = store.tenant_of

    def get(self, tenant_id: str, account_id: str) -> Any:
        if account_id == self._foreign:
            sleep(self.seconds)
        return self._store.get(tenant_id, account_id)


async def test_a_store_that_takes_a_millisecond_longer_is_seen(offline: Portal):
    foreign = furnished(offline)
    slow: Any = Telling(offline.services.accounts, foreign["account_id"])
    async with open_portal(offline.rig, offline.rig.client, accounts=slow).http as http:
        http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=offline.rig.tenant_id)}"
        [read] = [c for c in calls(offline.app) if c[:2] == ("GET", "/api/v1/onboarding/accounts/{account_id}")]
        offline.http, kept = http, offline.http
        # On a busy machine an answer takes several milliseconds, of which one is no part to be seen.
        whole = median([await seconds(offline, read, ABSENT) for _ in range(20)])
        slow.seconds = max(slow.seconds, whole / 3)
        assert await compared(offline, read, foreign) > TOLERANCE
        offline.http = kept
