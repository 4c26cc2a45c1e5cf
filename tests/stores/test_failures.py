"""What an error of AWS means to us. The client answers from a script here; no emulator is needed."""

import traceback

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from mypy_boto3_dynamodb import DynamoDBClient

from domain.errors import (
    ClockSkew,
    Internal,
    NotFound,
    OnboardingError,
    PlatformConfig,
    Throttled,
    Trouble,
    Unavailable,
)
from stores.errors import aws_failures
from tests.stores.faults import answered, error_body, failing

CANARY = "canary-in-the-message"


def ask(dynamodb: DynamoDBClient) -> None:
    with aws_failures():
        dynamodb.get_item(TableName="table", Key={"id": {"S": CANARY}})


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (400, "ThrottlingException", Throttled),
        (400, "ProvisionedThroughputExceededException", Throttled),
        (400, "TransactionConflictException", Throttled),
        (429, "Whatever", Throttled),
        (500, "InternalServerError", Unavailable),
        (503, "Whatever", Unavailable),
        (400, "InvalidRequestException", Unavailable),
        (400, "RequestTimeTooSkewed", ClockSkew),
        (400, "AccessDeniedException", PlatformConfig),
        (403, "UnrecognizedClientException", PlatformConfig),
        (400, "ExpiredTokenException", PlatformConfig),
        (400, "ResourceNotFoundException", PlatformConfig),
        (400, "KMSInvalidStateException", PlatformConfig),
        (400, "ValidationException", Internal),
        (418, "Whatever", Internal),
    ],
)
def test_an_answer_of_aws_is_understood_by_its_code(
    dynamodb: DynamoDBClient, status: int, code: str, meaning: type[OnboardingError]
):
    with answered(dynamodb, "GetItem", status=status, body=error_body(code)), pytest.raises(OnboardingError) as caught:
        ask(dynamodb)
    assert type(caught.value) is meaning


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (EndpointConnectionError(endpoint_url=CANARY), Unavailable),
        (ConnectTimeoutError(endpoint_url=CANARY), Unavailable),
        (ReadTimeoutError(endpoint_url=CANARY), Unavailable),
        (ConnectionClosedError(endpoint_url=CANARY), Unavailable),
        (SSLError(endpoint_url=CANARY, error=OSError(CANARY)), PlatformConfig),
        (ProxyConnectionError(proxy_url=CANARY), PlatformConfig),
        (NoCredentialsError(), PlatformConfig),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_a_request_without_an_answer_is_understood_by_its_class(
    dynamodb: DynamoDBClient, error: Exception, meaning: type[OnboardingError]
):
    with failing(dynamodb, "GetItem", error), pytest.raises(OnboardingError) as caught:
        ask(dynamodb)
    assert type(caught.value) is meaning


@pytest.mark.parametrize("status", [200, 500])
def test_a_damaged_answer_is_trouble(dynamodb: DynamoDBClient, status: int):
    with answered(dynamodb, "GetItem", status=status, body=b"\xff\xfe{"), pytest.raises(Unavailable):
        ask(dynamodb)


def test_the_answer_of_a_proxy_in_front_of_aws_is_trouble(dynamodb: DynamoDBClient):
    page = b"<html>502 Bad Gateway</html>"
    with answered(dynamodb, "GetItem", status=502, body=page), pytest.raises(Unavailable):
        ask(dynamodb)


def test_a_request_that_botocore_refuses_is_a_bug_and_shows_no_value(dynamodb: DynamoDBClient):
    with pytest.raises(Internal) as caught, aws_failures():
        dynamodb.get_item(TableName="table", Key={"id": CANARY + "\ud800", "other": {"X": CANARY}})
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", CANARY])
def test_no_text_of_aws_gets_into_the_error(dynamodb: DynamoDBClient, code: str):
    with answered(dynamodb, "GetItem", status=400, body=error_body(code)), pytest.raises(OnboardingError) as caught:
        ask(dynamodb)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_operators_see_which_request_failed_and_why(dynamodb: DynamoDBClient):
    body = error_body("AccessDeniedException")
    with answered(dynamodb, "GetItem", status=400, body=body), pytest.raises(Trouble) as caught:
        ask(dynamodb)
    assert caught.value.__notes__ == ["GetItem: AccessDeniedException"]


def test_our_own_errors_pass_unchanged():
    error = NotFound()
    with pytest.raises(NotFound) as caught, aws_failures():
        raise error
    assert caught.value is error
