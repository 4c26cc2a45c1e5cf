"""Cursors of the list endpoints: opaque, and bound to the list that they were given for."""

import base64
import binascii
import hashlib
import json

from domain.errors import InvalidInput, Problem

MAX_BYTES = 4096
"""Of a position. The keys of a foreign row may be as long as DynamoDB takes them."""


def encode(position: str, scope: tuple[str, ...]) -> str:
    """The cursor that goes on after `position`. `scope` is all that makes up the list: tenant and filters."""
    text = json.dumps([_fingerprint(scope), position], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, scope: tuple[str, ...]) -> str:
    """The position in `cursor`; raises InvalidInput unless `encode` gave it for the same scope."""
    position = _position(cursor)
    if not _is_key(position) or encode(position, scope) != cursor:
        raise refused()
    return position


def refused() -> InvalidInput:
    message = "The cursor is of another list; start without one and keep the filters while paging."
    return InvalidInput(problems=[Problem("bad_cursor", message, pointer="/cursor")])


def _position(cursor: str) -> str:
    """What stands where the position should be, the empty text when there is none. It is not trusted yet."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    well_formed = isinstance(parts, list) and len(parts) == 2 and isinstance(parts[1], str)
    return parts[1] if well_formed else ""


def _is_key(text: str) -> bool:
    """Whether DynamoDB could have it as a key: text that is not empty and has no half characters."""
    try:
        return 0 < len(text.encode()) <= MAX_BYTES
    except UnicodeEncodeError:
        return False


def _fingerprint(scope: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(scope).encode()).hexdigest()[:16]
