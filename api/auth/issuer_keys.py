"""The public keys of the issuer of access tokens: fetched by its metadata, kept, and used on while it is down.

Sources: OpenID Connect Discovery 1.0, section 4, for where the keys are; RFC 7517 for their form.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import BoundedSemaphore, Lock
from typing import Any

import jwt
import structlog

from domain.errors import Trouble, Unavailable

ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
"""By the type of a key: each has one algorithm."""

REFRESH_SECONDS = 600
"""After that the keys are fetched again; the issuer publishes a new one for longer before it signs with it."""
PAUSE_SECONDS = 60
"""Between two fetches at least, whatever is asked for."""
STALE_SECONDS = 24 * 3600
"""For so long the last keys are good while no new ones can be had."""
WAIT_SECONDS = 10
MOST_WAITING = 8

MAX_KEYS = 100
MAX_KID_CHARACTERS = 256
MIN_RSA_BITS = 2048

UNKNOWN = "Access tokens cannot be checked now: the issuer's keys could not be fetched. Repeat the request later."

Keys = Mapping[str, jwt.PyJWK]

log = structlog.get_logger("api")


class IssuerKeys:
    """Fetches in a thread of its own. Whoever has a known key never waits for it."""

    def __init__(
        self,
        fetch: Callable[[], Mapping[str, Any]],
        *,
        clock: Callable[[], float] = time.monotonic,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """`fetch` gives the issuer's key set, or raises Trouble."""
        self._fetch = fetch
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="issuer-keys")
        self._lock = Lock()
        self._waiting = BoundedSemaphore(MOST_WAITING)
        self._pending: Future[None] | None = None
        self._tried_at: float | None = None
        self._fetched: tuple[float, Keys] | None = None

    def find(self, kid: str) -> jwt.PyJWK | None:
        """None for a key that the issuer does not have. Raises Unavailable while it is not known what it has."""
        known, age = self._known()
        if kid in known:
            if age > REFRESH_SECONDS:
                self._refresh()
            return known[kid]
        self._wait_for(self._refresh())
        known, _ = self._known()
        if not known:
            raise Unavailable(UNKNOWN, retry_after=PAUSE_SECONDS)
        return known.get(kid)

    def _known(self) -> tuple[Keys, float]:
        """The keys that may be used, and how many seconds ago they were fetched."""
        if self._fetched is None:
            return {}, 0
        at, keys = self._fetched
        age = self._clock() - at
        return (keys if age <= STALE_SECONDS else {}), age

    def _refresh(self) -> Future[None] | None:
        """The fetch that is under way, or a new one when it is time for one."""
        with self._lock:
            if self._pending is not None and not self._pending.done():
                return self._pending
            now = self._clock()
            if self._tried_at is not None and now - self._tried_at < PAUSE_SECONDS:
                return None
            self._tried_at = now
            self._pending = self._fetcher.submit(self._replace)
            return self._pending

    def _wait_for(self, pending: Future[None] | None) -> None:
        """Only a few wait: a flood of unknown keys must not hold all threads."""
        if pending is not None and self._waiting.acquire(blocking=False):
            try:
                wait([pending], timeout=self._wait_seconds)
            finally:
                self._waiting.release()

    def _replace(self) -> None:
        """The last keys stay when none can be had: one bad answer must not lock everyone out."""
        try:
            keys = usable(self._fetch())
        except Trouble as trouble:
            log.warning("issuer.keys_not_fetched", code=trouble.code)
            return
        if keys:
            self._fetched = (self._clock(), keys)
        else:
            log.warning("issuer.has_no_usable_key")


def usable(key_set: Mapping[str, Any]) -> Keys:
    """The keys of a set that may have signed a token: public, with a name, for one of our algorithms, long enough."""
    listed = key_set.get("keys")
    found = [_key(each) for each in listed[:MAX_KEYS]] if isinstance(listed, list) else []
    return {str(key.key_id): key for key in found if key is not None}


def _key(described: Any) -> jwt.PyJWK | None:
    if not isinstance(described, dict) or described.get("use", "sig") != "sig" or "d" in described:
        return None
    kid, algorithm = described.get("kid"), ALGORITHMS.get(str(described.get("kty")))
    named = isinstance(kid, str) and 0 < len(kid) <= MAX_KID_CHARACTERS
    if not named or algorithm is None or described.get("alg", algorithm) != algorithm:
        return None
    if algorithm == "ES256" and described.get("crv") != "P-256":
        return None
    try:
        key = jwt.PyJWK(described, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if algorithm == "ES256" or key.key.key_size >= MIN_RSA_BITS else None
