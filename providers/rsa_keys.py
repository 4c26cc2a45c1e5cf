"""RSA private keys in PEM, as customers submit them: read from the text alone, and within bounds.

An encrypted key names itself how much work its decryption is. One that names two thousand million rounds would hold a
worker for minutes, so the rounds are read before anything is decrypted.
"""

import re
from base64 import b64decode
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

MIN_KEY_BITS = 2048
MAX_ROUNDS = 2_000_000
"""Three times what OWASP asks of PBKDF2 with SHA-256 (600,000 rounds); a third of a second of work."""
MAX_DEPTH = 8

KEY_LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY")
BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----\s(.{1,16384}?)-----END \1-----", re.ASCII | re.DOTALL)
SCRYPT = bytes.fromhex("06092b06010401da47040b")
"""The object identifier 1.3.6.1.4.1.11591.4.11 (RFC 7914). Its parameters multiply, and ask for memory as well."""

SEQUENCE, INTEGER = 0x30, 0x02


class Unreadable(Exception):
    """No key, several of them, a damaged one, or another pass phrase."""


class Unsupported(Exception):
    """A key of another kind than RSA, one that is too short, or one that takes too long to decrypt."""


def blocks(pem: str) -> Iterator[tuple[str, str]]:
    """The label and the whole text of each PEM block; what stands between blocks is left out."""
    for found in BLOCK.finditer(pem):
        yield found.group(1), found.group(0)


def read_rsa_key(pem: str, passphrase: str) -> RSAPrivateKey:
    """The one private key in `pem`; an empty pass phrase is none. Raises Unreadable and Unsupported."""
    keys = {text: label for label, text in blocks(pem) if label.endswith("PRIVATE KEY")}
    if len(keys) != 1:
        raise Unreadable
    [(text, label)] = keys.items()
    if label not in KEY_LABELS:
        raise Unsupported
    key = _load(text, passphrase, encrypted=label.startswith("ENCRYPTED"))
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise Unsupported
    return key


def _load(text: str, passphrase: str, *, encrypted: bool) -> object:
    password = passphrase.encode() or None
    try:
        # The bytes that were looked at are the bytes that are decrypted: PEM can be read in more ways than one.
        return (
            load_der_private_key(_affordable(text), password)
            if encrypted
            else load_pem_private_key(text.encode(), password)
        )
    except UnsupportedAlgorithm:
        raise Unsupported from None
    except (ValueError, TypeError, IndexError):  # TypeError: encrypted without a pass phrase, or the other way round
        raise Unreadable from None


def _affordable(text: str) -> bytes:
    """The DER of an encrypted key. Raises Unsupported when its decryption would take long: the rounds are plain
    integers in the description of the algorithm (RFC 8018). Raises ValueError or IndexError for what is no DER."""
    found = BLOCK.fullmatch(text)
    der = b64decode("".join(found.group(2).split()) if found else "", validate=True)
    if max(_integers(der), default=0) > MAX_ROUNDS or SCRYPT in der:
        raise Unsupported
    return der


def _integers(der: bytes, depth: int = 0) -> Iterator[int]:
    """The integers in a DER structure, in sequences of sequences."""
    position = 0
    while position < len(der):
        tag, start, end = _header(der, position)
        if tag == SEQUENCE and depth < MAX_DEPTH:
            yield from _integers(der[start:end], depth + 1)
        elif tag == INTEGER:
            yield int.from_bytes(der[start:end])
        position = end


def _header(der: bytes, position: int) -> tuple[int, int, int]:
    """Tag, start and end of the value at a position. Raises IndexError at the end of the bytes."""
    tag, length, start = der[position], der[position + 1], position + 2
    if length >= 0x80:
        size = length - 0x80
        length, start = int.from_bytes(der[start : start + size]), start + size
    return tag, start, start + length
