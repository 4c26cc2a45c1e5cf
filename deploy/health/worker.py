"""Is the worker on this host at work? `python -m deploy.health.worker` ends with 0 when Temporal has heard from it.

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
from workflows.ids import ONBOARDING_QUEUE

SILENCE_SECONDS = 90


def main() -> None:
    _, temporal = config.load()
    try:
        pollers = asyncio.run(pollers_of(temporal, ONBOARDING_QUEUE))
    except (RPCError, RuntimeError):
        sys.exit("Temporal does not answer.")
    if not any(at_work(poller, socket.gethostname(), time.time()) for poller in pollers):
        sys.exit("Temporal has not heard from this worker lately.")


async def pollers_of(temporal: config.TemporalConnection, queue: str) -> list[PollerInfo]:
    request = DescribeTaskQueueRequest(
        namespace=temporal.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    try:
        client = await connect(temporal.address, namespace=temporal.namespace, options=temporal.options)
        answer = await client.workflow_service.describe_task_queue(request)
    finally:
        await asyncio.sleep(0.1)  # the SDK's threads may crash an interpreter that ends right after a call
    return list(answer.pollers)


def at_work(poller: PollerInfo, host: str, now: float) -> bool:
    return poller.identity.endswith(f"@{host}") and now - poller.last_access_time.seconds < SILENCE_SECONDS


if __name__ == "__main__":
    main()
