"""Access tokens that must not be accepted, by what is wrong with them."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.json_web_tokens import base64url
from tests.issuer import AUDIENCE, ISSUER, Issuer, described, hmac_with, rsa_key, signature, token, without_none

ENCODINGS = ("pem", "pem without its last line end", "pem of pkcs1", "der", "der of pkcs1", "jwk", "modulus", "nothing")
Forgery = tuple[str, Callable[[Issuer], str]]


def none_at_all(issuer: Issuer, algorithm: object) -> str:
    return token(issuer.header(alg=algorithm), issuer.claims(), lambda _: b"")


def public_key_as_secret(issuer: Issuer, encoding: str) -> str:
    public: Any = issuer.keys["rsa-1"].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = {
        "pem": pem,
        "pem without its last line end": pem.strip(),
        "pem of pkcs1": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "der of pkcs1": public.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        "jwk": json.dumps(described(issuer.keys["rsa-1"], "rsa-1")).encode(),
        "modulus": public.public_numbers().n.to_bytes(256),
        "nothing": b"",
    }[encoding]
    return token(issuer.header(alg="HS256"), issuer.claims(), hmac_with(secret))


def by_someone_else(issuer: Issuer, **header: Any) -> str:
    return token(issuer.header(**header), issuer.claims(), lambda signed: signature(rsa_key("stranger"), signed))


def their_key(kid: str = "rsa-1") -> dict[str, Any]:
    return described(rsa_key("stranger"), kid)


def pss(issuer: Issuer, algorithm: str) -> str:
    key: Any = issuer.keys["rsa-1"]
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return token(issuer.header(alg=algorithm), issuer.claims(), lambda s: key.sign(s, scheme, hashes.SHA256()))


def long_hash(issuer: Issuer, algorithm: str, kind: hashes.HashAlgorithm) -> str:
    key: Any = issuer.keys["rsa-1"]
    return token(issuer.header(alg=algorithm), issuer.claims(), lambda s: key.sign(s, padding.PKCS1v15(), kind))


def der_signature(issuer: Issuer) -> str:
    key: Any = issuer.keys["ec-1"]
    return token(issuer.header("ec-1"), issuer.claims(), lambda s: key.sign(s, ec.ECDSA(hashes.SHA256())))


def resigned(issuer: Issuer, change: Callable[[str, str, str], str]) -> str:
    return change(*issuer.good().split("."))


def claimed(**changes: Any) -> Callable[[Issuer], str]:
    """Signed by the issuer itself, with these claims."""
    return lambda issuer: issuer.good(**changes)


def raw_claim(name: str, text: str) -> Callable[[Issuer], str]:
    """A claim that JSON's own writer would not write."""

    def made(issuer: Issuer) -> str:
        claims = json.dumps(issuer.claims(**{name: "@"})).replace('"@"', text)
        return token(issuer.header(), claims.encode(), issuer.signer())

    return made


def headed(kid: str = "rsa-1", **changes: Any) -> Callable[[Issuer], str]:
    """Signed by the issuer itself, with this header."""
    return lambda issuer: issuer.odd(kid, **changes)


def forgeries() -> Iterator[Forgery]:
    yield from _without_a_signature()
    yield from _with_another_key()
    yield from _with_another_algorithm()
    yield from _tampered()
    yield from _of_another_kind()
    yield from _with_wrong_claims()
    yield from _with_wrong_times()


def _without_a_signature() -> Iterator[Forgery]:
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, 0, ["none"], ["RS256"], {"alg": "RS256"}):
        yield f"alg {algorithm!r}", partial(none_at_all, algorithm=algorithm)
    yield "signature stripped", lambda issuer: resigned(issuer, lambda h, p, _: f"{h}.{p}.")
    yield "signature of zeros", lambda i: token(i.header("ec-1"), i.claims(), lambda _: bytes(64))
    yield "rsa signature of zeros", lambda i: token(i.header(), i.claims(), lambda _: bytes(256))


def _with_another_key() -> Iterator[Forgery]:
    for encoding in ENCODINGS:
        yield f"hs256 with the public key: {encoding}", partial(public_key_as_secret, encoding=encoding)
    yield "known kid, other key", by_someone_else
    yield "unknown kid", lambda issuer: by_someone_else(issuer, kid="stranger")
    yield "no kid", lambda i: token(without_none({**i.header(), "kid": None}), i.claims(), i.signer())
    yield "embedded jwk", lambda issuer: by_someone_else(issuer, jwk=their_key())
    yield "embedded jwk of its own kid", lambda i: by_someone_else(i, kid="stranger", jwk=their_key("stranger"))
    yield "jku", lambda issuer: by_someone_else(issuer, jku="https://evil.example.com/keys")
    yield "x5u", lambda issuer: by_someone_else(issuer, x5u="https://evil.example.com/chain")
    yield "x5c", lambda issuer: by_someone_else(issuer, x5c=["MIIB"])
    for kid in ("../../../dev/null", "' OR 1=1 --", "rsa-1\x00", " rsa-1", "RSA-1", "", "x" * 3000):
        yield f"kid {kid[:20]!r}", partial(by_someone_else, kid=kid)
    for strange in (7, ["rsa-1"], {"kid": "rsa-1"}, True):
        yield f"kid {strange!r}", partial(by_someone_else, kid=strange)


def _with_another_algorithm() -> Iterator[Forgery]:
    for algorithm in ("PS256", "RS256"):
        yield f"pss as {algorithm}", partial(pss, algorithm=algorithm)
    yield "rs384", lambda issuer: long_hash(issuer, "RS384", hashes.SHA384())
    yield "rs512", lambda issuer: long_hash(issuer, "RS512", hashes.SHA512())
    yield "rs256 with sha-512", lambda issuer: long_hash(issuer, "RS256", hashes.SHA512())
    yield "es256 by an rsa key", headed(alg="ES256")
    yield "rs256 by an ec key", headed("ec-1", alg="RS256")
    yield "alg in lower case", headed(alg="rs256")
    yield "alg with a space", headed(alg="RS256 ")
    yield "ec signature in der", der_signature


def _tampered() -> Iterator[Forgery]:
    yield (
        "claims swapped",
        lambda issuer: resigned(
            issuer, lambda h, _, s: f"{h}.{base64url(json.dumps(issuer.claims(scope='keys:admin')).encode())}.{s}"
        ),
    )
    yield (
        "header swapped",
        lambda issuer: resigned(
            issuer, lambda _, p, s: f"{base64url(json.dumps(issuer.header('ec-1')).encode())}.{p}.{s}"
        ),
    )
    yield "signature of another token", lambda i: resigned(i, lambda h, p, _: f"{h}.{p}.{i.good().split('.')[2]}")
    yield "signature cut", lambda issuer: resigned(issuer, lambda h, p, s: f"{h}.{p}.{s[:-8]}")
    yield "signature twice", lambda issuer: resigned(issuer, lambda h, p, s: f"{h}.{p}.{s}{s}")
    yield (
        "a bit of it flipped",
        lambda issuer: resigned(issuer, lambda h, p, s: f"{h}.{p}.{('A' if s[0] != 'A' else 'B') + s[1:]}"),
    )


def _of_another_kind() -> Iterator[Forgery]:
    for kind in ("JWT", "jwt", "id+jwt", "dpop+jwt", "at+jwt2", "", None, 1, ["at+jwt"]):
        yield f"typ {kind!r}", headed(typ=kind)
    yield "crit", headed(crit=["exp"], exp=1)
    yield "crit of nothing", headed(crit=[])
    yield "payload not encoded", headed(b64=False, crit=["b64"])
    yield "deep header", lambda i: token(b'{"alg":' + b"[" * 5000, i.claims(), i.signer())
    yield "deep claims", lambda i: token(i.header(), b"[" * 5000, i.signer())
    yield "claims are a list", lambda i: token(i.header(), b"[]", i.signer())
    yield "claims are no json", lambda i: token(i.header(), b"{", i.signer())
    yield "header is no json", lambda i: token(b"\xff", i.claims(), i.signer())
    yield "header is a text", lambda i: token(b'"RS256"', i.claims(), i.signer())
    yield "too long", claimed(filler="x" * 9000)
    yield "empty parts", lambda _: ".."
    yield "four parts", lambda issuer: issuer.good() + ".x"
    yield "two parts", lambda issuer: issuer.good().rpartition(".")[0]
    yield "encrypted", lambda issuer: issuer.good() + ".x.y"
    yield "not base64", lambda issuer: "!" + issuer.good()


def _with_wrong_claims() -> Iterator[Forgery]:
    for audience in (None, "", "other", AUDIENCE.upper(), AUDIENCE + "/", [], ["other"], 7, {AUDIENCE: 1}):
        yield f"aud {audience!r}", claimed(aud=audience)
    for issuer_name in (None, "", "https://evil.example.com", ISSUER + "/", ISSUER.upper(), [ISSUER], 7):
        yield f"iss {issuer_name!r}", claimed(iss=issuer_name)
    for name in ("sub", "client_id", "jti", "iat", "exp"):
        yield f"no {name}", claimed(**{name: None})
    for subject in (7, ["user-1"], "", "a b", "a\nb", "é", "x" * 300):
        yield f"sub {str(subject)[:20]!r}", claimed(sub=subject)


def timed(**offsets: int) -> Callable[[Issuer], str]:
    """Signed by the issuer itself, with times that are so many seconds from now."""
    return lambda issuer: claimed(**{name: int(time.time()) + offset for name, offset in offsets.items()})(issuer)


def as_text(issuer: Issuer, name: str) -> str:
    return issuer.good(**{name: str(issuer.claims()["exp" if name == "exp" else "iat"])})


def _with_wrong_times() -> Iterator[Forgery]:
    yield "expired", timed(iat=-400, exp=-60)
    yield "expires before it was made", timed(iat=0, exp=-31)
    yield "made in a minute", timed(iat=90, exp=300)
    yield "not yet", timed(nbf=90)
    yield "for longer than a day", timed(exp=24 * 3600 + 60)
    yield "for ever", claimed(exp=10**30)
    yield "made long ago for long", claimed(iat=1)
    for name in ("exp", "iat", "nbf"):
        yield f"{name} as text", partial(as_text, name=name)
        yield f"{name} a list", claimed(**{name: [1]})
        for text in ("Infinity", "NaN", "1e999", "-1e999", "true"):
            yield f"{name} {text}", raw_claim(name, text)
