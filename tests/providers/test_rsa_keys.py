"""Private keys as customers paste them: read when they can be used, refused before they cost anything."""

import time
from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from providers.rsa_keys import Unreadable, Unsupported, read_rsa_key

KEY = rsa.generate_private_key(65537, 2048)
PBES2, PBKDF2 = bytes.fromhex("06092a864886f70d01050d"), bytes.fromhex("06092a864886f70d01050c")
SCRYPT, AES = bytes.fromhex("06092b06010401da47040b"), bytes.fromhex("060960864801650304012a")
PBE_SHA1_3DES = bytes.fromhex("060a2a864886f70d010c0103")
SECONDS = 0.5


def pem_of(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, **more: PrivateFormat
) -> str:
    return key.private_bytes(Encoding.PEM, more.get("form", PrivateFormat.PKCS8), NoEncryption()).decode()


def encrypted(passphrase: str, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return KEY.private_bytes(Encoding.PEM, form, BestAvailableEncryption(passphrase.encode())).decode()


def block(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{b64encode(der).decode()}\n-----END {label}-----\n"


def value(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content).to_bytes(2, "big")
    return bytes([tag, 0x82]) + size + content


def number(given: int) -> bytes:
    return value(2, given.to_bytes(8, "big"))


def sequence(*parts: bytes) -> bytes:
    return value(0x30, *parts)


def asking(derivation: bytes, *parameters: bytes) -> str:
    """An encrypted key that asks for this derivation; what it would decrypt is nothing."""
    how = sequence(PBES2, sequence(sequence(derivation, sequence(*parameters)), sequence(AES, value(4, b"i" * 16))))
    return block("ENCRYPTED PRIVATE KEY", sequence(how, value(4, b"x" * 64)))


@pytest.mark.parametrize(
    ("pem", "passphrase"),
    [
        (pem_of(KEY), ""),
        (pem_of(KEY, form=PrivateFormat.TraditionalOpenSSL), ""),
        (encrypted("open sesame"), "open sesame"),
        (encrypted("open sesame", PrivateFormat.TraditionalOpenSSL), "open sesame"),
        (pem_of(KEY).replace("\n", "\r\n"), ""),
        ("Bag Attributes\n    localKeyID: 01\n" + pem_of(KEY), ""),
    ],
    ids=["pkcs8", "openssl", "encrypted pkcs8", "encrypted openssl", "windows", "with a heading"],
)
def test_a_key_is_read(pem: str, passphrase: str):
    assert read_rsa_key(pem, passphrase).public_key() == KEY.public_key()


UNREADABLE: dict[str, tuple[Callable[[], str], str]] = {
    "nothing": (lambda: "", ""),
    "a public key": (lambda: block("PUBLIC KEY", b"x"), ""),
    "a path": (lambda: "file:///etc/passwd", ""),
    "damaged": (lambda: pem_of(KEY).replace("A", "B"), ""),
    "cut off": (lambda: pem_of(KEY)[:400], ""),
    "no base64": (lambda: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nä: b\n-----END ENCRYPTED PRIVATE KEY-----", "x"),
    "headings inside": (lambda: encrypted("x").replace("KEY-----\n", "KEY-----\nIter: 1\n\n", 1), "x"),
    "no der": (lambda: block("ENCRYPTED PRIVATE KEY", b"\x30"), "x"),
    "two keys": (lambda: pem_of(KEY) + encrypted("x"), "x"),
    "wrong phrase": (lambda: encrypted("right"), "wrong"),
    "no phrase": (lambda: encrypted("right"), ""),
    "needless phrase": (lambda: pem_of(KEY), "needless"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_said_to_be_so(name: str):
    make, passphrase = UNREADABLE[name]
    with pytest.raises(Unreadable):
        read_rsa_key(make(), passphrase)


UNSUPPORTED: dict[str, Callable[[], str]] = {
    "1024 bits": lambda: pem_of(rsa.generate_private_key(65537, 1024)),  # noqa: S505  # to be refused
    "elliptic": lambda: pem_of(ec.generate_private_key(ec.SECP256R1())),
    "edwards": lambda: pem_of(ed25519.Ed25519PrivateKey.generate()),
    "openssh": lambda: pem_of(KEY, form=PrivateFormat.OpenSSH),
    "two thousand million rounds": lambda: asking(PBKDF2, value(4, b"salt" * 4), number(2**31 - 1)),
    "more than any counter holds": lambda: asking(PBKDF2, value(4, b"salt" * 4), number(2**63 - 1)),
    "scrypt": lambda: asking(SCRYPT, value(4, b"salt" * 4), number(2**20), number(8), number(64)),
    "rounds of the older kind": lambda: block(
        "ENCRYPTED PRIVATE KEY",
        sequence(sequence(PBE_SHA1_3DES, sequence(value(4, b"saltsalt"), number(2**31 - 1))), value(4, b"x" * 64)),
    ),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_not_supported_is_refused_at_once(name: str):
    pem = UNSUPPORTED[name]()
    started = time.process_time()
    with pytest.raises(Unsupported):
        read_rsa_key(pem, "x" if "ENCRYPTED" in pem else "")
    assert time.process_time() - started < SECONDS


def test_an_endless_text_is_looked_through_quickly():
    hostile = "-----BEGIN PRIVATE KEY-----\n" * 600
    started = time.process_time()
    with pytest.raises(Unreadable):
        read_rsa_key(hostile, "")
    assert time.process_time() - started < SECONDS


def test_a_deep_structure_is_not_followed_to_its_end():
    der = b""
    for _ in range(2000):
        der = value(0x30, der)
    with pytest.raises(Unreadable):
        read_rsa_key(block("ENCRYPTED PRIVATE KEY", der), "x")
