"""What Azure signs and verifies: access tokens, client assertions, certificates."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Microsoft's, which signs every access token."""
    return rsa.generate_private_key(65537, 2048)


def signed(claims: Mapping[str, object]) -> str:
    text = ".".join(unb64(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{text}.{unb64(signing_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def parsed(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, unverified. Raises ValueError."""
    header, claims, _ = token.split(".")
    return json.loads(b64(header)), json.loads(b64(claims))


def verified(token: str) -> Mapping[str, Any]:
    """The claims of an access token. Raises ValueError and InvalidSignature."""
    text, _, signature = token.rpartition(".")
    signing_key().public_key().verify(b64(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return parsed(token)[1]


def names(header: Mapping[str, Any], certificate: x509.Certificate) -> bool:
    """Whether the header means this certificate: by SHA-256, or by SHA-1 as the older libraries do."""
    if "x5t#S256" in header:
        return b64(header["x5t#S256"]) == certificate.fingerprint(hashes.SHA256())
    return b64(header.get("x5t", "")) == certificate.fingerprint(hashes.SHA1())  # noqa: S303  # nosec B303


def is_signed(assertion: str, algorithm: object, certificate: x509.Certificate) -> bool:
    text, _, signature = assertion.rpartition(".")
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    paddings: dict[object, padding.AsymmetricPadding] = {"PS256": pss, "RS256": padding.PKCS1v15()}
    if algorithm not in paddings:
        return False
    try:
        key.verify(b64(signature), text.encode(), paddings[algorithm], hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def made_certificate(
    passphrase: str = "", *, days: int = 30, key: rsa.RSAPrivateKey | None = None
) -> tuple[str, x509.Certificate]:
    """A certificate and its private key as one PEM text, and the certificate."""
    key = key or rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "threat-engine")])
    end = datetime.now(UTC) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=60))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return certificate.public_bytes(serialization.Encoding.PEM).decode() + private.decode(), certificate


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unb64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
