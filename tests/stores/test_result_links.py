"""The link to the findings of a scan: signed without a call, for one object and for five minutes."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from domain.errors import PlatformConfig
from stores.s3.results import S3ResultStore


def test_a_link_is_for_one_object_and_five_minutes():
    s3: Any = boto3.session.Session().client(
        "s3",
        region_name="eu-central-1",
        aws_access_key_id="AKIAOURS",
        aws_secret_access_key="s",  # of nobody
        config=Config(signature_version="s3v4"),
    )
    names: Any = SimpleNamespace(scan_results="results")
    nothing: Any = None
    store = S3ResultStore(s3, nothing, names, bucket="another-bucket")
    result: Any = SimpleNamespace(location="s3://te-results/results/tenant-1/scan-1.json")
    link = urlsplit(store.link(result))
    sent = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert link.scheme == "https"
    assert (link.hostname or "").startswith("te-results.s3")
    assert link.path == "/results/tenant-1/scan-1.json"
    assert sent["X-Amz-Expires"] == "300"
    assert sent["X-Amz-SignedHeaders"] == "host"
    assert sent["X-Amz-Credential"].startswith("AKIAOURS/")
    assert len(sent["X-Amz-Signature"]) == 64


def test_a_platform_without_credentials_says_that_it_is_set_up_wrongly():
    def unsigned(*_: object, **__: object) -> str:
        raise NoCredentialsError

    s3: Any = SimpleNamespace(generate_presigned_url=unsigned)
    names: Any = SimpleNamespace(scan_results="results")
    nothing: Any = None
    result: Any = SimpleNamespace(location="s3://te-results/scan-1.json")
    with pytest.raises(PlatformConfig):
        S3ResultStore(s3, nothing, names, bucket="te-results").link(result)
