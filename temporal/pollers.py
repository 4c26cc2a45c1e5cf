"""Who asks for work on a queue, and who of them is a stranger.

A worker of another deployment, or one that another run left behind, takes steps from the queue that it asks and cannot
do them: requests then wait, and nothing says why. So our workers ask under a name that is their deployment's, and
whoever asks under another one is named.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

POLLED_WITHIN = timedelta(minutes=2)
"""A worker asks again within about a minute, and the server remembers one that is gone for five."""
LOOK_SECONDS = 60.0
KINDS = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)

log = structlog.get_logger("temporal")


def worker_identity(deployment: str) -> str:
    """The name under which a worker of this deployment asks for work. It ends like the SDK's own."""
    return f"{deployment}:{os.getpid()}@{socket.gethostname()}"


async def strangers(client: Client, queue: str, *, deployment: str) -> Sequence[str]:
    """The identities of those who ask this queue for work and are no workers of the deployment. Raises RPCError."""
    requests = [
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
        for kind in KINDS
    ]
    answers = await asyncio.gather(*(client.workflow_service.describe_task_queue(request) for request in requests))
    asking = {poller.identity for answer in answers for poller in answer.pollers if polls(poller)}
    return sorted(identity for identity in asking if not identity.startswith(f"{deployment}:"))


def polls(poller: PollerInfo) -> bool:
    return datetime.now(UTC) - poller.last_access_time.ToDatetime(UTC) < POLLED_WITHIN


@asynccontextmanager
async def naming_strangers(client: Client, queues: Sequence[str], *, deployment: str) -> AsyncIterator[None]:
    """While this lasts, a warning names who else asks these queues for work, each time that this changes."""
    looking = asyncio.create_task(_look(client, queues, deployment))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _look(client: Client, queues: Sequence[str], deployment: str) -> None:
    named: dict[str, Sequence[str]] = dict.fromkeys(queues, ())
    while True:
        for queue in queues:
            try:
                found = await strangers(client, queue, deployment=deployment)
            except (RPCError, RuntimeError):
                # Temporal is out of reach, or a lazy client could not connect yet. Others tell that.
                continue
            if found and found != named[queue]:
                log.warning("temporal.strangers", task_queue=queue, identities=found)
            named[queue] = found
        await asyncio.sleep(LOOK_SECONDS)
