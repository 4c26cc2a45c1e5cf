"""Private keys that no library would make, written number by number."""

from base64 import b64encode
from math import gcd
from random import Random

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

RSA, DSA = bytes.fromhex("06092a864886f70d010101"), bytes.fromhex("06072a8648ce380401")
PBES2, PBKDF2 = bytes.fromhex("06092a864886f70d01050d"), bytes.fromhex("06092a864886f70d01050c")
HMAC_SHA512, AES_256 = bytes.fromhex("06082a864886f70d020b"), bytes.fromhex("060960864801650304012a")
SALT, VECTOR = b"salt" * 4, b"i" * 16


def value(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, size] if size < 0x80 else [tag, 0x80 + len(length), *length]) + content


def number(given: int) -> bytes:
    return value(2, given.to_bytes(given.bit_length() // 8 + 1))


def sequence(*parts: bytes) -> bytes:
    return value(0x30, *parts)


def octets(content: bytes) -> bytes:
    return value(4, content)


def block(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{b64encode(der).decode()}\n-----END {label}-----\n"


def rsa_numbers(key: rsa.RSAPrivateKey, **changed: int) -> bytes:
    """The key in PKCS #1, with some of its numbers changed."""
    numbers = key.private_numbers()
    written = {
        "version": 0,
        "n": numbers.public_numbers.n,
        "e": numbers.public_numbers.e,
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dmp1": numbers.dmp1,
        "dmq1": numbers.dmq1,
        "iqmp": numbers.iqmp,
    } | changed
    return sequence(*(number(given) for given in written.values()))


def long_rsa(bits: int) -> bytes:
    """PKCS #1 of that many bits, whose numbers fit together. That the factors are no primes takes time to find out."""
    random, e = Random(bits), 65537
    while True:
        p, q = (random.getrandbits(bits // 2) | 1 | 3 << (bits // 2 - 2) for _ in range(2))
        if gcd(p, q) == gcd(e, (p - 1) * (q - 1)) == 1:
            break
    d = pow(e, -1, (p - 1) * (q - 1))
    return sequence(*(number(n) for n in (0, p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))


def pkcs8(numbers: bytes) -> bytes:
    return sequence(number(0), sequence(RSA, value(5)), octets(numbers))


def long_dsa(bits: int = 20_000) -> bytes:
    """PKCS #8. OpenSSL works out the public half when it loads one: seconds, at this length."""
    domain = sequence(number(2**bits - 129), number(2**256 - 189), number(3))
    return sequence(number(0), sequence(DSA, domain), octets(number(2**bits // 3)))


def hidden(der: bytes, passphrase: str, *, rounds: int) -> str:
    """Encrypted with as slow a digest as there is."""
    key = PBKDF2HMAC(SHA512(), 32, SALT, rounds).derive(passphrase.encode())
    padding, encryptor = PKCS7(128).padder(), Cipher(AES(key), CBC(VECTOR)).encryptor()
    padded = padding.update(der) + padding.finalize()
    return asking(
        PBKDF2, octets(SALT), number(rounds), sequence(HMAC_SHA512, value(5)), content=encryptor.update(padded)
    )


def asking(derivation: bytes, *parameters: bytes, content: bytes = b"x" * 64) -> str:
    """An encrypted key that asks for this derivation."""
    how = sequence(sequence(derivation, sequence(*parameters)), sequence(AES_256, octets(VECTOR)))
    return block("ENCRYPTED PRIVATE KEY", sequence(sequence(PBES2, how), octets(content)))
