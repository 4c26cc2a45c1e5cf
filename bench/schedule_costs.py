"""What making a schedule and listing a page of them cost, when a tenant has few and when it has many."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx

import logs
from api.app import create_app
from api.services import ScanServices
from bench.load import Sample, sample
from bench.portal import services
from bench.ports import PlainSealer
from bench.processes import this_process
from bench.report import Report, Target, milliseconds
from bench.scan_ports import ActiveAccounts, AssumedExecutions, AssumedResults, schedule_of
from bench.schedule_bed import ScheduleBed
from bench.schedule_table import IndexedSchedules, cursor, schedule_ids
from bench.testbed import DRIVER
from domain.callers.api_keys import new_key_text
from stores.dynamodb.schedules import DynamoScheduleStore
from stores.dynamodb.tables import TableNames
from tests.channels import CHANNELS
from tests.fakes_scans import OFFERS
from workflows.ids import ONBOARDING_QUEUE

MAX_RATIO = 1.2
PAGE = 50
CREATE, LIST = "create", "list"


@dataclass(frozen=True)
class Plan:
    sizes: tuple[int, int]
    requests: Mapping[str, int]
    in_flight: int = 4


@dataclass(frozen=True)
class Caller:
    """A portal whose tenant has so many schedules."""

    http: httpx.AsyncClient
    tenant_id: str
    rows: int

    async def create(self) -> float:
        body = {"tenant_id": self.tenant_id, "account_id": str(uuid4()), "name": "Nightly"}
        cadence = {"schedule_type": "cron", "cron_expression": "0 0 1 1 *"}
        began = time.perf_counter()
        (await self.http.post("/schedules", json=body | cadence)).raise_for_status()
        return time.perf_counter() - began

    async def list(self) -> float:
        """A page from the middle, with the next runs."""
        middle = schedule_ids(self.rows)[self.rows // 2 - PAGE // 2]
        query: dict[str, str | int] = {"limit": PAGE, "cursor": cursor(self.tenant_id, middle)}
        began = time.perf_counter()
        answer = (await self.http.get("/schedules", params={"tenant_id": self.tenant_id, **query})).raise_for_status()
        seconds = time.perf_counter() - began
        if len(answer.json()["schedules"]) != min(PAGE, self.rows - self.rows // 2 + PAGE // 2 - 1):
            raise RuntimeError("A page does not have the schedules that were asked for.")
        return seconds


async def measure(bed: ScheduleBed, plan: Plan, *, report: Report) -> list[Target]:
    logs.configure("WARNING")  # the application of this process would tell of every request
    tenant_id, found, present = str(uuid4()), {}, 0
    async with bed.worker():
        for size in plan.sizes:
            wanted = set(schedule_ids(size)) - set(schedule_ids(present))
            await bed.make([schedule_of(tenant_id, schedule_id) for schedule_id in sorted(wanted)])
            await bed.settled()
            present = size
            async with _portal(bed, tenant_id, rows=size) as caller:
                await sample(caller.list, count=2, in_flight=1)  # the first ones are slow
                for name, work in ((LIST, caller.list), (CREATE, caller.create)):
                    count = plan.requests[name]
                    watched = [bed.server, this_process(DRIVER)]
                    found[name, size] = await sample(work, count=count, in_flight=plan.in_flight, watched=watched)
    report.heading(f"A tenant with many schedules, {plan.in_flight} requests in flight")
    report.machine()
    _show(report, bed, found)
    return _targets(plan, found)


@asynccontextmanager
async def _portal(bed: ScheduleBed, tenant_id: str, *, rows: int) -> AsyncIterator[Caller]:
    """The real application in this process."""
    table = DynamoScheduleStore(IndexedSchedules(tenant_id, rows), TableNames())  # type: ignore[arg-type]
    scans = ScanServices(table, AssumedExecutions(), AssumedResults(), bed.schedules, CHANNELS, OFFERS, PlainSealer())
    key, accounts = new_key_text(), ActiveAccounts(tenant_id)
    given = services(bed.client, tenant_id, accounts=accounts, key=key, queue=ONBOARDING_QUEUE)
    transport = httpx.ASGITransport(create_app(replace(given, scans=scans)))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench/api/v1", headers=headers) as http:
        yield Caller(http, tenant_id, rows)


def _show(report: Report, bed: ScheduleBed, found: Mapping[tuple[str, int], Sample]) -> None:
    rows = []
    for (name, size), one in sorted(found.items()):
        latencies = [milliseconds(one.percentile(percent)) for percent in (50, 95, 99)]
        cpu = [milliseconds(one.cpu_each(process)) for process in (DRIVER, bed.server.name)]
        rows.append((name, f"{size:,}", *latencies, *cpu))
    report.table(("", "schedules", "p50 ms", "p95 ms", "p99 ms", "API CPU ms", "server CPU ms"), rows)


def _targets(plan: Plan, found: Mapping[tuple[str, int], Sample]) -> list[Target]:
    few, many = plan.sizes
    name = f"list page, {many:,} / {few:,} schedules:"
    cpu = found[LIST, many].cpu_each(DRIVER) / max(found[LIST, few].cpu_each(DRIVER), 1e-9)
    return [
        Target(f"{name} rows read", rows_read(many) / rows_read(few), at_most=MAX_RATIO),
        Target(f"{name} API CPU", cpu, at_most=MAX_RATIO),
    ]


def rows_read(rows: int) -> int:
    """By one page from the start of so many."""
    tenant_id = str(uuid4())
    table = IndexedSchedules(tenant_id, rows)
    store = DynamoScheduleStore(table, TableNames())  # type: ignore[arg-type]
    store.page(tenant_id, account_id=None, status=None, limit=PAGE, cursor=None)
    return table.items_read
