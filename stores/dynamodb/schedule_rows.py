"""Schedules, executions and results, and their rows, in both directions. What an update may have to clear is the empty
text in the row, and not missing: an update sets attributes and removes none."""

from dataclasses import asdict

from domain.scans.scan import Execution, ScanResult
from domain.schedules.schedule import Schedule
from stores.dynamodb.items import Row
from stores.dynamodb.structure import structured
from stores.reading import Reader

NOBODY = ""
"""In `running_execution_id`: no execution holds the schedule."""


def schedule_to_row(schedule: Schedule) -> Row:
    return {
        **asdict(schedule),
        "status_reason": schedule.status_reason or "",
        "running_execution_id": schedule.running_execution_id or NOBODY,
    }


def schedule_from_row(row: Row) -> Schedule:
    cleared = {name: row[name] or None for name in ("status_reason", "running_execution_id")}
    return structured(Schedule, {**row, **cleared}, later=("problems",))


def execution_to_row(execution: Execution) -> Row:
    return asdict(execution)


def execution_from_row(row: Row) -> Execution:
    return structured(Execution, row, later=("problems",))


def result_to_row(result: ScanResult) -> Row:
    return asdict(result)


def result_from_row(row: Row) -> ScanResult:
    return structured(ScanResult, row)


SCHEDULES = Reader("schedules", ("schedule_id",), schedule_from_row)
EXECUTIONS = Reader("executions", ("execution_id",), execution_from_row)
RESULTS = Reader("scan_results", ("scan_id",), result_from_row)
