"""The steps of a run as the workflow calls them."""

from collections.abc import Awaitable

from temporalio import workflow
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from activities.engines import EngineActivities, PollScan
    from activities.notifications import Deliver, NotificationActivities
    from activities.scans import AdmitScan, CloseScan, RecordDelivery, ScanActivities
    from domain.audit.events import Origin
    from domain.scans.notifications import Delivery
    from domain.scans.scan import Admission, EngineProgress, ScanEnd, ScanOrder, ScanPlan, ScanRequest, StoredResult
    from domain.schedules.schedule import Schedule
    from domain.timestamps import stamp
    from workflows.policies import COLLECTION, DELIVERY, ENGINE_CALL, STORE_CALL, engine_poll
    from workflows.policies import scan_in_process as in_process

# A cancelled scan is waited for, so that nothing of it comes after the row is closed.
_FINISHED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


def now() -> str:
    """The workflow's time as a stamp."""
    return stamp(workflow.now())


def admit(request: ScanRequest, execution_id: str, nominal: str | None) -> Awaitable[Admission]:
    return workflow.execute_activity_method(
        ScanActivities.admit_scan,
        AdmitScan(request, execution_id, at=now(), nominal=nominal),
        activity_id="admit",
        summary="Claim the schedule, or leave",
        **STORE_CALL,
    )


def scan_in_process(plan: ScanPlan, max_seconds: int) -> Awaitable[StoredResult]:
    return workflow.execute_activity_method(
        EngineActivities.scan_in_process,
        plan,
        activity_id="scan",
        summary="Scan with the built-in engine and store what it finds",
        cancellation_type=_FINISHED,
        **in_process(max_seconds),
    )


def start_outside(plan: ScanPlan) -> Awaitable[None]:
    return workflow.execute_activity_method(
        EngineActivities.start_outside_scan,
        plan,
        summary="Hand the order and a short-lived credential to the engine",
        **ENGINE_CALL,
    )


def poll_outside(order: ScanOrder, *, every_seconds: int, max_seconds: float) -> Awaitable[EngineProgress]:
    return workflow.execute_activity_method(
        EngineActivities.poll_outside_scan,
        PollScan(order, every_seconds),
        summary="Wait for the engine: each attempt is one look",
        **engine_poll(max_seconds),
    )


def collect_outside(plan: ScanPlan) -> Awaitable[StoredResult]:
    return workflow.execute_activity_method(
        EngineActivities.collect_outside_scan,
        plan,
        activity_id="collect",
        summary="Fetch the engine's findings and store them",
        cancellation_type=_FINISHED,
        **COLLECTION,
    )


def cancel_outside(order: ScanOrder) -> Awaitable[None]:
    return workflow.execute_activity_method(
        EngineActivities.cancel_outside_scan,
        order,
        activity_id="cancel",
        summary="Tell the engine to stop",
        **ENGINE_CALL,
    )


def close(plan: ScanPlan, request: ScanRequest, origin: Origin, end: ScanEnd) -> Awaitable[Schedule | None]:
    return workflow.execute_activity_method(
        ScanActivities.close_scan,
        CloseScan(plan, request, origin, end),
        activity_id="close",
        summary=f"Close the execution as {end.status.value} and let the schedule go",
        **STORE_CALL,
    )


def deliver(step: Deliver) -> Awaitable[None]:
    return workflow.execute_activity_method(
        NotificationActivities.deliver_notification,
        step,
        summary=f"Notify the {step.channel.kind.value}",
        **DELIVERY,
    )


def record(plan: ScanPlan, delivery: Delivery, number: int) -> Awaitable[None]:
    return workflow.execute_activity_method(
        ScanActivities.record_delivery,
        RecordDelivery(plan.order.tenant_id, plan.order.execution_id, delivery, number),
        summary=f"Show the notification as {delivery.state.value}",
        **STORE_CALL,
    )
