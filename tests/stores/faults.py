"""What can happen between us and AWS, made to happen in botocore, before and after a request is sent."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session


@contextmanager
def reply_lost(client: Any, operation: str, *, times: int = 1) -> Iterator[None]:
    """The request arrives and takes effect; the connection closes before the answer does."""
    wire = URLLib3Session()
    lost: list[str] = []

    def lose(request: AWSPreparedRequest, **_: Any) -> None:
        if len(lost) < times:
            wire.send(request)
            lost.append(request.url)
            raise ConnectionClosedError(endpoint_url=request.url)

    with _before_send(client, operation, lose):
        yield
    assert len(lost) == times, f"{operation} was called {len(lost)} times only"
    wire.close()


@contextmanager
def failing(client: Any, operation: str, error: BaseException) -> Iterator[None]:
    """The request is not sent."""

    def fail(**_: Any) -> None:
        raise error

    with _before_send(client, operation, fail):
        yield


@contextmanager
def answered(client: Any, operation: str, *, status: int, body: bytes, times: int = 1000) -> Iterator[None]:
    """The request is not sent; this is the answer, so many times."""
    answers = iter([body] * times)

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        raw = next(answers, None)
        return None if raw is None else AWSResponse(request.url, status, HTTPHeaders(), _Raw(raw))

    with _before_send(client, operation, answer):
        yield


def error_body(code: str, *, reasons: Sequence[str] = ()) -> bytes:
    body: dict[str, Any] = {"__type": code, "message": "canary-in-the-message"}
    if reasons:
        body["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return json.dumps(body).encode()


class _Raw(BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


@contextmanager
def _before_send(client: Any, operation: str, handler: Any) -> Iterator[None]:
    event = f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(event, handler)
    try:
        yield
    finally:
        client.meta.events.unregister(event, handler)
