"""When a key was last used, to the hour. No request waits for it, and none fails because of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock

import structlog

from domain.callers.api_keys import ApiKey
from domain.errors import Trouble
from domain.ports import ApiKeyStore
from domain.timestamps import stamp

EVERY = timedelta(hours=1)
MOST_REMEMBERED = 10_000
MOST_WAITING = 100

log = structlog.get_logger("api")


class KeyUses:
    """Writes in a thread of its own, at most once an hour for each key. When writing is slow, uses are forgotten."""

    def __init__(self, keys: ApiKeyStore) -> None:
        self._keys = keys
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="key-uses")
        self._lock = Lock()
        self._noted: dict[str, datetime] = {}
        self._waiting = 0

    def note(self, key: ApiKey, now: datetime) -> None:
        if (key.last_used_at or "") >= stamp(now - EVERY) or not self._is_due(key.key_id, now):
            return
        self._writer.submit(self._write, key, now)

    def _is_due(self, key_id: str, now: datetime) -> bool:
        """Reads of a key lag behind its writes, so what was written is remembered here as well."""
        with self._lock:
            if self._waiting >= MOST_WAITING or now - self._noted.get(key_id, now - EVERY) < EVERY:
                return False
            if len(self._noted) >= MOST_REMEMBERED:
                self._noted.clear()
            self._noted[key_id] = now
            self._waiting += 1
            return True

    def _write(self, key: ApiKey, now: datetime) -> None:
        try:
            self._keys.note_use(key.tenant_id, key.key_id, at=stamp(now), noted_before=stamp(now - EVERY))
        except Trouble as trouble:
            log.info("key.use_not_noted", code=trouble.code)
        finally:
            with self._lock:
                self._waiting -= 1
