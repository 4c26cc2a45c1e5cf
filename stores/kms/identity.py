"""The platform as an identity provider: tokens that say for which account it acts, and the keys to check them with.

The private key never leaves KMS. Its public half is named by its thumbprint, so that the worker, which signs, and the
API, which publishes, need not tell each other.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from domain.errors import PlatformConfig, Trouble
from domain.json_web_tokens import compact, rsa_key, signing_input
from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

FRESH_SECONDS = 300
"""For how long a key is used without a look at what the alias leads to now."""
BACKDATED_SECONDS = 295
LIFETIME_SECONDS = 600
"""A token counts from some minutes ago on: a clock of ours that is a little fast or slow then does no harm."""


@dataclass(frozen=True)
class _Key:
    """A key of KMS, by its ARN, and its public half."""

    arn: str
    public: Mapping[str, str]


class _CurrentKey:
    """The key that an id or alias leads to. While KMS does not answer, the one that was known last is used."""

    def __init__(self, kms: "KMSClient", key_id: str, clock: Callable[[], float]) -> None:
        self._kms = kms
        self._key_id = key_id
        self._clock = clock
        self._lock = threading.Lock()
        self._known: _Key | None = None
        self._stale_at = 0.0

    def get(self) -> _Key:
        with self._lock:
            if self._known is None or self._clock() >= self._stale_at:
                self._known = self._looked_up()
                self._stale_at = self._clock() + FRESH_SECONDS
            return self._known

    def _looked_up(self) -> _Key:
        try:
            return self._asked()
        except Trouble:
            if self._known is None:
                raise
            return self._known

    @aws_failures()
    def _asked(self) -> _Key:
        found = self._kms.get_public_key(KeyId=self._key_id)
        public = load_der_public_key(found["PublicKey"])
        if not isinstance(public, RSAPublicKey):
            raise PlatformConfig("The key for identity tokens is not an RSA key; the operators have been told.")
        numbers = public.public_numbers()
        return _Key(found["KeyId"], rsa_key(numbers.n, numbers.e))


class KmsIdentityTokens:
    """`key_id` is an id, an ARN or an alias of an RSA key. Needs kms:GetPublicKey and kms:Sign."""

    def __init__(
        self, kms: "KMSClient", *, issuer: str, key_id: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer = issuer
        self._kms = kms
        self._key = _CurrentKey(kms, key_id, clock)

    @aws_failures()
    def token(self, subject: str, audience: str) -> str:
        key, now = self._key.get(), int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "iat": now - BACKDATED_SECONDS,
            "nbf": now - BACKDATED_SECONDS,
            "exp": now + LIFETIME_SECONDS,
            "jti": str(uuid4()),
        }
        signed = signing_input(key.public["kid"], claims)
        # By its ARN: the key that is named in the token is the key that signs it, wherever the alias leads by now.
        answer = self._kms.sign(
            KeyId=key.arn, Message=signed, MessageType="RAW", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"
        )
        return compact(signed, answer["Signature"])


class KmsIdentityKeys:
    """What the platform publishes. Needs kms:GetPublicKey and nothing else."""

    def __init__(
        self, kms: "KMSClient", *, issuer: str, key_id: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer = issuer
        self._key = _CurrentKey(kms, key_id, clock)

    def published(self) -> Sequence[Mapping[str, str]]:
        return (self._key.get().public,)
