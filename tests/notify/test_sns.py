"""SNS topics, on an emulator and on scripted refusals."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from domain.errors import InvalidInput, OnboardingError, Throttled, Unavailable
from domain.scans.notifications import Channel, ChannelKind
from notify.sns import SnsTopics
from tests.notify.test_webhook import NOTIFICATION

REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:111122223333:scans"


@pytest.fixture
def sns() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sns", region_name=REGION)


@pytest.mark.parametrize("name", ["scans", "scans.fifo"])
def test_a_subscriber_gets_the_notification(sns: Any, name: str):
    sqs = boto3.client("sqs", region_name=REGION)
    fifo = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
    topic = sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
    queue = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    regions: list[str] = []

    def client(region: str) -> Any:
        regions.append(region)
        return sns

    SnsTopics(client).deliver(Channel(ChannelKind.SNS, topic), NOTIFICATION, None)
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(json.loads(message["Body"])["Message"])["execution_id"] == "execution-1"
    assert regions == [REGION]


def test_a_topic_that_is_not_there_can_never_work(sns: Any):
    with pytest.raises(InvalidInput):
        SnsTopics(lambda _: sns).deliver(Channel(ChannelKind.SNS, TOPIC), NOTIFICATION, None)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AuthorizationError", InvalidInput),
        ("Throttled", Throttled),
        ("InternalError", Unavailable),
        ("KMSDisabled", Unavailable),
    ],
)
def test_a_refusal_is_told_from_trouble(code: str, error: type[OnboardingError]):
    client: Any = boto3.client("sns", region_name=REGION)
    stub = Stubber(client)
    stub.add_client_error("publish", code)
    with stub, pytest.raises(error):
        SnsTopics(lambda _: client).deliver(Channel(ChannelKind.SNS, TOPIC), NOTIFICATION, None)


def test_a_connection_that_fails_is_trouble():
    class Down:
        def publish(self, **_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://sns")

    client: Any = Down()
    with pytest.raises(Unavailable):
        SnsTopics(lambda _: client).deliver(Channel(ChannelKind.SNS, TOPIC), NOTIFICATION, None)
