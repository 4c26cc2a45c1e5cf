"""The key of a service account, and the assertion that proves it to Google.

Source: "Using OAuth 2.0 for Server to Server Applications": RS256, the key named by `kid`, the token address as
audience, and a life of one hour at most.
"""

import time
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from domain.json_web_tokens import compact, signing_input
from domain.onboarding.catalogue import members_of
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Step
from providers.checks import Refused, malformed, passed
from providers.error_rules import CLOCK_TOLERANCE
from providers.gcp.description import KEY_FILE, SERVICE_ACCOUNT
from providers.gcp.errors import Reason
from providers.rsa_keys import Unreadable, Unsupported, read_rsa_key

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
SCOPE = "https://www.googleapis.com/auth/cloud-platform.read-only"
"""Reads everything that the account may read, and changes nothing, whatever else the account may do."""
SKEW_SECONDS = int(CLOCK_TOLERANCE.total_seconds())


class Tokens(Protocol):
    """What the access needs of Google Cloud. Raises Refused or Trouble."""

    def token_of_assertion(self, assertion: str) -> str: ...


class KeyAccess:
    """A service account, used with a key of its own."""

    trust = None
    """A key opens for whoever has it."""

    def __init__(self, gcp: Tokens, credential: Credential) -> None:
        self._gcp = gcp
        self._credential = credential
        self.account = ""
        self.project_id = ""

    def shape(self) -> Step:
        if problem := malformed(SERVICE_ACCOUNT, self._credential):
            return problem
        self._file = members_of(self._credential, KEY_FILE)
        self._key = _read_key(self._file["private_key"])
        self.account = self._file["client_email"]
        self.project_id = self._credential.reveal("project_id") or self._file["project_id"]
        return passed("shape", "The key file is well formed.")

    def token(self) -> str:
        assertion = assertion_of(self._key, self._file["private_key_id"], account=self.account)
        return self._gcp.token_of_assertion(assertion)


def assertion_of(key: RSAPrivateKey, key_id: str, *, account: str) -> str:
    """A token that says: I am this service account. It counts from some minutes ago on, so that a clock of ours that is
    a little fast does no harm."""
    now = int(time.time())
    claims = {
        "iss": account,
        "sub": account,
        "aud": TOKEN_URL,
        "scope": SCOPE,
        "iat": now - SKEW_SECONDS,
        "exp": now + 2 * SKEW_SECONDS,
    }
    signed = signing_input(key_id, claims)
    return compact(signed, sign(key, signed))


def sign(key: RSAPrivateKey, content: bytes) -> bytes:
    """The signature of RS256 (RFC 7518, section 3.3)."""
    return key.sign(content, PKCS1v15(), SHA256())


def _read_key(pem: str) -> RSAPrivateKey:
    try:
        return read_rsa_key(pem, "")
    except Unsupported:
        raise Refused(Reason.KEY_UNSUPPORTED) from None
    except Unreadable:
        raise Refused(Reason.KEY_UNREADABLE) from None
