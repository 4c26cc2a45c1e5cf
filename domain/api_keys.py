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
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.tenants import PLATFORM
from domain.timestamps import stamp

_ALPHABET = string.digits + string.ascii_lowercase
_FORM = re.compile(r"(tek_([0-9a-z]{16})_[0-9a-z]{32})([0-9a-z]{6})", re.ASCII)


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    """May do everything, for every tenant."""


@dataclass(frozen=True)
class ApiKey:
    """What is stored of a key: never the key."""

    key_id: str
    tenant_id: str
    name: str
    digest: str
    role: Role
    created_at: str
    expires_at: str
    revoked_at: str | None = None


def new_key_text() -> str:
    """A fresh key, to be shown once."""
    body = f"tek_{_random(16)}_{_random(32)}"
    return body + _checksum(body)


def new_administrator_key(name: str, now: datetime, *, hours: int) -> tuple[str, ApiKey]:
    """A fresh administrator key that is valid for some hours: its text, to be shown once, and what is stored."""
    text = new_key_text()
    key = ApiKey(
        key_id=text[4:20],
        tenant_id=PLATFORM,
        name=name,
        digest=digest_of(text),
        role=Role.ADMINISTRATOR,
        created_at=stamp(now),
        expires_at=stamp(now + timedelta(hours=hours)),
    )
    return text, key


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
