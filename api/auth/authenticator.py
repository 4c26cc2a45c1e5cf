"""Who calls: from the key or the token that was sent to a `Caller`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.auth.access_tokens import AccessTokens
from api.auth.last_used import KeyUses
from domain.audit.events import Origin
from domain.callers.access import Role, Scope
from domain.callers.api_keys import ApiKey, is_valid, key_id_of
from domain.errors import Unauthenticated
from domain.ports import ApiKeyStore
from domain.timestamps import stamp

CACHE_SECONDS = 4
"""With the second that the store's index may be behind its table, a revoked key is refused within five."""
CACHED_KEYS = 1024

BEARER = HTTPBearer(
    scheme_name="bearer",
    description="An API key, `Authorization: Bearer tek_…`, or an access token of the issuer that is trusted.",
    auto_error=False,
)
HEADER = APIKeyHeader(
    name="X-API-Key", scheme_name="api_key", description="An API key in its own header.", auto_error=False
)


@dataclass(frozen=True)
class Caller:
    """An authenticated caller and the request it makes."""

    principal: str
    """`key:<id>`, or `oidc:<subject>`."""
    tenant_id: str | None
    """The one tenant it may see; None for the platform's callers."""
    platform: bool
    """Whether it may see every tenant."""
    scopes: frozenset[Scope]
    request_id: str
    key_id: str | None = None
    """Of an API key; None for an access token."""
    role: Role | None = None
    """None where it has scopes of its own, as every access token."""
    expires_at: str = ""

    def __post_init__(self) -> None:
        if self.platform is bool(self.tenant_id):
            raise ValueError("A caller acts either for one tenant or for the platform.")

    @property
    def origin(self) -> Origin:
        return Origin(self.principal, self.request_id)


class KeyRing:
    """Recognises keys. A key is looked up in the store at most once in four seconds, whether it exists or not, so that
    each process refuses one that was revoked soon; a text that is no key of ours is never looked up."""

    def __init__(
        self, keys: ApiKeyStore, *, uses: KeyUses | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._uses = uses

        @lru_cache(maxsize=CACHED_KEYS)
        def find(key_id: str, period: int) -> ApiKey | None:
            return keys.find(key_id)

        self._find = find

    def recognise(self, text: str, request_id: str) -> Caller:
        """Raises Unauthenticated for anything but a valid key; which of its faults it has is not told."""
        key_id, now = key_id_of(text), datetime.now(UTC)
        key = self._find(key_id, int(self._clock() // CACHE_SECONDS)) if key_id else None
        if key is None or not is_valid(key, text, stamp(now)):
            raise Unauthenticated
        if self._uses is not None:
            self._uses.note(key, now)
        tenant_id = None if key.platform else key.tenant_id
        return Caller(
            f"key:{key.key_id}",
            tenant_id,
            key.platform,
            scopes=key.held,
            request_id=request_id,
            key_id=key.key_id,
            role=key.role,
            expires_at=key.expires_at,
        )


@dataclass(frozen=True)
class Doorman:
    """Recognises everyone who may come in."""

    keys: KeyRing
    tokens: AccessTokens | None = None
    """None where no issuer of tokens is trusted."""

    def recognise(self, bearer: HTTPAuthorizationCredentials | None, header: str | None, request_id: str) -> Caller:
        """Raises Unauthenticated; Forbidden for a good token that gives no access; Unavailable while a token cannot be
        checked."""
        text = sent_text(bearer, header)
        if self.tokens is None or header is not None or text.count(".") != 2:
            return self.keys.recognise(text, request_id)
        bearing = self.tokens.verify(text)
        return Caller(
            f"oidc:{bearing.subject}",
            bearing.tenant_id,
            bearing.platform,
            scopes=bearing.scopes,
            request_id=request_id,
            expires_at=bearing.expires_at,
        )


def sent_text(bearer: HTTPAuthorizationCredentials | None, header: str | None) -> str:
    """The key or token of a request. Raises Unauthenticated without one, and for two that differ: one of them is a
    mistake."""
    texts = {text for text in (bearer.credentials if bearer else None, header) if text is not None}
    if len(texts) != 1:
        raise Unauthenticated
    return texts.pop()
