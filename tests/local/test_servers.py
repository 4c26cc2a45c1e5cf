"""The two servers of the stack by themselves: real checks, nothing outside their folder, nothing left."""

from pathlib import Path

import httpx
import pytest
from boto3.session import Session
from botocore.exceptions import ClientError
from temporalio.client import Client

from emulators.failures import StackFailed
from emulators.ministack import running_ministack, starting_ministack
from emulators.temporal import running_temporal
from tests.local.conftest import Aws
from workflows import search_attributes

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("key_id", ["AKIAIOSFODNN7EXAMPLE", "testing"])
def test_the_emulated_aws_refuses_a_key_that_it_did_not_make(aws: Aws, key_id: str):
    stranger = Session(aws_access_key_id=key_id, aws_secret_access_key="x", region_name="ap-south-1")
    with pytest.raises(ClientError) as failure:
        stranger.client("sts", endpoint_url=aws.platform.endpoint).get_caller_identity()
    assert failure.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_what_the_emulator_writes_is_in_its_folder(tmp_path: Path):
    with running_ministack(tmp_path / "ministack.log") as endpoint:
        written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"ministack.log", "ministack.d"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(endpoint, trust_env=False)


def test_two_emulators_do_not_know_each_other(aws: Aws, tmp_path: Path):
    with running_ministack(tmp_path / "ministack.log") as endpoint:
        other = aws.platform.session.client("dynamodb", endpoint_url=endpoint)
        assert other.list_tables()["TableNames"] == []


async def test_temporal_comes_up_with_its_web_page_and_search_attributes(tmp_path: Path):
    wanted = {key.name: key.indexed_value_type.name.title() for key in search_attributes.ALL}
    with running_temporal(tmp_path / "temporal.log", search_attributes=wanted) as server:
        client = await Client.connect(server.address)
        tenant = search_attributes.TENANT_ID.name
        assert (await client.count_workflows(f"{tenant}='t'")).count == 0
        async with httpx.AsyncClient(trust_env=False) as browser:
            assert (await browser.get(server.ui_url or "")).is_success


def test_a_server_that_cannot_start_is_named(aws: Aws, tmp_path: Path):
    port = int(aws.platform.endpoint.rsplit(":", 1)[1])
    last_words = r"(?s)^MiniStack ended with exit code 1; .*already in use"
    starting = starting_ministack(tmp_path / "ministack.log", port=port)
    with starting as child, pytest.raises(StackFailed, match=last_words):
        child.wait_until(lambda: False)
