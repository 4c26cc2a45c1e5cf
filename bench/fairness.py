"""One tenant with hundreds of scans that are due, and another one with a single scan."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.common import Priority

from bench.lanes import ORIGIN
from bench.report import Report, Target
from bench.scan_ports import schedule_of
from bench.scan_worker import SCANS_CONCURRENCY
from bench.schedule_bed import ScheduleBed
from domain.scans.scan import ScanOutcome, ScanRequest, TriggeredBy
from workflows.ids import SCAN_PRIORITY, SCANS_QUEUE, scan_id
from workflows.scans.run_scan import RunScan
from workflows.search_attributes import of_scan

MAX_RATIO = 3.0
Run = WorkflowHandle[RunScan, ScanOutcome]


@dataclass(frozen=True)
class Plan:
    crowd: int
    scan_seconds: float
    singles: int
    """How often the single scan is measured, alone and beside the crowd."""


async def measure(bed: ScheduleBed, plan: Plan, *, report: Report) -> list[Target]:
    report.heading(f"A single scan beside {plan.crowd} of another tenant, {SCANS_CONCURRENCY} slots")
    one, other = str(uuid4()), str(uuid4())
    async with bed.worker(scan_seconds=plan.scan_seconds):
        await single(bed, one)  # the first one of a process is slow
        alone = [await single(bed, one) for _ in range(plan.singles)]
        crowd = await asyncio.gather(*(started(bed, other) for _ in range(plan.crowd)))
        beside: list[float] = []
        left: list[int] = []
        while len(beside) < plan.singles and (not left or left[-1]):
            beside.append(await single(bed, one))
            left.append(await _running(bed, other))
        report.machine()
        await asyncio.gather(*(run.result() for run in crowd))
    _show(report, alone, beside, left)
    return [Target("single scan beside the crowd / alone, median", median(beside) / median(alone), at_most=MAX_RATIO)]


async def single(bed: ScheduleBed, tenant_id: str) -> float:
    """Seconds from its start to its end."""
    began = time.perf_counter()
    await (await started(bed, tenant_id)).result()
    return time.perf_counter() - began


async def started(bed: ScheduleBed, tenant_id: str) -> Run:
    """A scan of a schedule of its own, as the API triggers it."""
    schedule, execution_id = schedule_of(tenant_id, str(uuid4())), str(uuid4())
    request = ScanRequest(
        tenant_id=tenant_id,
        schedule_id=schedule.schedule_id,
        origin=ORIGIN,
        triggered_by=TriggeredBy.API,
        execution_id=execution_id,
    )
    return await bed.client.start_workflow(
        RunScan.run,
        request,
        id=scan_id(tenant_id, execution_id),
        task_queue=SCANS_QUEUE,
        search_attributes=of_scan(schedule),
        priority=Priority(priority_key=SCAN_PRIORITY, fairness_key=tenant_id),
    )


async def _running(bed: ScheduleBed, tenant_id: str) -> int:
    query = f"WorkflowType = 'RunScan' AND ExecutionStatus = 'Running' AND TenantId = '{tenant_id}'"
    return (await bed.client.count_workflows(query)).count


def _show(report: Report, alone: Sequence[float], beside: Sequence[float], left: Sequence[int]) -> None:
    def figures(seconds: Sequence[float]) -> list[str]:
        return [f"{statistic(seconds):.2f}" for statistic in (min, median, max)]

    rows = [("alone", *figures(alone), ""), ("beside the crowd", *figures(beside), f"{left[0]} … {left[-1]}")]
    report.table(("single scan, s", "least", "median", "most", "of the crowd left"), rows)
