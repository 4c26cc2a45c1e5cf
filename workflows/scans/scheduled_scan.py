"""What Temporal Schedules start."""

from dataclasses import dataclass

from temporalio.client import ScheduleActionStartWorkflow
from temporalio.common import Priority

from domain.audit.events import Origin
from domain.commands import RecurringRequest
from domain.scans.scan import ScanRequest
from domain.schedules.schedule import Schedule
from workflows.ids import ONBOARDING_QUEUE, RECONCILE_ID, SCAN_PRIORITY, SCANS_QUEUE, SEAL_AUDITS_ID, scan_id
from workflows.search_attributes import of_scan

SCHEDULER = "scheduler"


@dataclass(frozen=True)
class ScanLimits:
    max_seconds: int = 3600
    poll_seconds: int = 10


def reconciling() -> ScheduleActionStartWorkflow:
    """A sweep over all schedules."""
    return ScheduleActionStartWorkflow(
        "Reconcile",
        RecurringRequest(RECONCILE_ID),
        id=RECONCILE_ID,
        task_queue=ONBOARDING_QUEUE,
        static_summary="Compare all schedules with their rows",
        priority=Priority(priority_key=SCAN_PRIORITY),
    )


def sealing() -> ScheduleActionStartWorkflow:
    """A run over the audit trails of all tenants."""
    return ScheduleActionStartWorkflow(
        "SealAudits",
        RecurringRequest(SEAL_AUDITS_ID),
        id=SEAL_AUDITS_ID,
        task_queue=ONBOARDING_QUEUE,
        static_summary="Seal the audit events of all tenants",
        priority=Priority(priority_key=SCAN_PRIORITY),
    )


def scheduled_scan(schedule: Schedule, limits: ScanLimits) -> ScheduleActionStartWorkflow:
    """A run of the row's present version."""
    request = ScanRequest(
        tenant_id=schedule.tenant_id,
        schedule_id=schedule.schedule_id,
        origin=Origin(SCHEDULER, schedule.schedule_id),
        spec_version=schedule.spec_version,
        max_seconds=limits.max_seconds,
        poll_seconds=limits.poll_seconds,
    )
    return ScheduleActionStartWorkflow(
        "RunScan",
        request,
        id=scan_id(schedule.tenant_id, schedule.schedule_id),
        task_queue=SCANS_QUEUE,
        typed_search_attributes=of_scan(schedule),
        static_summary=f"Scan {schedule.provider_type.value} account {schedule.account_id}",
        priority=Priority(priority_key=SCAN_PRIORITY, fairness_key=schedule.tenant_id),
    )
