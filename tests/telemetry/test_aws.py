"""Every attempt of a request to AWS is counted, by what became of it; every call is a span without its values."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from opentelemetry.sdk.trace import TracerProvider

from providers.aws.errors import THROTTLED as THROTTLED_FOR_A_PROVIDER
from telemetry.aws import THROTTLED, counting_aws_requests, result_of, tracing_aws_calls
from tests.providers.aws_accounts import EXPECTED
from tests.providers.canned_aws import ROLE, Answer, CannedAws, canned_provider, error, running_canned_aws
from tests.telemetry.collector import Collector, attributes
from tests.telemetry.conftest import Meters

COUNT = "aws_requests_total"
CANARY = "canary-7f3a"


@pytest.fixture(scope="module")
def server() -> Iterator[CannedAws]:
    with running_canned_aws() as aws:
        yield aws


@pytest.fixture
def aws(server: CannedAws) -> CannedAws:
    server.forget()
    return server


def sts(aws: CannedAws) -> Any:
    session = boto3.session.Session(aws_access_key_id="AKIA" + "A" * 16, aws_secret_access_key="s" * 40)
    retries = Config(retries={"mode": "standard", "total_max_attempts": 2})
    return session.client("sts", region_name="ap-south-1", endpoint_url=aws.url, config=retries)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (error("Throttling", 400), "throttled"),
        (error("SlowDown", 503), "throttled"),
        (error("TooMany", 429), "throttled"),
        (error("AccessDenied", 403), "refused"),
        (error("InternalFailure", 500), "failed"),
        (Answer(503, "<html>"), "failed"),
        (Answer(drop="at once"), "failed"),
    ],
)
def test_each_attempt_is_counted_by_what_became_of_it(meters: Meters, aws: CannedAws, answer: Answer, result: str):
    aws.will_answer("GetCallerIdentity", answer)
    with counting_aws_requests(meters.meter):
        client = sts(aws)
    with suppress(ClientError, BotoCoreError):
        client.get_caller_identity()
    found = meters.read()
    assert found.value(COUNT, service="sts", operation="GetCallerIdentity", result=result) == 1
    assert found.value(COUNT) == len(aws.requests)


def test_requests_with_a_customers_credential_are_counted_too(meters: Meters, aws: CannedAws):
    with counting_aws_requests(meters.meter):
        canned_provider(aws.url).validate(ROLE, EXPECTED)
    assert meters.read().value(COUNT) == len(aws.requests)
    assert meters.read().values_of(COUNT, "service") == {"sts", "iam", "s3", "ec2", "cloudtrail"}


def test_what_a_provider_takes_for_a_throttle_is_counted_as_one():
    assert THROTTLED >= THROTTLED_FOR_A_PROVIDER
    assert result_of({"Error": {"Code": "Throttling"}, "ResponseMetadata": {"HTTPStatusCode": 400}}) == "throttled"


def test_a_call_is_a_span_without_its_values(tracers: TracerProvider, collector: Collector, aws: CannedAws):
    aws.will_answer("AssumeRole", error("AccessDenied", 403, message=CANARY))
    with tracing_aws_calls(tracers):
        client = sts(aws)
        with pytest.raises(ClientError, match=CANARY):
            client.assume_role(RoleArn=f"arn:aws:iam::1:role/{CANARY}", RoleSessionName=CANARY)
    tracers.force_flush()
    [span] = collector.spans()
    assert span.name == "STS.AssumeRole"
    assert {name: attributes(span)[name] for name in ("rpc.service", "rpc.method", "http.status_code")} == {
        "rpc.service": "STS",
        "rpc.method": "AssumeRole",
        "http.status_code": 403,
    }
    assert "error.type" not in attributes(span), "an answer of 4xx is no error"
    assert CANARY.encode() not in b"".join(collector.requests)


def test_aws_is_not_told_our_trace_ids(tracers: TracerProvider, aws: CannedAws):
    client, sent = sts(aws), []
    client.meta.events.register("before-send", lambda request, **_: sent.extend(request.headers))
    with tracing_aws_calls(tracers), tracers.get_tracer("test").start_as_current_span("request"):
        client.get_caller_identity()
    assert "Authorization" in sent
    assert [name for name in sent if "trace" in name.lower()] == []


def test_afterwards_nothing_is_watched(meters: Meters, tracers: TracerProvider, collector: Collector, aws: CannedAws):
    with counting_aws_requests(meters.meter), tracing_aws_calls(tracers):
        pass
    sts(aws).get_caller_identity()
    tracers.force_flush()
    assert (meters.read().value(COUNT), collector.spans()) == (0, [])
