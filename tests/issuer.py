"""An OpenID Connect issuer of tests: real keys, real signatures, and tokens of whatever parts."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from domain.json_web_tokens import base64url

ISSUER = "https://login.example.com/realm"
AUDIENCE = "threat-engine"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signature(key: PrivateKey, signed: bytes) -> bytes:
    """As RS256 and ES256 have it."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def described(key: PrivateKey, kid: str, **more: Any) -> dict[str, Any]:
    """The public half as a JSON Web Key."""
    public: Any = key.public_key()
    made = RSAAlgorithm.to_jwk(public) if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm.to_jwk(public)
    return {**json.loads(made), "kid": kid, "use": "sig", **more}


def token(header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes, sign: Callable[[bytes], bytes]) -> str:
    """Of whatever parts; bytes stay as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signed = ".".join(base64url(part) for part in parts).encode()
    return f"{signed.decode()}.{base64url(sign(signed))}"


@dataclass
class Issuer:
    """Signs with the RSA key unless told otherwise."""

    tenant_id: str = field(default_factory=lambda: str(uuid4()))
    keys: dict[str, PrivateKey] = field(default_factory=lambda: {"rsa-1": rsa_key("issuer"), "ec-1": ec_key("issuer")})
    fetches: int = 0

    def key_set(self) -> dict[str, Any]:
        self.fetches += 1
        return {"keys": [described(key, kid) for kid, key in self.keys.items()]}

    def header(self, by: str = "rsa-1", /, **changes: Any) -> dict[str, Any]:
        algorithm = "RS256" if isinstance(self.keys[by], rsa.RSAPrivateKey) else "ES256"
        return without_none({"alg": algorithm, "typ": "at+jwt", "kid": by, **changes})

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "auth0|user-1",
            "client_id": "portal",
            "iat": now,
            "exp": now + 300,
            "jti": str(uuid4()),
            "tenant_id": self.tenant_id,
            "scope": "openid accounts:read",
            **changes,
        }
        return without_none(claims)

    def signer(self, kid: str = "rsa-1") -> Callable[[bytes], bytes]:
        return lambda signed: signature(self.keys[kid], signed)

    def good(self, kid: str = "rsa-1", **claims: Any) -> str:
        return token(self.header(kid), self.claims(**claims), self.signer(kid))

    def odd(self, kid: str = "rsa-1", **header: Any) -> str:
        """Signed by the issuer, with another header."""
        return token(self.header(kid, **header), self.claims(), self.signer(kid))


def without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def hmac_with(key: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.new(key, signed, hashlib.sha256).digest()
