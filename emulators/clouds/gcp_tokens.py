"""What Google verifies of a signed token, with code of its own."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def parsed(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, unverified. Raises ValueError."""
    header, claims, _ = token.split(".")
    found = json.loads(decoded(header)), json.loads(decoded(claims))
    if not all(isinstance(part, dict) for part in found):
        raise ValueError
    return found


def is_signed_by(token: str, key: rsa.RSAPublicKey) -> bool:
    text, _, signature = token.rpartition(".")
    try:
        key.verify(decoded(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def key_in(json_web_key: Mapping[str, str]) -> rsa.RSAPublicKey:
    numbers = (int.from_bytes(decoded(json_web_key[name])) for name in ("e", "n"))
    return rsa.RSAPublicNumbers(*numbers).public_key()


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """As Google writes a private key into a key file."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def decoded(text: str) -> bytes:
    """Strictly: with an alphabet of its own, and no bit too many."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != text.rstrip("="):
        raise ValueError
    return content
