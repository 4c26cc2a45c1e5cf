"""API keys: a typed prefix, an id to find the key by, a secret of 160 random bits and a checksum.

`tek_<key id, 16 characters>_<secret, 32 characters><checksum, 6 characters>`. The prefix and the checksum let secret
scanners recognise a key; the checksum also lets a mistyped key be refused without asking the store. Only the SHA-256 of
the whole text is stored: with this much randomness a slow hash adds nothing.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.audit.events import AuditEvent, Origin, audit_event
from domain.callers.access import Role, Scope, scopes_held
from domain.callers.tenants import PLATFORM
from domain.timestamps import stamp

DAYS = 365
"""How long a key is valid unless something else is asked for."""

MAX_DAYS = 3650

_ALPHABET = string.digits + string.ascii_lowercase
_FORM = re.compile(r"(tek_([0-9a-z]{16})_[0-9a-z]{32})([0-9a-z]{6})", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-z]{16}", re.ASCII)


@dataclass(frozen=True)
class ApiKey:
    """What is stored of a key: never the key."""

    key_id: str
    tenant_id: str
    """`platform` for the keys of the platform."""
    name: str
    digest: str
    role: Role | None
    """None for a key that has scopes of its own."""
    created_at: str
    expires_at: str
    revoked_at: str | None = None
    scopes: tuple[Scope, ...] = ()
    platform: bool = False
    """Whether it acts for every tenant. Nothing else says so."""
    last_used_at: str | None = None
    """To the hour: it is written at most once in one."""

    @property
    def held(self) -> frozenset[Scope]:
        """Everything that it may do."""
        return scopes_held(self.role, self.scopes, platform=self.platform)

    @property
    def prefix(self) -> str:
        """The part of the key that is no secret, to recognise it by."""
        return f"tek_{self.key_id}"


def new_key_id() -> str:
    return _random(16)


def new_key_text(key_id: str | None = None) -> str:
    """A fresh key, to be shown once."""
    body = f"tek_{key_id or new_key_id()}_{_random(32)}"
    return body + _checksum(body)


def new_key(
    tenant_id: str,
    name: str,
    *,
    now: datetime,
    lifetime: timedelta,
    role: Role | None = None,
    scopes: tuple[Scope, ...] = (),
    key_id: str | None = None,
) -> tuple[str, ApiKey]:
    """A fresh key: its text, to be shown once, and what is stored of it."""
    text = new_key_text(key_id)
    key = ApiKey(
        key_id=text[4:20],
        tenant_id=tenant_id,
        name=name,
        digest=digest_of(text),
        role=role,
        created_at=stamp(now),
        expires_at=stamp(now + lifetime),
        scopes=scopes,
        platform=tenant_id == PLATFORM,
    )
    return text, key


def key_event(key: ApiKey, action: str, origin: Origin, *, operation: str, at: str) -> AuditEvent:
    """The event of a change of a key, with what it may do."""
    granted = {"role": key.role.value} if key.role else {"scopes": " ".join(key.scopes)}
    return audit_event(
        origin,
        operation=operation,
        tenant_id=key.tenant_id,
        action=action,
        target=f"api_key:{key.key_id}",
        at=at,
        details=granted,
    )


def is_key_id(text: str) -> bool:
    """Whether a text can be the id of a key."""
    return _KEY_ID.fullmatch(text) is not None


def key_id_of(text: str) -> str | None:
    """The id inside a key's text, None when its form or its checksum is wrong."""
    match = _FORM.fullmatch(text)
    if match is None or not hmac.compare_digest(match[3], _checksum(match[1])):
        return None
    return match[2]


def digest_of(text: str) -> str:
    """What is stored in place of the key."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_valid(key: ApiKey | None, text: str, now: str) -> bool:
    """Whether `text` is this key, and the key is neither expired nor revoked at `now` (a stamp)."""
    same = hmac.compare_digest(key.digest if key else "", digest_of(text))
    return key is not None and same and key.revoked_at is None and now < key.expires_at


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def _checksum(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 36)
        text += _ALPHABET[digit]
    return text


LAST_ADMINISTRATOR = (
    "This is the last key that administers the platform. Make another one first: nobody could make keys any more."
)


def remaining_administrator(key: ApiKey, administrators: Iterable[ApiKey], *, at: str) -> ApiKey | None:
    """Return a key that still administers the platform at a moment when `key` is revoked, or None when there is none.
    `administrators` are the platform's keys that may make keys, those that expired or were revoked included."""
    others = (one for one in administrators if one.key_id != key.key_id)
    return next((one for one in others if one.revoked_at is None and one.expires_at > at), None)
