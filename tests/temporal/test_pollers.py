"""Strangers who ask our queues for work are named in the log of every process that watches them."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from structlog.testing import capture_logs
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from temporal.client import connect
from temporal.pollers import naming_strangers, strangers, worker_identity
from tests.rig import eventually

OURS = "worker-ours"


@activity.defn
def nothing() -> None:
    """Polled for, never started."""


async def test_a_stranger_is_named_and_a_worker_of_ours_is_not(client: Client):
    queue = f"shared-{uuid4()}"
    address, namespace = client.service_client.config.target_host, client.namespace
    ours = await connect(address, namespace=namespace, identity=worker_identity(OURS))
    theirs = await connect(address, namespace=namespace, identity="4711@their-host")

    async def is_there() -> bool:
        return await strangers(client, queue, deployment="nobody's") == sorted(["4711@their-host", ours.identity])

    async def is_named() -> bool:
        return any(line["event"] == "temporal.strangers" for line in lines)

    with ThreadPoolExecutor(2) as executor, capture_logs() as lines:
        async with (
            Worker(ours, task_queue=queue, activities=[nothing], activity_executor=executor),
            Worker(theirs, task_queue=queue, activities=[nothing], activity_executor=executor),
        ):
            await eventually(is_there)
            async with naming_strangers(client, [queue], deployment=OURS):
                await eventually(is_named)
    [line] = [line for line in lines if line["event"] == "temporal.strangers"]
    assert (line["log_level"], line["task_queue"], line["identities"]) == ("warning", queue, ["4711@their-host"])
