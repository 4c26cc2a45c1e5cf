"""Private keys that are encrypted with a pass phrase, as OpenSSL writes them: PKCS #8 with PBES2 and PBKDF2 (RFC 8018).

An encrypted key names itself how much work its decryption is, so what it asks for is read first. OpenSSL's own reader
would also load whatever comes out, before anybody could look at it.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA1, SHA224, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from providers import der
from providers.der import Damaged

MAX_ROUNDS = 50_000
"""OpenSSL writes 2,048, Java 10,000 and the library cryptography 20,000. With the slowest digest these are 65 ms of
work, in which no other thread of the worker runs."""

PBES2 = bytes.fromhex("2a864886f70d01050d")
PBKDF2 = bytes.fromhex("2a864886f70d01050c")
DIGESTS: dict[bytes, HashAlgorithm] = {
    bytes.fromhex("2a864886f70d0207"): SHA1(),  # noqa: S303  # nosec B303  # the customer's choice, and no signature
    bytes.fromhex("2a864886f70d0208"): SHA224(),
    bytes.fromhex("2a864886f70d0209"): SHA256(),
    bytes.fromhex("2a864886f70d020a"): SHA384(),
    bytes.fromhex("2a864886f70d020b"): SHA512(),
}
KEY_BYTES = {
    bytes.fromhex("608648016503040102"): 16,
    bytes.fromhex("608648016503040116"): 24,
    bytes.fromhex("60864801650304012a"): 32,
}
"""AES-CBC by the length of the key."""


class NotTaken(Exception):
    """Encrypted in a way that is not supported, or that takes too long to undo."""


def decrypted(encrypted: bytes, passphrase: str) -> bytes:
    """What is in an EncryptedPrivateKeyInfo; garbage as a rule for another pass phrase. Raises Damaged, NotTaken."""
    match der.sequence(encrypted):
        case [(der.SEQUENCE, algorithm), (der.OCTET_STRING, hidden)]:
            pass
        case _:
            raise Damaged
    match der.values(algorithm):
        case [(der.OID, scheme), (der.SEQUENCE, parameters)] if scheme == PBES2:
            pass
        case _:
            raise NotTaken
    match der.values(parameters):
        case [(der.SEQUENCE, derivation), (der.SEQUENCE, cipher)]:
            return _decrypted(hidden, passphrase, derivation, cipher)
    raise Damaged


def _decrypted(hidden: bytes, passphrase: str, derivation: bytes, cipher: bytes) -> bytes:
    match der.values(cipher):
        case [(der.OID, name), (der.OCTET_STRING, vector)] if name in KEY_BYTES:
            key = _derived(derivation, passphrase, KEY_BYTES[name])
        case _:
            raise NotTaken
    if len(vector) != AES.block_size // 8:
        raise Damaged
    decryptor, padding = Cipher(AES(key), CBC(vector)).decryptor(), PKCS7(AES.block_size).unpadder()
    try:
        padded = decryptor.update(hidden) + decryptor.finalize()
        return padding.update(padded) + padding.finalize()
    except ValueError:
        raise Damaged from None


def _derived(derivation: bytes, passphrase: str, length: int) -> bytes:
    """The key that the pass phrase stands for."""
    match der.values(derivation):
        case [(der.OID, name), (der.SEQUENCE, parameters)] if name == PBKDF2:
            pass
        case _:
            raise NotTaken
    digest: HashAlgorithm = SHA1()  # noqa: S303  # nosec B303  # what it is where the file names none
    match der.values(parameters):
        case [(der.OCTET_STRING, salt), (der.INTEGER, rounds), *others]:
            pass
        case _:
            raise Damaged
    for tag, content in others:
        if tag == der.INTEGER and der.number(content) != length:
            raise Damaged
        if tag == der.SEQUENCE:
            digest = _digest(content)
    count = der.number(rounds)
    if not 1 <= count <= MAX_ROUNDS:
        raise NotTaken
    return PBKDF2HMAC(digest, length, salt, count).derive(passphrase.encode())


def _digest(content: bytes) -> HashAlgorithm:
    match der.values(content):
        case [(der.OID, name), *_] if name in DIGESTS:
            return DIGESTS[name]
    raise NotTaken
