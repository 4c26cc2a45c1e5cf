"""JSON Web Tokens signed with RS256, as text: what is signed, and the whole. Whoever holds a key makes the signature.

Sources: RFC 7515 for the form, RFC 7518 section 3.3 for RS256, RFC 7638 for the name of a key.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256


def signing_input(key_id: str, claims: Mapping[str, object]) -> bytes:
    """The bytes that the signature of a token is made of: RSASSA-PKCS1-v1_5 with SHA-256."""
    header = {"alg": "RS256", "kid": key_id, "typ": "JWT"}
    return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims)).encode()


def compact(signed: bytes, signature: bytes) -> str:
    return f"{signed.decode()}.{base64url(signature)}"


def rsa_key(modulus: int, exponent: int) -> dict[str, str]:
    """The public half of a key as a JSON Web Key, named by its thumbprint: equal keys have equal names everywhere."""
    numbers = {"e": base64url(_bytes(exponent)), "kty": "RSA", "n": base64url(_bytes(modulus))}
    thumbprint = sha256(json.dumps(numbers, sort_keys=True, separators=(",", ":")).encode()).digest()
    return {**numbers, "alg": "RS256", "use": "sig", "kid": base64url(thumbprint)}


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
