"""RSA private keys in PEM, as customers submit them: read from the text alone, and within bounds.

A key is a customer's value, and what OpenSSL does with one before it says no can take minutes with Python's lock held:
it tests numbers of any length for primality, computes the public half of a DSA key, and derives a key for decryption in
as many rounds as the file asks for. So the numbers are read here, and OpenSSL gets an RSA key of 2,048 to 4,096 bits
whose numbers fit together, and nothing else. Whether the factors are prime is left to the cloud, which has the public
half and says whether the key is right.
"""

import re
from base64 import b64decode
from collections.abc import Iterator

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from providers import der
from providers.der import Damaged
from providers.pkcs8_encryption import NotTaken, decrypted

MIN_KEY_BITS, MAX_KEY_BITS = 2048, 4096
MAX_EXPONENT = 2**32 - 1
"""In use is 65,537 nearly everywhere. OpenSSL checks each signature with it, which a long one makes slow."""

BOUNDARY = re.compile(r"-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----", re.ASCII)
OLDER_FORM = re.compile(r"(Proc-Type: ?4,ENCRYPTED)\s{1,8}(DEK-Info: ?[A-Z0-9-]{1,32},[0-9A-Fa-f]{1,64})", re.ASCII)
"""How OpenSSL said that a key is encrypted, before PKCS #8."""
KEY_LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY")
RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")


class Unreadable(Exception):
    """No key, several of them, a damaged one, or another pass phrase."""


class Unsupported(Exception):
    """A key of another kind than RSA, one that is too short or too long, or one that takes too long to decrypt."""


def blocks(pem: str) -> Iterator[tuple[str, str]]:
    """The label and the whole text of each PEM block; what stands between blocks is left out. In linear time."""
    label, start = "", 0
    for found in BOUNDARY.finditer(pem):
        if found.group(1) == "BEGIN":
            label, start = found.group(2), found.start()
        elif found.group(2) == label:
            yield label, pem[start : found.end()]
            label = ""


def content(block: str) -> bytes:
    """What a block holds, however its base64 is broken into lines. Raises ValueError."""
    begin, *_, end = BOUNDARY.finditer(block)
    return b64decode("".join(block[begin.end() : end.start()].split()), validate=True)


def read_rsa_key(pem: str, passphrase: str) -> RSAPrivateKey:
    """The one private key in `pem`; an empty pass phrase is none. Raises Unreadable and Unsupported."""
    keys = {text: label for label, text in blocks(pem) if label.endswith("PRIVATE KEY")}
    if len(keys) != 1:
        raise Unreadable
    [(text, label)] = keys.items()
    if label not in KEY_LABELS:
        raise Unsupported
    try:
        return _checked(_numbers(text, label, passphrase)).private_key(unsafe_skip_rsa_key_validation=True)
    except (NotTaken, UnsupportedAlgorithm):
        raise Unsupported from None
    except (ValueError, TypeError, InternalError):
        # TypeError: encrypted without a pass phrase, or the other way round. InternalError: OpenSSL has no word for it.
        raise Unreadable from None


def _numbers(text: str, label: str, passphrase: str) -> RSAPrivateNumbers:
    if label == "RSA PRIVATE KEY" and (found := OLDER_FORM.search(text)):
        # A single round of MD5, and inside nothing but the numbers of an RSA key. Its headings need lines of their own.
        whole = f"-----BEGIN {label}-----\n{found.group(1)}\n{found.group(2)}\n\n{text[found.end() :].lstrip()}"
        key = load_pem_private_key(whole.encode(), passphrase.encode() or None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, RSAPrivateKey):
            raise Unsupported
        return key.private_numbers()
    if label.startswith("ENCRYPTED") != bool(passphrase):
        raise Unreadable
    structure = content(text)
    if passphrase:
        structure = decrypted(structure, passphrase)
    return _pkcs1(structure if label.startswith("RSA") else _pkcs8(structure))


def _pkcs8(structure: bytes) -> bytes:
    """The RSA key in a PrivateKeyInfo (RFC 5208)."""
    match der.sequence(structure):
        case [(der.INTEGER, _), (der.SEQUENCE, algorithm), (der.OCTET_STRING, key), *_]:
            if der.values(algorithm)[:1] != [(der.OID, RSA_ENCRYPTION)]:
                raise Unsupported
            return key
    raise Damaged


def _pkcs1(structure: bytes) -> RSAPrivateNumbers:
    """The numbers of an RSAPrivateKey with two primes (RFC 8017, appendix A.1.2)."""
    members = der.sequence(structure)
    if len(members) > 9:  # of more than two primes
        raise Unsupported
    if len(members) < 9 or any(tag != der.INTEGER for tag, _ in members):
        raise Damaged
    _, n, e, d, p, q, dmp1, dmq1, iqmp = (der.number(content) for _, content in members)
    return RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, RSAPublicNumbers(e, n))


def _checked(key: RSAPrivateNumbers) -> RSAPrivateNumbers:
    """Lengths first: with long numbers even a comparison of products takes its time."""
    n, e = key.public_numbers.n, key.public_numbers.e
    if not MIN_KEY_BITS <= n.bit_length() <= MAX_KEY_BITS or not 3 <= e <= MAX_EXPONENT:
        raise Unsupported
    p, q, d = key.p, key.q, key.d
    if max(p, q, d, key.dmp1, key.dmq1, key.iqmp) > n or min(p, q) < 3 or p % 2 == 0 or q % 2 == 0:
        raise Damaged
    fits = (
        p * q == n
        and d * e % (p - 1) == d * e % (q - 1) == 1
        and (key.dmp1, key.dmq1) == (d % (p - 1), d % (q - 1))
        and key.iqmp * q % p == 1
    )
    if not fits:
        raise Damaged
    return key
