"""A customer's session uses the customer's credential or none, whatever lies about on the machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader

from providers.aws.provider import PlatformAws, config_of, isolated_session
from tests.providers.aws_accounts import EXPECTED, PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION, key_credential
from tests.providers.canned_aws import KEY, CannedAws, canned_provider, running_canned_aws

OURS = "AKIAOURSOURSOURSOURS"
PLATFORM = PlatformAws(PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION)


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CannedAws]:
    """Our credentials in every place where boto3 looks for some, and a server behind each address that it would ask."""
    (tmp_path / "credentials").write_text(f"[ours]\naws_access_key_id={OURS}\naws_secret_access_key=s\n")
    (tmp_path / "config").write_text(f"[profile ours]\naws_access_key_id={OURS}\naws_secret_access_key=s\n")
    with running_canned_aws() as server:
        for name, value in {
            "AWS_ACCESS_KEY_ID": OURS,
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_SESSION_TOKEN": "t",
            "AWS_PROFILE": "ours",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url,
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ENDPOINT_URL_STS": server.url,
        }.items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_session_without_a_credential_finds_none(trap: CannedAws):
    session = isolated_session(Loader())
    assert session.get_credentials() is None
    with pytest.raises(NoCredentialsError):
        session.create_client("sts", REGION, endpoint_url=trap.url).get_caller_identity()  # type: ignore[attr-defined]
    assert trap.requests == []


def test_a_session_asks_aws_and_no_address_from_the_environment(trap: CannedAws):
    client = isolated_session(Loader()).create_client("sts", REGION, config=config_of(PLATFORM))
    assert client.meta.endpoint_url == f"https://sts.{REGION}.amazonaws.com"


@pytest.mark.parametrize(("key_id", "secret"), [("", ""), ("", "s" * 40), ("AKIACUSTOMERCUSTOMER", "")])
def test_a_credential_with_a_part_missing_is_never_completed_from_ours(
    trap: CannedAws, canned: CannedAws, key_id: str, secret: str
):
    verdict = canned_provider(canned.url).validate(key_credential(key_id, secret), EXPECTED)
    assert not verdict.accepted
    assert (trap.requests, canned.requests) == ([], [])


def test_a_customers_key_signs_all_of_its_own_calls(trap: CannedAws, canned: CannedAws):
    assert canned_provider(canned.url).validate(KEY, EXPECTED).accepted
    assert {request.key_id for request in canned.requests} == {KEY.reveal("access_key_id")}
    assert trap.requests == []
