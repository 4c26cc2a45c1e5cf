"""Calls to a cloud's REST API through the guarded client, for the clouds that need no SDK."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from domain.errors import InvalidInput, PlatformConfig, Unavailable
from providers.error_rules import Failure, Judge, clock_differs, seconds
from transport.client import GuardedClient
from transport.exchange import Reply

FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
JSON = {"content-type": "application/json", "accept": "application/json"}

Codes = Callable[[Mapping[str, Any]], tuple[str, ...]]
"""From the body of an error to the cloud's own codes in it, the most telling one first. It never raises: the body may
be anything that JSON can say."""


@dataclass(frozen=True)
class Request:
    """One call. The address is built by a provider from its constants and from checked fields, never taken from one."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Rest:
    """One cloud's API. Thread-safe: it keeps nothing between calls but the client's connections."""

    def __init__(self, client: GuardedClient, judge: Judge, codes: Codes) -> None:
        self._client = client
        self._judge = judge
        self._codes = codes

    def call(self, request: Request) -> Mapping[str, Any]:
        """The object that the cloud answered with. Raises Refused or Trouble."""
        try:
            reply = self._client.send(request.method, request.url, headers=request.headers, body=request.body)
        except PlatformConfig:
            raise self._judge.misconfigured("TLS") from None
        except InvalidInput:  # the hosts are the cloud's, so it is our name server that leads elsewhere
            raise self._judge.misconfigured("DNS") from None
        except Unavailable:
            raise self._judge.unavailable() from None
        body = _object(reply)
        if reply.status == 200 and body is not None:
            return body
        raise self._judge.judge(self._failure(reply, body or {})) from None

    def _failure(self, reply: Reply, body: Mapping[str, Any]) -> Failure:
        return Failure(
            status=reply.status,
            codes=self._codes(body),
            clock_differs=clock_differs(reply.headers.get("date", "")),
            retry_after=seconds(reply.headers.get("retry-after", "")),
        )


def form(url: str, fields: Mapping[str, str]) -> Request:
    return Request("POST", url, FORM, urlencode(fields).encode())


def get(url: str, token: str) -> Request:
    return Request("GET", url, {"accept": "application/json", "authorization": f"Bearer {token}"})


def post(url: str, token: str, body: object) -> Request:
    return Request("POST", url, {**JSON, "authorization": f"Bearer {token}"}, json.dumps(body).encode())


def text(body: object, *path: str) -> str:
    """The text at a path of names, the empty text when there is none."""
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    return body if isinstance(body, str) else ""


def _object(reply: Reply) -> Mapping[str, Any] | None:
    """The JSON object of an answer; a list or a text is given under the name `value`. None for everything else: a
    proxy's page, an answer that is cut off, one that is nested too deeply."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list | str):
        return {"value": found}
    return found if isinstance(found, dict) else None
