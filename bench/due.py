"""Many schedules that are due at the same moment."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from bench.load import Sample
from bench.report import Report, Target
from bench.scan_ports import schedule_of
from bench.schedule_bed import ScheduleBed
from domain.scans.scan import ScanState
from domain.schedules.schedule import Cadence, Schedule, ScheduleType
from domain.timestamps import stamp
from emulators.failures import StackFailed
from workflows.search_attributes import SCAN_STATE, SCHEDULE_ID

TRIED = 20
"""Schedules that are made beforehand, to see how long making them takes."""

AFTERWORK = 4
"""Making a schedule, and what the server does with it then, take so many times as long as the call."""

PATIENCE_SECONDS = 900
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    tenants: int
    schedules: int
    """Of a tenant."""
    spare_seconds: int
    """Between the making of the last one and the moment when all are due."""

    @property
    def total(self) -> int:
        return self.tenants * self.schedules


@dataclass(frozen=True)
class Fired:
    """One run: what it is of, how it ended, and the seconds after the due time."""

    schedule_id: str
    state: str
    started: float
    ended: float


async def measure(bed: ScheduleBed, plan: Plan, *, report: Report) -> list[Target]:
    report.heading(f"{plan.total:,} schedules of {plan.tenants} tenants, due at the same moment")
    async with bed.worker() as worker:
        resident = worker.resident_bytes()
        due, rows = await _made(bed, plan)
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        used = {process.name: process.cpu_seconds() for process in (bed.server, worker)}
        fired = await _fired(bed, plan, due=due)
        report.machine()
        cpu = {process.name: process.cpu_seconds() - used[process.name] for process in (bed.server, worker)}
        _show(report, fired, cpu)
        mib = [size / 2**20 for size in (resident, worker.resident_bytes())]
        report.say(f"Resident memory of the worker: {mib[0]:.0f} MiB before, {mib[1]:.0f} MiB after")
    return [Target("schedules that did not fire exactly once", _not_once(rows, fired), at_most=0)]


async def _made(bed: ScheduleBed, plan: Plan) -> tuple[datetime, Sequence[Schedule]]:
    """All schedules, and when they are due: after the time that making them takes."""
    began = time.perf_counter()
    tried = [schedule_of(str(uuid4()), str(uuid4())) for _ in range(TRIED)]
    await bed.make(tried)
    each = (time.perf_counter() - began) / TRIED
    seconds = int(plan.spare_seconds + AFTERWORK * each * plan.total)
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
    daily = Cadence(ScheduleType.INTERVAL, interval_seconds=int(DAY.total_seconds()))
    yesterday = stamp(due - DAY)
    tenants = [str(uuid4()) for _ in range(plan.tenants)]
    rows = [
        replace(schedule_of(tenant, str(uuid4()), daily), created_at=yesterday)
        for tenant in tenants
        for _ in range(plan.schedules)
    ]
    await bed.make(rows)
    if datetime.now(UTC) >= due:
        raise StackFailed("Making the schedules took longer than expected; run this again on a calmer machine.")
    return due, rows


async def _fired(bed: ScheduleBed, plan: Plan, *, due: datetime) -> Sequence[Fired]:
    """Every run, once all have ended and nothing more comes."""
    deadline, quiet = time.monotonic() + PATIENCE_SECONDS, 0
    while quiet < 3 and time.monotonic() < deadline:
        await asyncio.sleep(1)
        closed = (await bed.client.count_workflows("WorkflowType = 'RunScan' AND ExecutionStatus != 'Running'")).count
        total = (await bed.client.count_workflows("WorkflowType = 'RunScan'")).count
        quiet = quiet + 1 if closed == total >= plan.total else 0
    found = []
    async for run in bed.client.list_workflows("WorkflowType = 'RunScan'"):
        attributes, ended = run.typed_search_attributes, run.close_time or datetime.max.replace(tzinfo=UTC)
        started, done = ((moment - due).total_seconds() for moment in (run.start_time, ended))
        found.append(Fired(attributes[SCHEDULE_ID], attributes[SCAN_STATE], started, done))
    return found


def _not_once(rows: Sequence[Schedule], fired: Sequence[Fired]) -> int:
    completed = Counter(run.schedule_id for run in fired if run.state == ScanState.COMPLETED)
    started = Counter(run.schedule_id for run in fired)
    return sum((completed[row.schedule_id], started[row.schedule_id]) != (1, 1) for row in rows)


def _show(report: Report, fired: Sequence[Fired], cpu: dict[str, float]) -> None:
    rows = []
    for name, seconds in (("started", [run.started for run in fired]), ("ended", [run.ended for run in fired])):
        delays = Sample(0.0, seconds, {})
        figures = [f"{delays.percentile(percent):.2f}" for percent in (50, 99, 100)]
        rows.append((f"{name}, s after the due time", *figures))
    report.table(("", "p50", "p99", "last"), rows)
    each = ", ".join(f"{name} {seconds / max(1, len(fired)) * 1000:.1f} ms" for name, seconds in cpu.items())
    report.say(f"Processor time of a run: {each}")
