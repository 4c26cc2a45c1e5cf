"""Schedules, executions and results, and their rows, in both directions. What an update may have to clear is the empty
text in the row, and not missing: an update sets attributes and removes none."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from domain.accounts import ProviderType
from domain.credentials import CredentialRef
from domain.errors import Problem
from domain.notifications import Channel, ChannelKind, Delivery, DeliveryState, NotificationSettings
from domain.scans import Counts, Execution, ExecutionStatus, ScanResult, TriggeredBy
from domain.schedules import Cadence, ScanScope, Schedule, ScheduleStatus, ScheduleType
from stores.items import Row

NOBODY = ""
"""In `running_execution_id`: no execution holds the schedule."""


def schedule_to_row(schedule: Schedule) -> Row:
    return {
        **asdict(schedule),
        "status_reason": schedule.status_reason or "",
        "running_execution_id": schedule.running_execution_id or NOBODY,
    }


def schedule_from_row(row: Row) -> Schedule:
    """Attributes that came later than the first rows have a default."""
    return Schedule(
        schedule_id=row["schedule_id"],
        tenant_id=row["tenant_id"],
        account_id=row["account_id"],
        provider_type=ProviderType(row["provider_type"]),
        name=row["name"],
        cadence=_cadence(row["cadence"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        created_by=row["created_by"],
        description=row["description"],
        scope=_scope(row["scope"]),
        notifications=_notifications(row["notifications"]),
        status=ScheduleStatus(row["status"]),
        status_reason=row["status_reason"] or None,
        problems=_problems(row),
        spec_version=int(row["spec_version"]),
        running_execution_id=row["running_execution_id"] or None,
        last_run_at=row.get("last_run_at"),
        run_count=int(row["run_count"]),
        success_count=int(row["success_count"]),
        failure_count=int(row["failure_count"]),
        consecutive_failures=int(row["consecutive_failures"]),
    )


def execution_to_row(execution: Execution) -> Row:
    return asdict(execution)


def execution_from_row(row: Row) -> Execution:
    return Execution(
        execution_id=row["execution_id"],
        tenant_id=row["tenant_id"],
        account_id=row["account_id"],
        provider_type=ProviderType(row["provider_type"]),
        schedule_id=row["schedule_id"],
        workflow_id=row["workflow_id"],
        triggered_by=TriggeredBy(row["triggered_by"]),
        started_at=row["started_at"],
        status=ExecutionStatus(row["status"]),
        completed_at=row.get("completed_at"),
        counts=_counts(row["counts"]),
        error_code=row.get("error_code"),
        problems=_problems(row),
        result_location=row.get("result_location"),
        deliveries=tuple(_delivery(found) for found in row["deliveries"]),
    )


def result_to_row(result: ScanResult) -> Row:
    return asdict(result)


def result_from_row(row: Row) -> ScanResult:
    return ScanResult(
        scan_id=row["scan_id"],
        tenant_id=row["tenant_id"],
        account_id=row["account_id"],
        provider_type=ProviderType(row["provider_type"]),
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        location=row["location"],
        counts=_counts(row["counts"]),
    )


def _cadence(found: Mapping[str, Any]) -> Cadence:
    seconds = found["interval_seconds"]
    return Cadence(
        schedule_type=ScheduleType(found["schedule_type"]),
        cron_expression=found["cron_expression"],
        interval_seconds=None if seconds is None else int(seconds),
        run_at=found["run_at"],
        timezone=found["timezone"],
    )


def _scope(found: Mapping[str, Any]) -> ScanScope:
    return ScanScope(tuple(found["regions"]), tuple(found["services"]), tuple(found["exclude_services"]))


def _notifications(found: Mapping[str, Any]) -> NotificationSettings:
    signing = found["signing"]
    return NotificationSettings(
        on_success=found["on_success"],
        on_failure=found["on_failure"],
        channels=tuple(Channel(ChannelKind(each["kind"]), each["target"]) for each in found["channels"]),
        signing=CredentialRef(signing["arn"], signing["version"], pending=signing["pending"]) if signing else None,
    )


def _problems(row: Row) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            code=found["code"],
            message=found["message"],
            pointer=found["pointer"],
            step=found["step"],
            remedy=found["remedy"],
            missing_permissions=tuple(found["missing_permissions"]),
        )
        for found in row.get("problems", ())
    )


def _counts(found: Mapping[str, Any]) -> Counts:
    return Counts(int(found["total"]), int(found["passed"]), int(found["failed"]), int(found["errors"]))


def _delivery(found: Mapping[str, Any]) -> Delivery:
    return Delivery(
        ChannelKind(found["kind"]), found["target"], DeliveryState(found["state"]), found["at"], found["code"]
    )
