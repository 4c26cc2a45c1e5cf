"""`python cli.py replay`: can this version go on with the workflows that are under way?"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from temporalio.client import Client
from temporalio.worker import Replayer, WorkflowReplayResult
from temporalio.workflow import NondeterminismError

import config
from composition.workflow_types import ONBOARDING, SCANS
from temporal.client import connect, plugin
from temporal.program import run_program

OPEN = "ExecutionStatus = 'Running'"
MAX_REASON = 300

Limit = Annotated[int, typer.Option(min=1, help="So many at most, the newest first.")]


@dataclass(frozen=True)
class Broken:
    """A workflow that this version cannot go on with."""

    workflow_id: str
    reason: str
    """Names of our code; nothing of what the history holds."""


@dataclass(frozen=True)
class Replayed:
    whole: Counter[str]
    """How many can go on, by the workflow's type."""
    broken: Sequence[Broken]
    left_out: int
    """How many more are open than were looked at."""


def replay(limit: Limit = 1000) -> None:
    """Replay the workflows under way with the code of this version. Exit code 1 when one of them cannot go on."""
    _, temporal = config.load()
    found = run_program(look(temporal, limit=limit))
    print(text_of(found))
    raise typer.Exit(int(bool(found.broken)))


async def look(temporal: config.TemporalConnection, *, limit: int) -> Replayed:
    """Nothing is written anywhere, and nothing that runs is touched. Raises RPCError and RuntimeError."""
    client = await connect(temporal.address, namespace=temporal.namespace, options=temporal.options)
    under_way = (await client.count_workflows(OPEN)).count
    whole, broken = Counter[str](), list[Broken]()
    async for result in _results(client, limit):
        if result.replay_failure is None:
            whole[_type_of(result)] += 1
        else:
            broken.append(Broken(result.history.workflow_id, _reason(result.replay_failure)))
    return Replayed(whole, broken, left_out=max(0, under_way - whole.total() - len(broken)))


async def _results(client: Client, limit: int) -> AsyncIterator[WorkflowReplayResult]:
    histories = client.list_workflows(OPEN, limit=limit).map_histories()
    replayer = Replayer(workflows=[*ONBOARDING, *SCANS], plugins=[plugin()])
    async with replayer.workflow_replay_iterator(histories) as results:
        async for result in results:
            yield result


def _type_of(result: WorkflowReplayResult) -> str:
    return result.history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def _reason(failure: Exception) -> str:
    # What any other failure says may quote the history.
    text = str(failure) if isinstance(failure, NondeterminismError) else "the code fails on it"
    return " ".join(text.split())[:MAX_REASON]


def text_of(found: Replayed) -> str:
    """A line for each type that is whole and each workflow that is not, and the verdict."""
    lines = [f"ok    {name}: {count}" for name, count in sorted(found.whole.items())]
    lines += [f"fail  {broken.workflow_id}: {broken.reason}" for broken in found.broken]
    if found.left_out:
        lines.append(f"{found.left_out} more are under way and were not looked at; --limit takes more.")
    return "\n".join([*lines, _verdict(found)])


def _verdict(found: Replayed) -> str:
    if found.broken:
        return f"{len(found.broken)} cannot go on with this version: do not deploy it."
    return "Every history replays." if found.whole else "Nothing is under way."
