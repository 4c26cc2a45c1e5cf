"""Who calls: from the key that was sent to a `Caller`. Every decision about keys is in here or in `domain.api_keys`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from domain.api_keys import ApiKey, Role, is_valid, key_id_of
from domain.audit import Origin
from domain.errors import Unauthenticated
from domain.ports import ApiKeyStore
from domain.tenants import PLATFORM
from domain.timestamps import stamp

CACHE_SECONDS = 5
CACHED_KEYS = 1024

BEARER = HTTPBearer(scheme_name="bearer", description="An API key: `Authorization: Bearer tek_…`.", auto_error=False)
HEADER = APIKeyHeader(
    name="X-API-Key", scheme_name="api_key", description="The same key in its own header.", auto_error=False
)


@dataclass(frozen=True)
class Caller:
    """An authenticated caller and the request it makes."""

    principal: str
    """`key:<id>`."""
    tenant_id: str | None
    """The one tenant it may see; None for the platform's administrators, who see every tenant."""
    role: Role
    request_id: str

    @property
    def origin(self) -> Origin:
        return Origin(self.principal, self.request_id)


class KeyRing:
    """Recognises keys. A key is looked up in the store at most once in five seconds, whether it exists or not, so a
    revoked key works for five seconds at the longest; a text that is no key of ours is never looked up."""

    def __init__(self, keys: ApiKeyStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock

        @lru_cache(maxsize=CACHED_KEYS)
        def find(key_id: str, period: int) -> ApiKey | None:
            return keys.find(key_id)

        self._find = find

    def recognise(self, text: str, request_id: str) -> Caller:
        """Raises Unauthenticated for anything but a valid key; which of its faults it has is not told."""
        key_id = key_id_of(text)
        key = self._find(key_id, int(self._clock() // CACHE_SECONDS)) if key_id else None
        if key is None or not is_valid(key, text, stamp(datetime.now(UTC))):
            raise Unauthenticated
        tenant_id = None if key.tenant_id == PLATFORM else key.tenant_id
        return Caller(f"key:{key.key_id}", tenant_id, role=key.role, request_id=request_id)


def sent_key(bearer: HTTPAuthorizationCredentials | None, header: str | None) -> str:
    """The key of a request. Raises Unauthenticated without one, and for two that differ: one of them is a mistake."""
    texts = {text for text in (bearer.credentials if bearer else None, header) if text is not None}
    if len(texts) != 1:
        raise Unauthenticated
    return texts.pop()
