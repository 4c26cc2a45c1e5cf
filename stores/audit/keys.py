"""The signatures of the audit trail: made by KMS, whose private key nobody sees, and checked by whoever has the public
half. They are ECDSA over P-256 with SHA-256, as `openssl dgst -sha256 -verify` takes them."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from domain.audit.trail import AuditDigest
from domain.errors import InvalidInput, PlatformConfig
from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

PublicKey = EllipticCurvePublicKey


class KmsAuditSigner:
    """`key_id` is an id, an ARN or an alias of a key pair of the kind ECC_NIST_P256. Needs kms:Sign."""

    def __init__(self, kms: "KMSClient", *, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    @aws_failures()
    def sign(self, message: bytes) -> str:
        answer = self._kms.sign(
            KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
        )
        return base64.b64encode(answer["Signature"]).decode()


@aws_failures()
def public_key_of(kms: "KMSClient", key_id: str) -> PublicKey:
    """Needs kms:GetPublicKey. Raises PlatformConfig for a key of another kind."""
    found = load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    if not isinstance(found, PublicKey):
        raise PlatformConfig("The key for the audit trail is not an ECC_NIST_P256 key; the operators have been told.")
    return found


def read_public_key(pem: bytes) -> PublicKey:
    """Raises InvalidInput."""
    try:
        found = load_pem_public_key(pem)
    except ValueError:
        found = None
    if not isinstance(found, PublicKey):
        raise InvalidInput("The public key is not an elliptic curve key in PEM form.")
    return found


def pem_of(key: PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def name_of(key: PublicKey) -> str:
    """The key's own fingerprint, for comparing it with one that was noted elsewhere."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def checker(keys: Sequence[PublicKey]) -> Callable[[AuditDigest], bool]:
    """Whether one of the keys has signed a digest as it is."""

    def is_good(digest: AuditDigest) -> bool:
        return any(_fits(key, digest) for key in keys)

    return is_good


def _fits(key: PublicKey, digest: AuditDigest) -> bool:
    try:
        key.verify(base64.b64decode(digest.signature, validate=True), digest.signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
