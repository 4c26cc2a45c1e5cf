"""Temporal: reachable, our namespace with its retention, the search attributes, a worker on the queue, and the
Temporal Schedules that nothing may stop."""

from collections.abc import Iterator, Sequence
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from commands.doctor import signatures
from commands.doctor.finding import Finding, fail, ok, sound, unknown, warn
from config import TemporalConnection
from domain.commands import UnsignedCommands
from temporal.client import connect
from temporal.pollers import strangers
from temporal.setup import RETENTION

WORKER = "Start `python worker.py`: workers keep it."
SETUP = "Run `python cli.py setup`."
NO_ANSWER = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}
CHECK_ADDRESS = "Start it, or correct TEMPORAL_ADDRESS, TEMPORAL_API_KEY and the TEMPORAL_TLS variables."


async def temporal(
    connection: TemporalConnection,
    *,
    queues: Sequence[str],
    deployment: str,
    attributes: Sequence[SearchAttributeKey[Any]],
    schedules: Sequence[str] = (),
    unsigned: UnsignedCommands | None = None,
) -> list[Finding]:
    thing = f"Temporal at {connection.address}"
    try:
        client = await connect(connection.address, namespace=connection.namespace, options=connection.options)
    except RuntimeError:
        # What the SDK raises when it cannot connect.
        return [fail(thing, "does not answer, or refuses us", CHECK_ADDRESS)]
    found = [ok(thing, "answers")]
    for name, look in (
        (f"namespace {client.namespace}", _namespace(client)),
        ("search attributes", _search_attributes(client, attributes)),
        *((f"workers of the queue {queue}", _workers(client, queue)) for queue in queues),
        *((f"strangers on the queue {queue}", _strangers(client, queue, deployment)) for queue in queues),
        *((_named(schedule), _schedule(client, schedule)) for schedule in schedules),
        *((("commands", signatures.unsigned(client, unsigned)),) if unsigned else ()),
    ):
        try:
            found += await look
        except RPCError as error:
            found.append(_not_seen(name, error))
    return found


async def _namespace(client: Client) -> list[Finding]:
    thing = f"namespace {client.namespace}"
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    kept, wanted = described.config.workflow_execution_retention_ttl.seconds, int(RETENTION.total_seconds())
    if kept == wanted:
        return [ok(thing, f"keeps closed workflows for {wanted // 3600} h")]
    remedy = f"Run `python cli.py setup`: it sets {wanted // 3600} h, after which deleted accounts leave no trace."
    return [warn(thing, f"keeps closed workflows for {kept // 3600} h", remedy)]


async def _search_attributes(client: Client, wanted: Sequence[SearchAttributeKey[Any]]) -> tuple[Finding, ...]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    listed = (await client.operator_service.list_search_attributes(request)).custom_attributes

    def problems() -> Iterator[Finding]:
        for key in wanted:
            kind = key.indexed_value_type.name.capitalize()
            if key.name not in listed:
                yield fail(f"search attribute {key.name}", "is missing", SETUP)
            elif int(listed[key.name]) != int(key.indexed_value_type):
                remedy = "Remove it from the namespace, then run `python cli.py setup`."
                yield fail(f"search attribute {key.name}", f"is not of the type {kind}", remedy)

    return sound("search attributes", ", ".join(key.name for key in wanted), problems())


async def _workers(client: Client, queue: str) -> list[Finding]:
    """The server remembers a poller for five minutes."""
    found = []
    for what, kind in (
        ("workflows", TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
        ("activities", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    ):
        request = DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
        pollers = (await client.workflow_service.describe_task_queue(request)).pollers
        count = len({poller.identity for poller in pollers})
        thing = f"workers of the queue {queue}, {what}"
        nobody = fail(
            thing,
            "nobody polled in the last five minutes",
            "Start `python worker.py`; until then every request answers 503.",
        )
        found.append(ok(thing, f"{count} polled in the last five minutes") if count else nobody)
    return found


async def _strangers(client: Client, queue: str, deployment: str) -> list[Finding]:
    thing = f"strangers on the queue {queue}"
    found = await strangers(client, queue, deployment=deployment)
    if not found:
        return [ok(thing, "none polled in the last two minutes")]
    remedy = (
        "They take steps that they cannot do. Stop them, or give this deployment a namespace of its own "
        "(TEMPORAL_NAMESPACE). A worker of a release without deployment names is among them until it is replaced."
    )
    return [warn(thing, f"polled by {', '.join(found)}", remedy)]


async def _schedule(client: Client, schedule_id: str) -> list[Finding]:
    thing = _named(schedule_id)
    try:
        described = await client.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return [fail(thing, "is missing", WORKER)]
    if described.schedule.state.paused:
        remedy = f"Run `temporal schedule toggle --unpause --schedule-id {schedule_id}`, and find out who paused it."
        return [fail(thing, "is paused", remedy)]
    return [ok(thing, "is not paused")]


def _named(schedule_id: str) -> str:
    return f"Temporal Schedule {schedule_id}"


def _not_seen(thing: str, error: RPCError) -> Finding:
    if error.status is RPCStatusCode.NOT_FOUND:
        return fail(thing, "the namespace does not exist", SETUP)
    if error.status in NO_ANSWER:
        return fail(thing, f"no answer ({error.status.name})", CHECK_ADDRESS)
    return unknown(thing, f"could not check ({error.status.name})", "Look with the `temporal` program, or its Web UI.")
