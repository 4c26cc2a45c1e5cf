"""What the OpenAPI document says beyond what FastAPI sees by itself: bodies, which `api.body` reads, and errors."""

from typing import Any

from pydantic import BaseModel

from api.schemas import ErrorAnswer

PREFIX = "/api/v1"

DESCRIPTION = """
Brings customers' cloud accounts into the threat engine: register an account, hand in a credential, follow its onboarding.

Every route but health needs an API key. Every error has one shape (`detail.code`, `message`, `errors`, `problems`); decide
on codes. Every answer carries `X-Request-Id`. Send an `Idempotency-Key` with a POST to be able to repeat it safely.
"""

_ERRORS = {
    400: ("The input makes no sense, or the cloud refuses the credential.", "credential_refused"),
    401: ("The API key is missing, unknown, expired or revoked.", "unauthenticated"),
    403: ("The key may not do this.", "forbidden"),
    404: ("There is no such thing here, or it is another tenant's.", "not_found"),
    409: ("The request conflicts with the present state.", "onboarding_closed"),
    413: ("The body is larger than 256 KiB.", "payload_too_large"),
    415: ("The body is not application/json in UTF-8.", "unsupported_media_type"),
    422: ("The body is malformed, or the Idempotency-Key was used with another body.", "malformed_body"),
    503: ("Nothing can be promised now; repeat after `Retry-After` seconds.", "unavailable"),
}

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """The `responses` of a route: 401 and 503, which every route has, and these."""
    declared = {status: _response(*_ERRORS[status]) for status in sorted({401, 503, *statuses})}
    return {**declared, "default": _response("Any other error.", "internal")}


def posted(*statuses: int) -> Responses:
    """The same for a route that takes a body."""
    return errors(400, 413, 415, 422, *statuses)


def request_body(model: type[BaseModel], *, optional: bool = False) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body `api.body` reads as `model`."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": not optional, "content": content}}


def _response(description: str, code: str) -> dict[str, Any]:
    example = {"detail": {"code": code, "message": description, "errors": [description], "problems": []}}
    content = {"application/json": {"example": example}}
    return {"model": ErrorAnswer, "description": description, "content": content}
