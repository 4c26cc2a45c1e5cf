"""Set-up of Temporal: made when missing, repaired when different, left alone when right."""

from datetime import timedelta

from temporalio.client import Client

from domain.setup import SetupState
from temporal.client import connect
from temporal.setup import ensure_namespace, ensure_search_attributes
from tests.rig import eventually
from workflows.search_attributes import ALL


async def test_namespace_and_search_attributes_are_made_once(bare: Client):
    client = await connect(bare.service_client.config.target_host, namespace="made-by-a-test")
    assert [f.state for f in await ensure_namespace(client)] == [SetupState.CREATED]
    assert [f.state for f in await ensure_namespace(client)] == [SetupState.FOUND]
    repaired = await ensure_namespace(client, retention=timedelta(hours=96))
    assert [(f.state, f.detail) for f in repaired] == [(SetupState.REPAIRED, "retention 72 h -> 96 h")]


async def test_search_attributes_are_made_once(bare: Client):
    assert {f.state for f in await ensure_search_attributes(bare, ALL)} == {SetupState.CREATED}

    async def all_found() -> bool:
        return {f.state for f in await ensure_search_attributes(bare, ALL)} == {SetupState.FOUND}

    await eventually(all_found)
