"""The AWS clients of our own side. Temporal owns the retries: botocore gets one quick second try, short timeouts."""

from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import botocore.session
from boto3.session import Session
from botocore.config import Config
from botocore.loaders import Loader

from domain.errors import InvalidInput
from transport.answers import bounded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient

ANSWER_SECONDS = 10
"""For the whole of an answer."""

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=32,
)


# Links are signed for the region and for this address of the bucket; a stand-in knows no names of buckets as hosts.
_S3 = Config(signature_version="s3v4", s3={"addressing_style": "path"})


@dataclass(frozen=True)
class AwsClients:
    """Thread-safe, each with its own connection pool."""

    session: Session
    """Ours, for what else is called in our name."""
    models: Loader
    """AWS's descriptions of its services, for every session of the process: each copy takes 8 MB and more."""
    dynamodb: "DynamoDBClient"
    secretsmanager: "SecretsManagerClient"
    kms: "KMSClient"
    s3: "S3Client"


def connect(region: str, *, endpoint_url: str | None = None) -> AwsClients:
    """Nothing is sent yet. Credentials come from boto3's own chain; `endpoint_url` is None on real AWS."""
    models = Loader()
    session = session_with(models, region)
    return AwsClients(
        session=session,
        models=models,
        dynamodb=_bounded(session.client("dynamodb", endpoint_url=endpoint_url, config=_CONFIG)),
        secretsmanager=_bounded(session.client("secretsmanager", endpoint_url=endpoint_url, config=_CONFIG)),
        kms=_bounded(session.client("kms", endpoint_url=endpoint_url, config=_CONFIG)),
        s3=_bounded(session.client("s3", endpoint_url=endpoint_url, config=_CONFIG.merge(_S3))),
    )


def session_with(models: Loader, region: str, **key: str | None) -> Session:
    """Without a key its credentials come from boto3's own chain."""
    below = botocore.session.Session()
    below.register_component("data_loader", models)
    return Session(region_name=region, botocore_session=below, **key)


_bounded = partial(bounded, seconds=ANSWER_SECONDS)


class TopicClients:
    """SNS clients for the topics of customers: one for each region that AWS has for SNS in our partition. A customer
    names the region, so any other one is refused, and nothing is kept for it."""

    def __init__(self, session: Session, *, endpoint_url: str | None = None) -> None:
        """`session` is ours, in a region of our partition."""
        self.partition = session.get_partition_for_region(session.region_name)
        self.regions = frozenset(session.get_available_regions("sns", self.partition))
        self._session = session
        self._endpoint_url = endpoint_url
        self._clients: dict[str, SNSClient] = {}
        self._lock = Lock()  # a session makes one client at a time

    def __call__(self, region: str) -> "SNSClient":
        """Raises InvalidInput for a region without SNS."""
        if region not in self.regions:
            raise InvalidInput("SNS has no such region.")
        with self._lock:
            if region not in self._clients:
                client = self._session.client(
                    "sns", region_name=region, endpoint_url=self._endpoint_url, config=_CONFIG
                )
                self._clients[region] = _bounded(client)
            return self._clients[region]
