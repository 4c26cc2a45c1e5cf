"""How the platform stands, read from Temporal: onboardings, scans, the last sweep, the last sealing of the audit
trail, and who works on the queues.

Everything is a count, the newest of its kind or a bounded number of them, so a look costs about the same however much
there is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import NotYet
from domain.onboarding.messages import OnboardingState
from domain.scans.scan import ScanState
from domain.timestamps import stamp
from telemetry.steps import MANY_ATTEMPTS
from temporal.pollers import KINDS, polls
from workflows.audit.seal_audits import SealedTrails
from workflows.ids import RECONCILE_ID, SEAL_AUDITS_ID
from workflows.search_attributes import ONBOARDING_STATE, SCAN_STATE
from workflows.upkeep.reconcile import Swept

MOST_DESCRIBED = 200
"""Workflows of a kind that are looked at one by one."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Recurring(Generic[Found]):
    """What a Temporal Schedule of the platform's own starts again and again."""

    since: str | None
    """When the Temporal Schedule that starts it was made; None when it is missing."""
    paused: bool
    last_at: str | None = None
    """When the last run that was completed began."""
    found: Found | None = None
    """Its result."""


@dataclass(frozen=True)
class Queue:
    """What waits in a task queue, and for how many workers. They count when they take workflows and activities."""

    name: str
    workers: int
    waiting: int
    oldest_seconds: int


@dataclass(frozen=True)
class Retrying:
    """A step that fails again and again."""

    workflow_id: str
    step: str
    attempts: int


@dataclass(frozen=True)
class Standing:
    onboardings: Mapping[OnboardingState, int]
    """Those that ended are counted as long as Temporal keeps closed workflows."""
    scanning: int
    scans_waiting: int
    """Runs that no worker has let in yet."""
    sweep: Recurring[Swept]
    """The comparison of all schedules with their rows."""
    sealing: Recurring[SealedTrails]
    queues: Sequence[Queue]
    retrying: Sequence[Retrying] = ()
    """Among the workflows that are at work, up to a limit."""


async def standing(client: Client, queues: Sequence[str]) -> Standing:
    """Raises RPCError."""
    states = list(OnboardingState)
    running = "WorkflowType = 'RunScan' AND ExecutionStatus = 'Running'"
    *counted, runs, scanning = await asyncio.gather(
        *(_count(client, f"{ONBOARDING_STATE.name} = '{state.value}'") for state in states),
        _count(client, running),
        _count(client, f"{running} AND {SCAN_STATE.name} = '{ScanState.SCANNING.value}'"),
    )
    return Standing(
        onboardings=dict(zip(states, counted, strict=True)),
        scanning=scanning,
        scans_waiting=runs - scanning,
        sweep=await _recurring(client, RECONCILE_ID, "Reconcile", Swept),
        sealing=await _recurring(client, SEAL_AUDITS_ID, "SealAudits", SealedTrails),
        queues=await asyncio.gather(*(_queue(client, name) for name in queues)),
        retrying=await _retrying(client),
    )


async def _retrying(client: Client) -> list[Retrying]:
    """An onboarding that waits for its customer has no step under way and is not looked at."""
    at_work = f"ExecutionStatus = 'Running' AND NOT {ONBOARDING_STATE.name} = '{OnboardingState.WAITING.value}'"
    others = f"ExecutionStatus = 'Running' AND {ONBOARDING_STATE.name} IS NULL"
    found: list[Retrying] = []
    for query in (at_work, others):
        async for run in client.list_workflows(query, limit=MOST_DESCRIBED):
            described = await client.get_workflow_handle(run.id, run_id=run.run_id).describe()
            pending = described.raw_description.pending_activities
            found += [
                Retrying(run.id, each.activity_type.name, each.attempt)
                for each in pending
                if each.attempt > MANY_ATTEMPTS and each.last_failure.application_failure_info.type != NotYet.code
            ]
    return found


async def _count(client: Client, query: str) -> int:
    return (await client.count_workflows(query)).count


async def _recurring(client: Client, schedule_id: str, workflow: str, result: type[Found]) -> Recurring[Found]:
    try:
        described = await client.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Recurring(since=None, paused=False)
    since, paused = stamp(described.info.created_at), described.schedule.state.paused
    completed = f"WorkflowType = '{workflow}' AND ExecutionStatus = 'Completed'"
    async for run in client.list_workflows(completed, limit=1):
        handle = client.get_workflow_handle(run.id, run_id=run.run_id, result_type=result)
        found: Found = await handle.result()
        return Recurring(since, paused, stamp(run.start_time), found)
    return Recurring(since, paused)


async def _queue(client: Client, name: str) -> Queue:
    requests = [
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind, report_stats=True
        )
        for kind in KINDS
    ]
    answers = await asyncio.gather(*(client.workflow_service.describe_task_queue(request) for request in requests))
    working = [{poller.identity for poller in answer.pollers if polls(poller)} for answer in answers]
    return Queue(
        name=name,
        workers=len(set.intersection(*working)),
        waiting=sum(answer.stats.approximate_backlog_count for answer in answers),
        oldest_seconds=max(answer.stats.approximate_backlog_age.seconds for answer in answers),
    )
