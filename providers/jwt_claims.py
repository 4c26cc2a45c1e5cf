"""What a token says about itself. It came from the cloud over TLS, so its signature is the cloud's own affair."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*")


def claims_of(token: str) -> Mapping[str, Any]:
    """The claims of a JSON Web Token; none for a text that is no such token, or that could not go into a header."""
    found = TOKEN.fullmatch(token)
    if not found:
        return {}
    payload = found.group(1)
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
