"""Requests per second and latencies of init, list and get, in a tenant with 1,000 accounts and in one with 100,000. A
process of the API for each, whose table costs what it reads as DynamoDB does; the two take turns."""

import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

from bench.load import Sample, Work, sample, together
from bench.portal_client import PortalClient
from bench.portal_process import PortalProcess, portal_process
from bench.report import Report, Target, milliseconds
from bench.table import IndexedTable, account_ids
from bench.testbed import Testbed
from stores import cursors
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.tables import ACCOUNTS_BY_ID, TableNames

MAX_LIST_RATIO = 1.2
PAGE = 50
LIST = "list"


@dataclass(frozen=True)
class Plan:
    sizes: tuple[int, int]
    rounds: int
    requests: Mapping[str, int]
    """Of a round, by route."""
    in_flight: int
    counts: bool = True
    """Whether the figures are enough to be judged."""


FULL = Plan((1_000, 100_000), rounds=6, requests={"init": 150, LIST: 250, "get": 250}, in_flight=8)
QUICK = Plan((1_000, 100_000), rounds=1, requests={"init": 4, LIST: 10, "get": 10}, in_flight=4, counts=False)

Rounds = Mapping[tuple[str, int], Sequence[Sample]]


@dataclass(frozen=True)
class Caller:
    """A portal with a tenant of so many accounts."""

    http: PortalClient
    tenant_id: str
    accounts: int

    async def init(self) -> float:
        began = time.perf_counter()
        await self.http.init(self.tenant_id)
        return time.perf_counter() - began

    async def list(self) -> float:
        """A page from anywhere."""
        began = time.perf_counter()
        after = cursor(self.tenant_id, self._any_account())
        page = await self.http.get("/onboarding/accounts", tenant_id=self.tenant_id, limit=PAGE, cursor=after)
        seconds = time.perf_counter() - began
        if len(page["accounts"]) > PAGE:
            raise RuntimeError("A page has more accounts than were asked for.")
        return seconds

    async def get(self) -> float:
        began = time.perf_counter()
        await self.http.get(f"/onboarding/accounts/{self._any_account()}")
        return time.perf_counter() - began

    def work(self, route: str) -> Work:
        return {"init": self.init, LIST: self.list, "get": self.get}[route]

    def _any_account(self) -> str:
        return random.choice(account_ids(self.accounts))  # noqa: S311 - not a secret


async def run(bed: Testbed, plan: Plan, *, report: Report) -> bool:
    """Whether every target was met."""
    async with AsyncExitStack() as portals:
        served = [await portals.enter_async_context(portal_process(bed, accounts=size)) for size in plan.sizes]
        await _rounds(served, plan, rounds=1)  # the first requests of a process are slow
        found = await _rounds(served, plan, rounds=plan.rounds)
    report.heading(f"The API, {plan.in_flight} requests in flight, {plan.rounds} rounds")
    report.machine()
    _show(report, found)
    return report.judge(_targets(plan, found), counts=plan.counts)


async def _rounds(served: Sequence[PortalProcess], plan: Plan, *, rounds: int) -> Rounds:
    found: dict[tuple[str, int], list[Sample]] = {}
    for _ in range(rounds):
        for route, count in plan.requests.items():
            for portal in served:
                work = Caller(portal.http, portal.tenant_id, portal.accounts).work(route)
                one = await sample(work, count=count, in_flight=plan.in_flight, watched=[portal.observed])
                found.setdefault((route, portal.accounts), []).append(one)
    return found


def _show(report: Report, found: Rounds) -> None:
    rows = []
    for (route, accounts), rounds in found.items():
        whole = together(rounds)
        latencies = [milliseconds(whole.percentile(percent)) for percent in (50, 95, 99)]
        cpu = milliseconds(whole.cpu_each(PortalProcess.name))
        read = str(rows_read(accounts)) if route == LIST else "1" if route == "get" else ""
        rows.append((route, f"{accounts:,}", f"{median(r.rate for r in rounds):.0f}", *latencies, cpu, read))
    report.table(("", "accounts", "requests/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "rows read"), rows)


def _targets(plan: Plan, found: Rounds) -> list[Target]:
    few, many = plan.sizes
    pairs = list(zip(found[LIST, many], found[LIST, few], strict=True))
    cpu = median(b.cpu_each(PortalProcess.name) / max(a.cpu_each(PortalProcess.name), 1e-9) for b, a in pairs)
    p50 = median(b.percentile(50) / a.percentile(50) for b, a in pairs)
    name = f"list page, {many:,} / {few:,} accounts:"
    return [
        Target(f"{name} rows read", rows_read(many) / rows_read(few), at_most=MAX_LIST_RATIO),
        Target(f"{name} CPU", cpu, at_most=MAX_LIST_RATIO),
        Target(f"{name} p50", p50, at_most=MAX_LIST_RATIO),
    ]


def rows_read(accounts: int) -> int:
    """By one page from the middle of so many."""
    ids, tenant_id = account_ids(accounts), "0" * 8 + "-0000-4000-8000-" + "0" * 12
    table = IndexedTable(tenant_id, accounts)
    store = DynamoAccountStore(table, TableNames())  # type: ignore[arg-type]
    middle = cursor(tenant_id, ids[len(ids) // 2])
    store.page(tenant_id, provider_type=None, status=None, limit=PAGE, cursor=middle)
    return table.items_read


def cursor(tenant_id: str, account_id: str) -> str:
    """As the list of all accounts gives it after that account."""
    scope = (TableNames().accounts, ACCOUNTS_BY_ID, f"tenant_id={tenant_id}")
    return cursors.encode(account_id, scope)
