"""The namespace and the search attributes, made when they are missing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain.setup import SetupFinding, SetupState

RETENTION = timedelta(hours=72)
KNOWN_WITHIN_SECONDS = 30


async def ensure_namespace(client: Client, *, retention: timedelta = RETENTION) -> tuple[SetupFinding, ...]:
    """The client's namespace, with its closed workflows kept for `retention`."""
    thing = f"namespace {client.namespace}"
    wanted = Duration(seconds=int(retention.total_seconds()))
    try:
        found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        request = RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=wanted)
        await client.workflow_service.register_namespace(request)
        await _until_known(client)
        return (SetupFinding(thing, SetupState.CREATED, f"retention {_hours(wanted)} h"),)
    present = found.config.workflow_execution_retention_ttl
    if present.seconds == wanted.seconds:
        return (SetupFinding(thing, SetupState.FOUND),)
    update = UpdateNamespaceRequest(namespace=client.namespace)
    update.config.workflow_execution_retention_ttl.CopyFrom(wanted)
    await client.workflow_service.update_namespace(update)
    return (SetupFinding(thing, SetupState.REPAIRED, f"retention {_hours(present)} h -> {_hours(wanted)} h"),)


async def ensure_search_attributes(
    client: Client, attributes: Sequence[SearchAttributeKey[Any]]
) -> tuple[SetupFinding, ...]:
    """The attributes in the client's namespace."""
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {key.name: _type_of(key) for key in attributes if key.name not in listed.custom_attributes}
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    return tuple(
        SetupFinding(f"search attribute {key.name}", SetupState.CREATED if key.name in missing else SetupState.FOUND)
        for key in attributes
    )


def _type_of(key: SearchAttributeKey[Any]) -> IndexedValueType.ValueType:
    return IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{key.indexed_value_type.name}")


async def _until_known(client: Client) -> None:
    """A new namespace reaches the server's other parts within seconds; until then calls to it answer NOT_FOUND."""
    deadline = asyncio.get_running_loop().time() + KNOWN_WITHIN_SECONDS
    while True:
        try:
            await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=client.namespace)
            )
            await client.count_workflows()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            return


def _hours(duration: Duration) -> int:
    return duration.seconds // 3600
