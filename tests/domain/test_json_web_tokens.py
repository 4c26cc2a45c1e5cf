"""The form of tokens and keys, by the examples of the RFCs."""

import json
from base64 import urlsafe_b64decode

from domain.json_web_tokens import base64url, compact, rsa_key, signing_input

RFC_7638_KEY = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst"
    "n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajr"
    "n1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
"""Section 3.1 of RFC 7638, whose thumbprint is known."""


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_key_is_named_by_its_thumbprint():
    key = rsa_key(int.from_bytes(decoded(RFC_7638_KEY)), 65537)
    assert key["kid"] == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert key == {"kty": "RSA", "n": RFC_7638_KEY, "e": "AQAB", "alg": "RS256", "use": "sig", "kid": key["kid"]}


def test_what_is_signed_is_the_header_and_the_claims():
    header, claims = signing_input("the-key", {"sub": "é", "exp": 7}).decode().split(".")
    assert json.loads(decoded(header)) == {"alg": "RS256", "kid": "the-key", "typ": "JWT"}
    assert json.loads(decoded(claims)) == {"sub": "é", "exp": 7}


def test_a_token_has_three_parts_without_padding():
    token = compact(signing_input("k", {}), b"\xff\xfe\xfd\xfc")
    assert token.split(".")[2] == "__79_A"
    assert "=" not in token


def test_base64url_is_that_of_rfc_7515():
    # appendix C
    assert base64url(bytes([3, 236, 255, 224, 193])) == "A-z_4ME"
