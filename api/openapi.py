"""What the OpenAPI document says beyond what FastAPI sees by itself: bodies, which `api.body` reads, and errors."""

import json
from typing import Any

from pydantic import BaseModel

from api.failures import reply_of
from api.schemas import ErrorAnswer
from domain.edge_errors import RateLimited
from domain.errors import (
    CredentialRefused,
    Internal,
    MalformedBody,
    MissingScope,
    NotFound,
    OnboardingClosed,
    OnboardingError,
    PayloadTooLarge,
    Problem,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)

PREFIX = "/api/v1"

DESCRIPTION = """
Brings customers' cloud accounts into the threat engine: register an account, hand in a credential, follow its way.

Every route but those of health and identity needs an API key or an access token, and the scope that its
`x-required-scope` names. Every error has one shape (`detail.code`, `message`,
`errors`, `problems`); decide on codes. Every answer carries `X-Request-Id`. A POST with an `Idempotency-Key` can be
repeated safely.
"""

_REFUSED = Problem(
    "role_not_assumable",
    "The role cannot be assumed.",
    step="identify",
    remedy="Let our account assume the role with the external id of this account.",
)

_ERRORS: dict[int | str, tuple[str, OnboardingError]] = {
    400: ("The input makes no sense, or the cloud refuses the credential.", CredentialRefused(problems=[_REFUSED])),
    401: ("The API key or access token is missing, unknown, expired or revoked.", Unauthenticated()),
    403: ("The caller may not do this.", MissingScope(scope="accounts:read")),
    404: ("There is no such thing here, or it is another tenant's.", NotFound()),
    409: ("The request conflicts with the present state.", OnboardingClosed()),
    413: ("The body is larger than 256 KiB.", PayloadTooLarge()),
    415: ("The body is not application/json in UTF-8.", UnsupportedMediaType()),
    422: ("The body is malformed, or the Idempotency-Key was used with another body.", MalformedBody()),
    429: ("Too many requests; repeat after `Retry-After` seconds.", RateLimited(retry_after=1)),
    503: ("Nothing can be promised now; repeat after `Retry-After` seconds.", Unavailable()),
    "default": ("Any other error.", Internal()),
}

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """The `responses` of a route: these, and those that every route has."""
    declared: list[int | str] = [*sorted({401, 403, 429, 503, *statuses}), "default"]
    return {status: _response(*_ERRORS[status]) for status in declared}


def posted(*statuses: int) -> Responses:
    """The same for a route that takes a body."""
    return errors(400, 413, 415, 422, *statuses)


def request_body(model: type[BaseModel], *, optional: bool = False) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body `api.body` reads as `model`."""
    content = {"application/json": {"schema": _in_one_piece(model.model_json_schema())}}
    return {"requestBody": {"required": not optional, "content": content}}


def _in_one_piece(schema: dict[str, Any]) -> dict[str, Any]:
    """With each definition where it is used: FastAPI knows of no body, so nothing would collect them."""
    definitions = schema.get("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(each) for each in node]
        if not isinstance(node, dict):
            return node
        whole = {**definitions.get(node.get("$ref", "").rpartition("/")[2], {}), **node}
        return {name: inlined(each) for name, each in whole.items() if name not in ("$ref", "$defs")}

    return dict(inlined(schema))


def _response(description: str, error: OnboardingError) -> dict[str, Any]:
    content = {"application/json": {"example": json.loads(reply_of(error).body)}}
    headers = {name: {"schema": {"type": "string"}} for name in reply_of(error).headers}
    return {"model": ErrorAnswer, "description": description, "content": content, "headers": headers}
