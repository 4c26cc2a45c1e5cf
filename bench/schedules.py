"""Schedules: thousands that are due at one moment, a crowd of one tenant beside another's single scan, and what making
and listing cost when there are many. Real Temporal Schedules and workflows on a server of their own; ports in memory.
"""

from dataclasses import dataclass
from pathlib import Path

from bench import due, fairness, schedule_costs
from bench.report import Report
from bench.schedule_bed import schedule_bed


@dataclass(frozen=True)
class Plan:
    due: due.Plan
    fairness: fairness.Plan
    costs: schedule_costs.Plan
    counts: bool = True
    """Whether the figures are enough to be judged."""


FULL = Plan(
    due.Plan(tenants=200, schedules=10, spare_seconds=20),
    fairness.Plan(crowd=500, scan_seconds=2, singles=5),
    schedule_costs.Plan(sizes=(100, 10_000), requests={"create": 60, "list": 200}),
)
QUICK = Plan(
    due.Plan(tenants=4, schedules=2, spare_seconds=4),
    fairness.Plan(crowd=12, scan_seconds=0.1, singles=2),
    schedule_costs.Plan(sizes=(60, 120), requests={"create": 4, "list": 8}),
    counts=False,
)


async def run(plan: Plan, *, folder: Path, report: Report) -> bool:
    """Whether every target was met."""
    async with schedule_bed(folder) as bed:
        targets = await due.measure(bed, plan.due, report=report)
        targets += await fairness.measure(bed, plan.fairness, report=report)
        targets += await schedule_costs.measure(bed, plan.costs, report=report)
    return report.judge(targets, counts=plan.counts)
