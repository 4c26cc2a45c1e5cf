"""Access tokens of an issuer that the operators trust: JSON Web Tokens as RFC 9068 has them, checked as RFC 8725 asks.

The key decides on the algorithm, never the token. What a token is refused for is in the log, by a word; the caller is
not told.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
import structlog

from api.auth.issuer_keys import ALGORITHMS, IssuerKeys
from domain.callers.access import Scope, scopes_held
from domain.errors import Forbidden, Unauthenticated
from domain.timestamps import stamp

MAX_CHARACTERS = 8192
MAX_LIFETIME_SECONDS = 24 * 3600
LEEWAY_SECONDS = 30
TYPES = ("at+jwt", "application/at+jwt")
REQUIRED = ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"]

NO_TENANT = "The access token is good and names no tenant: the claim that is configured must hold the tenant's id."

_SUBJECT = re.compile(r"[!-~]{1,255}", re.ASCII)
_TENANT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

log = structlog.get_logger("api")


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose tokens are accepted, and what their claims mean."""

    issuer: str
    audience: str
    tenant_claim: str = "tenant_id"
    scopes_claim: str = "scope"
    admin_claim: str | None = None
    """A token in which this claim is, or lists, `admin_value` acts for the platform."""
    admin_value: str | None = None


@dataclass(frozen=True)
class Bearing:
    """Who bears a token, and what it lets them do."""

    subject: str
    tenant_id: str | None
    platform: bool
    scopes: frozenset[Scope]
    expires_at: str


class _Refused(Exception):
    """The token is none that we accept. The text is a word of ours."""


class AccessTokens:
    def __init__(self, trust: Trust, keys: IssuerKeys) -> None:
        self._trust = trust
        self._keys = keys

    def verify(self, text: str) -> Bearing:
        """Raises Unauthenticated for a token that is not good, Forbidden for a good one that gives no access,
        Unavailable while the issuer's keys are not known."""
        try:
            return self._bearing(self._claims(text))
        except _Refused as refused:
            reason = str(refused)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            reason = type(error).__name__
        log.info("token.refused", reason=reason)
        raise Unauthenticated

    def _claims(self, text: str) -> Mapping[str, Any]:
        """The claims of a token whose signature, times, issuer and audience are right."""
        if len(text) > MAX_CHARACTERS or not text.isascii():
            raise _Refused("form")
        header = jwt.get_unverified_header(text)
        if str(header.get("typ")).lower() not in TYPES:
            raise _Refused("typ")
        if header.get("alg") not in ALGORITHMS.values():
            raise _Refused("alg")
        if "crit" in header:
            raise _Refused("crit")  # an extension that must be understood, and we know none
        key = self._keys.find(str(header.get("kid", "")))
        if key is None:
            raise _Refused("kid")
        claims = jwt.decode(
            text,
            key,
            algorithms=[key.algorithm_name],
            audience=self._trust.audience,
            issuer=self._trust.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED, "enforce_minimum_key_length": True},
        )
        _check_times(claims)
        return claims

    def _bearing(self, claims: Mapping[str, Any]) -> Bearing:
        subject, tenant_id = claims["sub"], claims.get(self._trust.tenant_claim)
        if not _SUBJECT.fullmatch(subject):
            raise _Refused("sub")
        platform = self._acts_for_platform(claims)
        if platform and tenant_id is not None:
            raise _Refused("both_platform_and_tenant")
        if not platform and not (isinstance(tenant_id, str) and _TENANT.fullmatch(tenant_id)):
            raise Forbidden(NO_TENANT)
        scopes = (Scope(word) for word in _words(claims.get(self._trust.scopes_claim)) if word in set(Scope))
        expires_at = stamp(datetime.fromtimestamp(claims["exp"], UTC))
        return Bearing(subject, tenant_id, platform, scopes_held(None, scopes, platform=platform), expires_at)

    def _acts_for_platform(self, claims: Mapping[str, Any]) -> bool:
        if self._trust.admin_claim is None or self._trust.admin_value is None:
            return False
        found = claims.get(self._trust.admin_claim)
        return self._trust.admin_value in (found if isinstance(found, list) else [found])


def _check_times(claims: Mapping[str, Any]) -> None:
    """Beyond what the library checks: times are numbers, not texts of numbers, and a token lives for a day at most."""
    if any(type(claims[name]) not in (int, float) for name in ("iat", "exp", "nbf") if name in claims):
        raise _Refused("times")
    if claims["exp"] - claims["iat"] > MAX_LIFETIME_SECONDS:
        raise _Refused("lifetime")


def _words(claim: object) -> list[str]:
    """The values of a claim that is a text with spaces between them, as RFC 8693 has it, or a list of texts."""
    if isinstance(claim, str):
        return claim.split(" ")
    return [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else []
