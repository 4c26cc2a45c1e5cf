"""The platform as an identity provider, with its key in memory."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from domain.json_web_tokens import compact, rsa_key, signing_input

ISSUER = "https://onboarding.platform.example"


@cache
def made_key(name: str = "identity") -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


class FakeIdentity:
    """Both halves: IdentityTokens and IdentityKeys. `before` is called with the subject of each token."""

    def __init__(self, issuer: str = ISSUER, *, key: RSAPrivateKey | None = None) -> None:
        self.issuer = issuer
        self.key = key or made_key()
        self.before: Callable[[str], object] = lambda _: None
        self.subjects: list[str] = []
        """Those that tokens were asked for."""

    def token(self, subject: str, audience: str) -> str:
        self.before(subject)
        self.subjects.append(subject)
        now = int(time.time())
        times = {"iat": now - 295, "nbf": now - 295, "exp": now + 600}
        claims = {"iss": self.issuer, "sub": subject, "aud": audience, **times, "jti": str(uuid4())}
        signed = signing_input(self.published()[0]["kid"], claims)
        return compact(signed, self.key.sign(signed, PKCS1v15(), SHA256()))

    def published(self) -> Sequence[Mapping[str, str]]:
        numbers = self.key.public_key().public_numbers()
        return (rsa_key(numbers.n, numbers.e),)
