"""What is in Temporal without our signature: left by an older release, or by a stranger."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from temporalio.client import Client, WorkflowExecution

from commands.doctor.finding import Finding, fail, ok, warn
from domain.commands import UnsignedCommands
from temporal.signing.signatures import generation_of
from workflows.search_attributes import SIGNED_MONTH, SPEC_VERSION

MOST = 1000
"""How many open workflows are looked into: one call each."""

AT_ONCE = 10

_ENDS = "They end as `unsigned_command`. Set UNSIGNED_COMMANDS=count until none is left; terminate what is not yours."
_WAIT = "A sweep signs the schedules, and an onboarding ends by its deadline; then set UNSIGNED_COMMANDS=refuse."


async def unsigned(client: Client, mode: UnsignedCommands) -> list[Finding]:
    schedules, (workflows, seen) = await asyncio.gather(_schedules(client), _workflows(client))
    more = f", of {MOST} that were looked into" if seen == MOST else ""
    left = f"{schedules} schedules and {workflows} open workflows without a signature{more}"
    if not schedules and not workflows:
        if mode is UnsignedCommands.COUNT:
            return [warn("commands", "unsigned ones are let in, and none is left", "Set UNSIGNED_COMMANDS=refuse.")]
        return [ok("commands", "every schedule and open workflow is signed")]
    if mode is UnsignedCommands.COUNT:
        return [warn("commands", left, _WAIT)]
    return [fail("commands", left, _ENDS)]


async def _schedules(client: Client) -> int:
    listing = await client.list_schedules(f"{SPEC_VERSION.name} > 0", page_size=1000)
    return sum([1 async for each in listing if not each.typed_search_attributes.get(SIGNED_MONTH, 0)])


async def _workflows(client: Client) -> tuple[int, int]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def is_unsigned(execution: WorkflowExecution) -> bool:
        async with slots:
            return not await _signed_in(client, execution)

    found = await asyncio.gather(*[is_unsigned(each) async for each in _open(client)])
    return sum(found), len(found)


async def _open(client: Client) -> AsyncIterator[WorkflowExecution]:
    numbers = count(1)
    # Without paused ones, which the SDK cannot read.
    async for each in client.list_workflows("ExecutionStatus = 'Running'", page_size=MOST):
        yield each
        if next(numbers) == MOST:
            return


async def _signed_in(client: Client, execution: WorkflowExecution) -> int:
    """The month of its input; whether the signature is good is for a worker to say."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    async for event in handle.fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        return min((generation_of(payload) for payload in payloads), default=0)
    return 0
