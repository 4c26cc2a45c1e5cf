"""Oracle's request signature, version 1, for requests without a body, which are all that we send (docs.oracle.com,
"Request Signatures"; it follows draft-cavage-http-signatures-08)."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class Signer:
    """One user's key."""

    key_id: str = field(repr=False)
    """Tenancy, user and fingerprint, with slashes between."""
    key: RSAPrivateKey = field(repr=False)

    def headers(self, method: str, url: str, *, date: str) -> dict[str, str]:
        """The headers to send with a request; `date` in the form of HTTP."""
        place = urlsplit(url)
        target = place.path + (f"?{place.query}" if place.query else "")
        signed = f"date: {date}\n(request-target): {method.lower()} {target}\nhost: {place.netloc}"
        signature = b64encode(self.key.sign(signed.encode(), PKCS1v15(), SHA256())).decode()
        authorization = (
            f'Signature version="1",headers="date (request-target) host",keyId="{self.key_id}",'
            f'algorithm="rsa-sha256",signature="{signature}"'
        )
        return {"accept": "application/json", "date": date, "authorization": authorization}


def fingerprint_of(key: RSAPrivateKey) -> str:
    """What OCI names a key by, the MD5 digest of its public half (docs.oracle.com, "Required Keys and OCIDs")."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.md5(public, usedforsecurity=False).digest().hex(":")
