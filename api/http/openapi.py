"""What routes declare for the OpenAPI document: their bodies, which `api.http.json_body` reads, and their errors."""

import json
from typing import Any

from api.http.errors import reply_of
from api.schemas import ErrorAnswer, RequestBody
from domain.edge_errors import RateLimited
from domain.errors import (
    CredentialRefused,
    Internal,
    InvalidInput,
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

_WRONG = Problem("invalid", "limit is not acceptable; it must be a whole number from 1 to 100.", pointer="/limit")
_MISSING = "There is no such account here; its id is a UUID in lower case."
_MALFORMED = Problem("missing", "account_id is missing; it must be a UUID in lower case.", pointer="/account_id")

_ERRORS: dict[int | str, tuple[str, OnboardingError]] = {
    400: ("The input makes no sense.", InvalidInput(problems=[_WRONG])),
    401: ("The API key or access token is missing, unknown, expired or revoked.", Unauthenticated()),
    403: ("The caller may not do this.", MissingScope(scope="accounts:read")),
    404: ("There is no such thing here, or it is another tenant's.", NotFound(_MISSING, pointer="/account_id")),
    409: ("The request conflicts with the present state.", OnboardingClosed()),
    413: ("The body is larger than 256 KiB.", PayloadTooLarge()),
    415: ("The body is not application/json in UTF-8.", UnsupportedMediaType()),
    422: (
        "The body is malformed, or the Idempotency-Key was used with another body.",
        MalformedBody(problems=[_MALFORMED]),
    ),
    429: ("Too many requests; repeat after `Retry-After` seconds.", RateLimited(retry_after=1)),
    503: ("Nothing can be promised now; repeat after `Retry-After` seconds.", Unavailable()),
    "default": ("Any other error.", Internal()),
}

TAGS = {
    "callers": "Who am I, and what may I do?",
    "tenants": "The customers of the platform. Made by its administrators.",
    "API keys": "Keys of portals and scripts, each with a role or scopes.",
    "methods": "What each cloud asks for, and what the customer deploys there.",
    "onboarding": "Start an onboarding, hand in the credential, follow it to its end.",
    "accounts": "The cloud accounts of a tenant.",
    "schedules": "When accounts are scanned.",
    "scans": "Runs of scans and what they found.",
    "audit": "Who did what.",
    "identity": "The platform as an identity provider, for the clouds that trust its tokens.",
    "health": "For load balancers. Needs no key.",
}
"""In the order in which somebody works."""

REF = "#/components/schemas/"
BODIES: dict[type[RequestBody], None] = {}
"""Those of all routes, in their order."""

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int, public: bool = False) -> Responses:
    """The `responses` of a route: these, and those that every route has."""
    every = {400, 429, 503} if public else {400, 401, 403, 429, 503}
    declared: list[int | str] = [*sorted({*every, *statuses}), "default"]
    return {status: _response(*_ERRORS[status]) for status in declared}


def posted(*statuses: int) -> Responses:
    """The same for a route that takes a body."""
    return errors(400, 413, 415, 422, *statuses)


def refusing(*statuses: int) -> Responses:
    """The same for a route that takes a credential, which the cloud may refuse."""
    description = "The cloud refuses the credential, or the input makes no sense."
    return posted(*statuses) | {400: _response(description, CredentialRefused(problems=[_REFUSED]))}


def request_body(model: type[RequestBody], *, optional: bool = False) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body `api.http.json_body` reads as `model`."""
    BODIES.setdefault(model)
    content = {"schema": {"$ref": REF + model.__name__}, "example": model.example()}
    return {"requestBody": {"required": not optional, "content": {"application/json": content}}}


def _response(description: str, error: OnboardingError) -> dict[str, Any]:
    content = {"application/json": {"example": json.loads(reply_of(error).body)}}
    headers = {name: {"schema": {"type": "string"}} for name in reply_of(error).headers}
    return {"model": ErrorAnswer, "description": description, "content": content, "headers": headers}
