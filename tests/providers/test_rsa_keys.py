"""Private keys as customers paste them: read when they can be used, refused before they cost anything."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from providers.pkcs8_encryption import MAX_ROUNDS
from providers.rsa_keys import KEY_LABELS, MAX_KEY_BITS, Unreadable, Unsupported, read_rsa_key
from tests.providers.der_keys import (
    PBKDF2,
    asking,
    block,
    hidden,
    long_dsa,
    long_rsa,
    number,
    octets,
    pkcs8,
    rsa_numbers,
    sequence,
    value,
)

KEY = rsa.generate_private_key(65537, 2048)
SCRYPT, PBE_SHA1_3DES = bytes.fromhex("06092b06010401da47040b"), bytes.fromhex("060a2a864886f70d010c0103")
SECONDS = 0.15
"""Of processor time, in which no other thread of the worker runs."""


def pem_of(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, **more: PrivateFormat
) -> str:
    return key.private_bytes(Encoding.PEM, more.get("form", PrivateFormat.PKCS8), NoEncryption()).decode()


def encrypted(passphrase: str, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return KEY.private_bytes(Encoding.PEM, form, BestAvailableEncryption(passphrase.encode())).decode()


@pytest.mark.parametrize(
    ("pem", "passphrase"),
    [
        (pem_of(KEY), ""),
        (pem_of(KEY, form=PrivateFormat.TraditionalOpenSSL), ""),
        (encrypted("open sesame"), "open sesame"),
        (encrypted("open sesame", PrivateFormat.TraditionalOpenSSL), "open sesame"),
        (pem_of(KEY).replace("\n", "\r\n"), ""),
        (pem_of(KEY).replace("\n", " "), ""),
        (pem_of(KEY).replace("\n", ""), ""),
        (encrypted("open sesame", PrivateFormat.TraditionalOpenSSL).replace("\n", " "), "open sesame"),
        ("Bag Attributes\n    localKeyID: 01\n" + pem_of(KEY), ""),
    ],
    ids=[
        "pkcs8",
        "openssl",
        "encrypted pkcs8",
        "encrypted openssl",
        "windows",
        "in one line",
        "without blanks",
        "encrypted openssl in one line",
        "with a heading",
    ],
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
    "8192 bits": lambda: block("PRIVATE KEY", pkcs8(long_rsa(8192))),
    "8192 bits of the older kind": lambda: block("RSA PRIVATE KEY", long_rsa(8192)),
    "8192 bits, encrypted": lambda: hidden(pkcs8(long_rsa(8192)), "x", rounds=MAX_ROUNDS),
    "a long exponent": lambda: block("RSA PRIVATE KEY", rsa_numbers(KEY, e=2**2000 + 1)),
    "three primes": lambda: block("RSA PRIVATE KEY", sequence(*[number(9)] * 10)),
    "elliptic": lambda: pem_of(ec.generate_private_key(ec.SECP256R1())),
    "edwards": lambda: pem_of(ed25519.Ed25519PrivateKey.generate()),
    "openssh": lambda: pem_of(KEY, form=PrivateFormat.OpenSSH),
    "dsa": lambda: block("PRIVATE KEY", long_dsa()),
    "dsa, encrypted": lambda: hidden(long_dsa(), "x", rounds=MAX_ROUNDS),
    "more rounds than are done": lambda: asking(PBKDF2, octets(b"salt" * 4), number(MAX_ROUNDS + 1)),
    "two thousand million rounds": lambda: asking(PBKDF2, octets(b"salt" * 4), number(2**31 - 1)),
    "more than any counter holds": lambda: asking(PBKDF2, octets(b"salt" * 4), number(2**63 - 1)),
    "scrypt": lambda: asking(SCRYPT, octets(b"salt" * 4), number(2**20), number(8), number(64)),
    "rounds of the older kind": lambda: block(
        "ENCRYPTED PRIVATE KEY",
        sequence(sequence(PBE_SHA1_3DES, sequence(octets(b"saltsalt"), number(2**31 - 1))), octets(b"x" * 64)),
    ),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_not_supported_is_refused_at_once(name: str):
    pem = UNSUPPORTED[name]()
    started = time.thread_time()
    with pytest.raises(Unsupported):
        read_rsa_key(pem, "x" if "ENCRYPTED" in pem else "")
    assert time.thread_time() - started < SECONDS


@pytest.mark.parametrize("name", ["n", "d", "p", "q", "dmp1", "dmq1", "iqmp"])
def test_numbers_that_do_not_fit_together_never_reach_openssl(name: str):
    altered = KEY.private_numbers().public_numbers.n ^ 2 if name == "n" else 2**30_000 + 1
    for number_of_key in (altered, 0, 1, 6):
        pem = block("RSA PRIVATE KEY", rsa_numbers(KEY, **{name: number_of_key}))
        started = time.thread_time()
        with pytest.raises((Unreadable, Unsupported)):
            read_rsa_key(pem, "")
        assert time.thread_time() - started < SECONDS


def test_the_longest_key_is_read_and_signs_at_once():
    """Its factors are no primes, which is the slowest to find out by signing."""
    pem = hidden(pkcs8(long_rsa(MAX_KEY_BITS)), "x", rounds=MAX_ROUNDS)
    started = time.thread_time()
    key = read_rsa_key(pem, "x")
    with suppress(ValueError):
        key.sign(b"request", PKCS1v15(), SHA256())
    assert time.thread_time() - started < SECONDS


@given(st.binary(max_size=200))
def test_whatever_is_in_a_block_is_read_or_refused(content: bytes):
    for label in KEY_LABELS:
        with pytest.raises((Unreadable, Unsupported)):
            read_rsa_key(block(label, content), "x" if label.startswith("ENCRYPTED") else "")


@given(st.data())
def test_a_key_that_is_altered_anywhere_is_refused_or_still_that_key(data: st.DataObject):
    for der in (pkcs8(rsa_numbers(KEY)), rsa_numbers(KEY)):
        altered = bytearray(der)
        altered[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
        label = "PRIVATE KEY" if der.startswith(pkcs8(rsa_numbers(KEY))[:12]) else "RSA PRIVATE KEY"
        with suppress(Unreadable, Unsupported):
            assert read_rsa_key(block(label, bytes(altered)), "").public_key() == KEY.public_key()


def test_an_endless_text_is_looked_through_quickly():
    hostile = "-----BEGIN PRIVATE KEY-----\n" * 600
    started = time.thread_time()
    with pytest.raises(Unreadable):
        read_rsa_key(hostile, "")
    assert time.thread_time() - started < SECONDS


def test_a_deep_structure_is_not_followed_to_its_end():
    der = b""
    for _ in range(2000):
        der = value(0x30, der)
    with pytest.raises(Unreadable):
        read_rsa_key(block("ENCRYPTED PRIVATE KEY", der), "x")
