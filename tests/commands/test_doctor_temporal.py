"""What the doctor finds in Temporal, on a real server."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from commands.doctor.finding import Finding, Level, ok
from commands.doctor.temporal import temporal
from config import TemporalConnection
from domain.commands import UnsignedCommands
from emulators.ports import free_port
from temporal.client import connect
from temporal.pollers import worker_identity
from temporal.schedules.recurring import ensure_recurring
from temporal.setup import ensure_namespace, ensure_search_attributes
from tests.commands.conftest import new_namespace, of
from tests.rig import eventually
from workflows import search_attributes
from workflows.ids import SEAL_AUDITS_ID
from workflows.scans.scheduled_scan import sealing

QUEUE = "onboarding"


@activity.defn
def nothing() -> None:
    """Polled for, never started."""


async def look(connection: TemporalConnection, queue: str = QUEUE) -> list[Finding]:
    return await temporal(
        connection,
        queues=(queue,),
        deployment="worker-ours",
        attributes=search_attributes.ALL,
        schedules=(SEAL_AUDITS_ID,),
    )


async def test_a_server_that_does_not_answer_fails_and_is_all_that_is_said():
    [found] = await look(TemporalConnection(f"127.0.0.1:{free_port()}", "default"))
    assert (found.level, found.found) == (Level.FAIL, "does not answer, or refuses us")


async def test_a_namespace_that_is_missing_fails_and_is_not_made(temporal_address: str):
    for _ in range(2):
        missing = of(await look(TemporalConnection(temporal_address, "nowhere")), "namespace nowhere")
        assert (missing.level, missing.found) == (Level.FAIL, "the namespace does not exist")
        assert "python cli.py setup" in missing.remedy


async def test_a_search_attribute_that_is_missing_fails(temporal_address: str):
    connection = TemporalConnection(temporal_address, f"bare-{uuid4().hex[:8]}")
    client = await connect(temporal_address, namespace=connection.namespace)
    await ensure_namespace(client)
    missing = search_attributes.ALL[0]
    await ensure_search_attributes(client, search_attributes.ALL[1:])
    found = of(await look(connection), f"search attribute {missing.name}")
    assert (found.level, found.found) == (Level.FAIL, "is missing")


async def test_another_retention_is_a_warning(temporal_address: str):
    connection = TemporalConnection(temporal_address, f"short-{uuid4().hex[:8]}")
    client = await connect(temporal_address, namespace=connection.namespace)
    await ensure_namespace(client, retention=timedelta(hours=24))
    found = of(await look(connection), f"namespace {connection.namespace}")
    assert (found.level, found.found) == (Level.WARN, "keeps closed workflows for 24 h")


async def test_a_queue_that_nobody_polls_fails(namespace: TemporalConnection):
    findings = await look(namespace)
    for what in ("workflows", "activities"):
        assert of(findings, f"workers of the queue {QUEUE}, {what}").level is Level.FAIL


async def test_a_worker_that_takes_activities_only_is_told_apart(namespace: TemporalConnection):
    queue = f"half-{uuid4()}"
    client = await connect(namespace.address, namespace=namespace.namespace)

    async def works() -> bool:
        found = of(await look(namespace, queue), f"workers of the queue {queue}, activities")
        return found == ok(found.thing, "1 polled in the last five minutes")

    with ThreadPoolExecutor(1) as executor:
        async with Worker(client, task_queue=queue, activities=[nothing], activity_executor=executor):
            await eventually(works)
    assert of(await look(namespace, queue), f"workers of the queue {queue}, workflows").level is Level.FAIL


async def test_a_stranger_who_polls_a_queue_is_named_beside_a_worker_of_ours(namespace: TemporalConnection):
    queue, thing = f"shared-{uuid4()}", "strangers on the queue "
    ours, theirs = [
        await connect(namespace.address, namespace=namespace.namespace, identity=identity)
        for identity in (worker_identity("worker-ours"), "4711@their-host")
    ]

    async def is_polled(by: int) -> bool:
        return of(await look(namespace, queue), f"workers of the queue {queue}, activities").found.startswith(str(by))

    with ThreadPoolExecutor(1) as executor:
        async with Worker(ours, task_queue=queue, activities=[nothing], activity_executor=executor):
            await eventually(partial(is_polled, 1))
            assert of(await look(namespace, queue), thing + queue).level is Level.OK
            async with Worker(theirs, task_queue=queue, activities=[nothing], activity_executor=executor):
                await eventually(partial(is_polled, 2))
                found = of(await look(namespace, queue), thing + queue)
    assert (found.level, found.found) == (Level.WARN, "polled by 4711@their-host")
    assert "namespace of its own" in found.remedy


async def test_a_sealer_that_nothing_starts_or_that_is_paused_fails_with_what_to_do(temporal_address: str):
    connection, thing = (
        TemporalConnection(temporal_address, f"sealer-{uuid4().hex[:8]}"),
        "Temporal Schedule seal-audits",
    )
    client = await connect(temporal_address, namespace=connection.namespace)
    await ensure_namespace(client)
    missing = of(await look(connection), thing)
    assert (missing.level, missing.found) == (Level.FAIL, "is missing")
    assert missing.remedy == "Start `python worker.py`: workers keep it."
    await ensure_recurring(client, sealing(), timedelta(minutes=1))
    assert of(await look(connection), thing) == ok(thing, "is not paused")
    await client.get_schedule_handle(SEAL_AUDITS_ID).pause()
    paused = of(await look(connection), thing)
    assert (paused.level, paused.found) == (Level.FAIL, "is paused")
    assert "`temporal schedule toggle --unpause --schedule-id seal-audits`" in paused.remedy


class TestWhatIsUnsigned:
    async def look(self, client: Client, mode: UnsignedCommands) -> Finding:
        connection = TemporalConnection(client.service_client.config.target_host, client.namespace)
        return of(await temporal(connection, queues=(), deployment="", attributes=(), unsigned=mode), "commands")

    async def test_is_said_until_none_is_left(self, temporal_address: str):
        signed = await new_namespace(temporal_address, f"signed-{uuid4().hex[:8]}")
        unsigned = await connect(temporal_address, namespace=signed.namespace)
        left = await unsigned.start_workflow("OnboardAccount", {}, id="left", task_queue="nobody")
        await signed.start_workflow("OnboardAccount", {}, id="ours", task_queue="nobody")

        async def is_said() -> bool:
            found = await self.look(signed, UnsignedCommands.COUNT)
            return found.found == "0 schedules and 1 open workflows without a signature"

        await eventually(is_said)
        assert (await self.look(signed, UnsignedCommands.REFUSE)).level is Level.FAIL
        await left.terminate()

        async def is_over() -> bool:
            return (await self.look(signed, UnsignedCommands.REFUSE)).level is Level.OK

        await eventually(is_over)
        still = await self.look(signed, UnsignedCommands.COUNT)
        assert (still.level, still.remedy) == (Level.WARN, "Set UNSIGNED_COMMANDS=refuse.")
