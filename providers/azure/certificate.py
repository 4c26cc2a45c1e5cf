"""The certificate of an application, and the assertion that proves it to Entra ID.

Source: "Microsoft identity platform application authentication certificate credentials": PS256, the certificate named
by `x5t#S256`, the token address as audience, and a life of ten minutes at most.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate, load_der_x509_certificate
from cryptography.x509.oid import PublicKeyAlgorithmOID

from domain.json_web_tokens import base64url
from providers.azure.errors import Reason
from providers.checks import Refused
from providers.rsa_keys import Unreadable, Unsupported, blocks, content, read_rsa_key

ASSERTION_SECONDS = 600


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate with its private key."""

    certificate: Certificate = field(repr=False)
    key: RSAPrivateKey = field(repr=False)

    @property
    def has_expired(self) -> bool:
        return self.certificate.not_valid_after_utc < datetime.now(UTC)

    def assertion(self, client_id: str, audience: str) -> str:
        """A token signed by the key that says: I am this client, and I ask at this address."""
        now = int(time.time())
        thumbprint = self.certificate.fingerprint(SHA256())
        header = {"alg": "PS256", "typ": "JWT", "x5t#S256": base64url(thumbprint)}
        claims = {
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_SECONDS,
        }
        signed = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}"
        # RFC 7518, section 3.5: the salt is as long as the hash
        padding = PSS(MGF1(SHA256()), salt_length=SHA256.digest_size)
        return f"{signed}.{base64url(self.key.sign(signed.encode(), padding, SHA256()))}"


def read_certificate(pem: str, passphrase: str) -> ClientCertificate:
    """The certificate in `pem` that belongs to the key in it; a chain's other certificates are left out. Raises
    Refused."""
    try:
        key = read_rsa_key(pem, passphrase)
        texts = [text for label, text in blocks(pem) if label == "CERTIFICATE"]
        certificates = [load_der_x509_certificate(content(text)) for text in texts]
        own = next((found for found in certificates if _is_of(found, key)), None)
    except Unsupported:
        raise Refused(Reason.KEY_UNSUPPORTED) from None
    except (Unreadable, UnsupportedAlgorithm, ValueError):
        raise Refused(Reason.CERTIFICATE_UNREADABLE) from None
    if own is None:
        raise Refused(Reason.KEY_MISMATCH if certificates else Reason.CERTIFICATE_UNREADABLE)
    return ClientCertificate(own, key)


def _is_of(certificate: Certificate, key: RSAPrivateKey) -> bool:
    # Other kinds of public keys are not even loaded: OpenSSL computes with some, however long they are.
    rsa = certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5
    return rsa and certificate.public_key() == key.public_key()
