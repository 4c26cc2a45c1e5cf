"""Is the worker on this host at work? `python -m deploy.health.worker` ends with 0 when Temporal has heard from it on
each of its queues.

A worker asks Temporal for work at least once a minute, under the name `process@host` unless it is given another one.
"""

import asyncio
import socket
import sys
import time

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

import config
from temporal.client import connect
from temporal.program import run_program
from workflows.ids import QUEUES

SILENCE_SECONDS = 90


def main() -> None:
    _, temporal = config.load()
    try:
        pollers = run_program(pollers_of(temporal))
    except (RPCError, RuntimeError):
        sys.exit("Temporal does not answer.")
    if silent := silent_queues(pollers, socket.gethostname(), time.time()):
        sys.exit(f"Temporal has not heard from this worker lately, on: {', '.join(silent)}.")


async def pollers_of(temporal: config.TemporalConnection) -> dict[str, list[PollerInfo]]:
    """Whoever has asked for steps lately, by queue."""
    client = await connect(temporal.address, namespace=temporal.namespace, options=temporal.options)
    answers = await asyncio.gather(
        *(client.workflow_service.describe_task_queue(_asking(temporal, queue)) for queue in QUEUES)
    )
    return {queue: list(answer.pollers) for queue, answer in zip(QUEUES, answers, strict=True)}


def silent_queues(pollers: dict[str, list[PollerInfo]], host: str, now: float) -> list[str]:
    return [queue for queue, found in pollers.items() if not any(at_work(poller, host, now) for poller in found)]


def _asking(temporal: config.TemporalConnection, queue: str) -> DescribeTaskQueueRequest:
    return DescribeTaskQueueRequest(
        namespace=temporal.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )


def at_work(poller: PollerInfo, host: str, now: float) -> bool:
    return poller.identity.endswith(f"@{host}") and now - poller.last_access_time.seconds < SILENCE_SECONDS


if __name__ == "__main__":
    main()
