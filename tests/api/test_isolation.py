"""Over HTTP: what is another tenant's answers as what is missing does, after the same calls of the same stores."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from api.auth.permissions import Tenancy
from domain.callers.tenants import PLATFORM
from tests.api.portal import Portal, add_key, open_portal
from tests.api.routes import PUBLIC, Call, calls
from tests.fakes_scans import FOUND
from tests.rig import add_tenant
from tests.stores.samples import AT, LATER, a_key, activation, new_account, new_event, new_id
from tests.stores.test_isolation import a_schedule, an_execution, order

QUERY = ("tenant_id", "account_id")
RECOGNISING = ("api_keys.find", "api_keys.note_use")
"""What finds out who calls: every four seconds, whatever is asked for."""


class Recorded:
    """A store, and what was asked of it."""

    def __init__(self, store: Any, name: str, asked: list[str]) -> None:
        self._store, self._name, self._asked = store, name, asked

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._store, method)

        def recorded(*args: Any, **kwargs: Any) -> Any:
            self._asked.append(f"{self._name}.{method}")
            return found(*args, **kwargs)

        return recorded if callable(found) else found


@dataclass
class Houses:
    """An API whose stores tell what they were asked, a caller of one tenant, and the things of another one."""

    portal: Portal
    asked: list[str]
    foreign: Mapping[str, str]

    async def call(self, call: Call, names: Mapping[str, str]) -> tuple[httpx.Response, list[str]]:
        """With the thing or the tenant that `names` has in every place where the operation names one."""
        self.asked.clear()
        path = call.path.format_map({"provider": "aws", **names})
        query = {name: names[name] for name in call.query if name in QUERY}
        body = self._body(call, names) if call.method in ("POST", "PUT", "PATCH") else None
        answer = await self.portal.http.request(call.method, f"http://api.test{path}", params=query, json=body)
        return answer, [call for call in self.asked if call not in RECOGNISING]

    def _body(self, call: Call, names: Mapping[str, str]) -> dict[str, Any]:
        return {name: names.get(name, value) for name, value in call.example.items()}


@pytest.fixture
async def houses(offline: Portal) -> AsyncIterator[Houses]:
    asked: list[str] = []
    services, foreign = offline.services, furnished(offline)
    stores: dict[str, Any] = {
        name: Recorded(getattr(services, name), name, asked) for name in ("tenants", "accounts", "api_keys")
    }
    scans = {name: getattr(services.scans, name) for name in ("schedules", "executions", "results")}
    parts: dict[str, Any] = {name: Recorded(store, name, asked) for name, store in scans.items()}
    stores["scans"] = replace(services.scans, **parts)
    portal = open_portal(offline.rig, offline.rig.client, **stores)
    portal.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=offline.rig.tenant_id)}"
    async with portal.http:
        yield Houses(portal, asked, foreign)


def furnished(portal: Portal) -> dict[str, str]:
    """The ids of one of everything of another tenant."""
    stores, scans, tenant_id = portal.rig.stores, portal.services.scans, new_id()
    add_tenant(stores, tenant_id)
    account, key = new_account(tenant_id), a_key(tenant_id)
    stores.accounts.register(account, new_event(tenant_id))
    stores.accounts.activate(tenant_id, account.account_id, activation(), new_event(tenant_id))
    schedule = scans.schedules.create(a_schedule(tenant_id, account.account_id), new_event(tenant_id))
    execution = an_execution(schedule)
    scans.schedules.claim(schedule, execution, new_event(tenant_id))
    scan_id = new_id()
    scans.results.write(order(tenant_id, account.account_id, scan_id), FOUND, started_at=AT, completed_at=LATER)
    stores.api_keys.add(key, new_event(tenant_id))
    return {
        "tenant_id": tenant_id,
        "account_id": account.account_id,
        "onboarding_id": account.account_id,
        "schedule_id": schedule.schedule_id,
        "execution_id": execution.execution_id,
        "scan_id": scan_id,
        "key_id": key.key_id,
    }


ABSENT = {
    **dict.fromkeys(
        ("tenant_id", "account_id", "onboarding_id", "schedule_id", "execution_id", "scan_id"),
        "00000000-0000-4000-8000-000000000000",
    ),
    "key_id": "0" * 16,
}


def with_tenancy(portal: Portal, *wanted: Tenancy) -> list[Call]:
    found = [call for call in calls(portal.app) if call.path not in PUBLIC]
    return [call for call in found if call.operation["x-tenancy"] in wanted]


async def test_what_is_another_tenants_is_missing(houses: Houses) -> None:
    """Every operation that names a tenant or a thing of one: the same answer, after the same calls."""
    tried = with_tenancy(houses.portal, Tenancy.OWNED, Tenancy.NAMED)
    before = rows(houses)
    for call in tried:
        foreign, absent = await houses.call(call, houses.foreign), await houses.call(call, ABSENT)
        assert foreign[0].status_code == 404, (call.method, call.path, foreign[0].text)
        assert (foreign[0].content, foreign[1]) == (absent[0].content, absent[1]), (call.method, call.path)
    assert rows(houses) == before
    assert len(tried) >= 20


async def test_the_platforms_caller_does_reach_them(houses: Houses) -> None:
    """So it is the caller that is kept out, and not everybody."""
    houses.portal.http.headers["Authorization"] = f"Bearer {add_key(houses.portal.rig)}"
    for call in with_tenancy(houses.portal, Tenancy.OWNED, Tenancy.NAMED):
        answer, _ = await houses.call(call, houses.foreign)
        assert answer.status_code != 404, (call.method, call.path, answer.text)


async def test_a_thing_of_another_tenant_is_missing_when_ones_own_tenant_is_named_with_it(houses: Houses) -> None:
    mixed = {**houses.foreign, "tenant_id": houses.portal.rig.tenant_id}
    for call in with_tenancy(houses.portal, Tenancy.NAMED):
        if "account_id" in str(call.operation.get("parameters")) or call.path.endswith("/schedules"):
            answer, _ = await houses.call(call, mixed)
            assert answer.status_code == 404, (call.method, call.path, answer.text)


async def test_what_is_of_no_tenant_is_for_the_platform(houses: Houses) -> None:
    for call in with_tenancy(houses.portal, Tenancy.PLATFORM):
        answer, asked = await houses.call(call, houses.foreign)
        assert (answer.status_code, asked) == (403, []), call.path


async def test_what_is_the_same_for_everyone_asks_no_store(houses: Houses) -> None:
    for call in with_tenancy(houses.portal, Tenancy.NONE):
        _, asked = await houses.call(call, houses.foreign)
        assert asked == [], call.path


def rows(houses: Houses) -> str:
    stores, tenant_id = houses.portal.rig.stores, houses.foreign["tenant_id"]
    schedules = houses.portal.services.scans.schedules.page(
        tenant_id, account_id=None, status=None, limit=100, cursor=None
    )
    keys = stores.api_keys.page(tenant_id, limit=100, cursor=None)
    accounts = stores.accounts.page(tenant_id, provider_type=None, status=None, limit=100, cursor=None)
    return repr((schedules, keys, accounts, stores.ledger.of(tenant_id), stores.ledger.of(PLATFORM)))
