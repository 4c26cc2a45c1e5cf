"""The answers of AWS clients, from an endpoint that drips them."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, HTTPClientError

from domain.errors import Unavailable
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation
from providers.aws.provider import AwsProvider, PlatformAws
from stores.session import connect
from tests.transport.drips import dripping
from transport.answers import MAX_BYTES, bounded

KEY: dict[str, Any] = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
ANSWERS = [
    (b"HTTP/1.1 200 OK\r\nx-drip: ", b"y"),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", b"z"),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nz\r\n"),
]


@pytest.mark.parametrize(("begin", "drip"), ANSWERS, ids=["head", "body", "chunks"])
def test_a_customers_validation_does_not_wait_for_an_answer_that_drips(begin: bytes, drip: bytes):
    with dripping(begin, drip) as port:
        platform = PlatformAws(
            "111122223333", "role", "eu-west-1", customer_endpoint_url=f"http://127.0.0.1:{port}", answer_seconds=0.5
        )
        key = Credential("aws_access_key", {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "s" * 40})
        with pytest.raises(Unavailable):
            AwsProvider(platform, own=boto3.session.Session(**KEY)).validate(key, Expectation("e" * 32))


def test_our_own_clients_do_not_either(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with dripping(*ANSWERS[1]) as port:
        aws = connect("eu-west-1", endpoint_url=f"http://127.0.0.1:{port}")
        with pytest.raises(BotoCoreError):
            aws.kms.describe_key(KeyId="key")


def test_an_answer_of_aws_has_a_size():
    config = Config(retries={"total_max_attempts": 1})
    with dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", b"x" * (MAX_BYTES // 4)) as port:
        client = boto3.client("sts", endpoint_url=f"http://127.0.0.1:{port}", config=config, **KEY)
        with pytest.raises(HTTPClientError):
            bounded(client, seconds=50).get_caller_identity()
