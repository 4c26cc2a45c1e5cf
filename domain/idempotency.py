"""The record that makes a repeated POST the same request: written before any effect, with every id it will use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Answer:
    """A final HTTP answer. Never a 202, a 429 or a 5xx, and none that shows a value once."""

    status: int
    body: str
    """JSON text, so that a repeat answers the same bytes."""


@dataclass(frozen=True)
class IdempotencyRecord:
    """One Idempotency-Key of one principal on one route."""

    tenant_id: str
    record_id: str
    """Digest of principal, route and key."""
    body_digest: str
    """Keyed digest of the canonical body: a plain hash of a body with a secret in it could be guessed at."""
    ids: Mapping[str, str]
    """The ids generated for the request, for a repeat to use again."""
    created_at: str
    expires_at: int
    """Seconds since the epoch, when the store may forget the record."""
    answer: Answer | None = None


def canonical(body: object) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its keys and its white space were."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()
