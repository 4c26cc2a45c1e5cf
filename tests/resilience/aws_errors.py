"""How each AWS service says that it is asked too much, or that it failed: its code, in its own form of an error."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass


def _json(code: str) -> bytes:
    return json.dumps({"__type": code, "message": code}).encode()


def _query(code: str) -> bytes:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{code}</Message></Error>"
    return f"<ErrorResponse>{error}<RequestId>fault</RequestId></ErrorResponse>".encode()


def _s3(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


def _ec2(code: str) -> bytes:
    error = f"<Errors><Error><Code>{code}</Code><Message>{code}</Message></Error></Errors>"
    return f"<Response>{error}<RequestID>fault</RequestID></Response>".encode()


@dataclass(frozen=True)
class Manner:
    """A service's. The answer to a failure has status 500."""

    form: Callable[[str], bytes]
    throttled: str
    failed: str
    throttled_status: int = 400


MANNERS: Mapping[str, Manner] = {
    "dynamodb": Manner(_json, "ThrottlingException", "InternalServerError"),
    "secrets-manager": Manner(_json, "ThrottlingException", "InternalServiceError"),
    "kms": Manner(_json, "ThrottlingException", "KMSInternalException"),
    "cloudtrail": Manner(_json, "ThrottlingException", "InternalFailure"),
    "sts": Manner(_query, "Throttling", "InternalFailure"),
    "iam": Manner(_query, "Throttling", "ServiceFailure"),
    "s3": Manner(_s3, "SlowDown", "InternalError", throttled_status=503),
    "ec2": Manner(_ec2, "RequestLimitExceeded", "InternalError", throttled_status=503),
}
"""By the service's name in botocore's events."""


def throttled(service: str) -> tuple[int, bytes]:
    """Status and body."""
    manner = MANNERS[service]
    return manner.throttled_status, manner.form(manner.throttled)


def failed(service: str) -> tuple[int, bytes]:
    """Status and body."""
    manner = MANNERS[service]
    return 500, manner.form(manner.failed)
