"""The AWS clients of an examination. They wait little and try twice: who runs it is watching."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from boto3.session import Session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5)

_S3 = Config(s3={"addressing_style": "path"})
"""A stand-in knows no names of buckets as hosts."""


@dataclass(frozen=True)
class Clients:
    dynamodb: "DynamoDBClient"
    iam: "IAMClient"
    kms: "KMSClient"
    s3: "S3Client"
    secretsmanager: "SecretsManagerClient"
    sts: "STSClient"


def connect(region: str, *, endpoint_url: str | None = None) -> Clients:
    """Credentials come from boto3's own chain; `endpoint_url` is None on real AWS."""
    session = Session(region_name=region)
    return Clients(
        dynamodb=session.client("dynamodb", endpoint_url=endpoint_url, config=_CONFIG),
        iam=session.client("iam", endpoint_url=endpoint_url, config=_CONFIG),
        kms=session.client("kms", endpoint_url=endpoint_url, config=_CONFIG),
        s3=session.client("s3", endpoint_url=endpoint_url, config=_CONFIG.merge(_S3)),
        secretsmanager=session.client("secretsmanager", endpoint_url=endpoint_url, config=_CONFIG),
        sts=session.client("sts", endpoint_url=endpoint_url, config=_CONFIG),
    )
