"""`python cli.py status`: how the platform stands, on one screen. It reads Temporal and counts the rows of schedules;
it changes nothing."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

import config
from commands import clients
from commands.doctor.rows import named
from commands.output import Format, Output, count
from commands.platform_status import Queue, Recurring, Standing, standing
from domain.audit.trail import PATIENCE
from domain.onboarding.messages import OnboardingState
from domain.schedules.schedule import ScheduleStatus
from domain.timestamps import parse
from stores.dynamodb.survey import READERS, Surveyed, survey
from stores.dynamodb.tables import TableNames
from stores.errors import aws_failures
from temporal.client import connect
from temporal.program import run_program
from workflows.audit.seal_audits import SealedTrails
from workflows.ids import QUEUES, RECONCILE_ID, SEAL_AUDITS_ID
from workflows.upkeep.reconcile import Swept

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATE_AFTER = 2
"""Intervals without a completed sweep."""

AsJson = Annotated[bool, typer.Option("--json", hidden=True, help="The same as `-o json`, as before.")]


@dataclass(frozen=True)
class Status:
    schedules: Mapping[ScheduleStatus, int]
    standing: Standing
    troubles: tuple[str, ...]
    """What stands still, and what to do about it."""
    unreadable: tuple[Surveyed, ...] = ()
    """Tables with rows that cannot be read."""


def status(output: Output = Format.TABLE, as_json: AsJson = False) -> None:
    """Onboardings, schedules, scans, drift, audit trail and workers. Exit code 1 when something stands still."""
    settings, temporal = config.load()
    now = datetime.now(UTC)
    found = run_program(look(settings, temporal, now=now))
    print(json.dumps(asdict(found), indent=1) if as_json or output is Format.JSON else text_of(found, now))
    raise typer.Exit(int(bool(found.troubles)))


async def look(settings: config.Settings, temporal: config.TemporalConnection, *, now: datetime) -> Status:
    """Raises RPCError and RuntimeError for Temporal, OnboardingError for AWS."""
    aws = clients.connect(settings.aws_region, endpoint_url=settings.aws_endpoint_url)
    schedules = await asyncio.to_thread(_schedules, aws.dynamodb, settings.dynamodb_schedules_table)
    unreadable = await asyncio.to_thread(_unreadable, aws.dynamodb, settings.tables)
    client = await connect(temporal.address, namespace=temporal.namespace, options=temporal.options)
    found = await standing(client, QUEUES)
    every = timedelta(seconds=settings.reconcile_interval_seconds)
    troubles = (*troubles_of(found, now=now, every=every), *map(_left_out, unreadable))
    return Status(schedules, found, troubles, unreadable)


@aws_failures()
def _schedules(dynamodb: "DynamoDBClient", table: str) -> Mapping[ScheduleStatus, int]:
    """Reads the whole table, a megabyte at a time."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, ProjectionExpression="#status", ExpressionAttributeNames={"#status": "status"}
    )
    stored = (row.get("status", {}).get("S", "") for page in pages for row in page["Items"])
    known = set(ScheduleStatus)
    counts = Counter(status if status in known else ScheduleStatus.UNKNOWN for status in stored)
    return {status: counts[status] for status in ScheduleStatus}


@aws_failures()
def _unreadable(dynamodb: "DynamoDBClient", names: TableNames) -> tuple[Surveyed, ...]:
    """Of the tables that lists and sweeps go through."""
    looks = (survey(dynamodb, getattr(names, ours), READERS[ours]) for ours in ("tenants", "accounts", "schedules"))
    return tuple(look for look in looks if look.unreadable)


def _left_out(found: Surveyed) -> str:
    rows, are = (f"{found.unreadable} rows", "are") if found.unreadable > 1 else ("1 row", "is")
    return f"{rows} of the table {found.table} cannot be read and {are} left out: {named(found)}. See `doctor`."


def troubles_of(found: Standing, *, now: datetime, every: timedelta) -> Iterator[str]:
    for queue in found.queues:
        if queue.workers == 0:
            yield f"No worker polls the queue {queue.name}: start `python worker.py`."
    yield from _stands_still(found.sweep, "the sweep", RECONCILE_ID, late_after=LATE_AFTER * every, now=now)
    for step in found.retrying:
        yield (
            f"The step {step.step} of the workflow `{step.workflow_id}` has failed {step.attempts - 1} times and is "
            "tried again: its last failure says why."
        )
    if found.sweep.found and (unmended := found.sweep.found.unmended):
        things = f"{unmended} thing{'' if unmended == 1 else 's'}"
        yield f"{things} could not be mended: look at the workflow `{RECONCILE_ID}`."
    sealing = found.sealing
    yield from _stands_still(sealing, "the sealing of the audit trail", SEAL_AUDITS_ID, late_after=PATIENCE, now=now)
    if sealing.found and (failed := sealing.found.failed):
        whose = count(failed, "tenant")
        yield f"Audit events of {whose} could not be sealed: look at `seal_trail` in the workflow `{SEAL_AUDITS_ID}`."


def _stands_still(
    work: Recurring[Any], name: str, schedule_id: str, *, late_after: timedelta, now: datetime
) -> Iterator[str]:
    if work.since is None:
        yield f"Nothing starts {name}: run `python cli.py setup`."
    elif now - parse(work.last_at or work.since) > late_after:
        resume = f"; it is paused: run `temporal schedule toggle --unpause --schedule-id {schedule_id}`"
        yield f"{name.capitalize()} is late{resume if work.paused else f': look at the workflow `{schedule_id}`'}."


def text_of(found: Status, now: datetime) -> str:
    """A line for each, and at the end what stands still."""
    lines = [
        ("onboardings", _onboardings(found.standing.onboardings)),
        ("schedules", f"{sum(found.schedules.values())}: {_listed(found.schedules)}"),
        ("scans", f"{found.standing.scanning} running, {found.standing.scans_waiting} waiting for a worker"),
        ("drift", _drift(found.standing.sweep, now)),
        ("audit trail", _audit_trail(found.standing.sealing, now)),
        *((f"queue {queue.name}", _queue(queue)) for queue in found.standing.queues),
    ]
    shown = [f"{name:<18}{text}" for name, text in lines]
    return "\n".join([*shown, "", *(found.troubles or ["Nothing stands still."])])


def _onboardings(counts: Mapping[OnboardingState, int]) -> str:
    under_way = {state: count for state, count in counts.items() if not state.final}
    ended = {state: count for state, count in counts.items() if state.final}
    return f"{sum(under_way.values())} under way: {_listed(under_way)}; lately ended: {_listed(ended)}"


def _listed(counts: Mapping[OnboardingState, int] | Mapping[ScheduleStatus, int]) -> str:
    return ", ".join(f"{count} {name.value}" for name, count in counts.items() if count) or "none"


def _drift(sweep: Recurring[Swept], now: datetime) -> str:
    if sweep.found is None or sweep.last_at is None:
        return "not known: no sweep is on record"
    found = sweep.found
    return (
        f"{found.astray} out of step, {found.orphans} without a row, {found.abandoned} held by a run that is gone, "
        f"{count(found.lost, 'onboarding')} lost, {found.missed} one-time ones that did not run, "
        f"{found.settled} stopped or resumed: mended by the sweep {_minutes_since(sweep.last_at, now)} min ago"
    )


def _audit_trail(sealing: Recurring[SealedTrails], now: datetime) -> str:
    if sealing.found is None or sealing.last_at is None:
        return "not known: no sealing is on record"
    found = sealing.found
    return (
        f"{count(found.events, 'event')} of {count(found.trails, 'tenant')} sealed "
        f"{_minutes_since(sealing.last_at, now)} min ago, {found.late} came late, "
        f"{count(found.failed, 'tenant')} not sealed"
    )


def _minutes_since(moment: str, now: datetime) -> int:
    return int((now - parse(moment)).total_seconds() // 60)


def _queue(queue: Queue) -> str:
    waits = (
        f"{count(queue.waiting, 'task')} waiting, the oldest for {queue.oldest_seconds} s"
        if queue.waiting
        else "nothing waits"
    )
    return f"{count(queue.workers, 'worker')}, {waits}"
