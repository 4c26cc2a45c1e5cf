"""Google's Security Token Service and Service Account Credentials API: for a token of another issuer one of a pool, and
for that one of a service account."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_urlsafe
from typing import Any

from emulators.clouds.gcp import EVERYTHING, IAM, READ_ONLY, Account, GcpCloud, Token, api, denied, oauth
from emulators.clouds.gcp_tokens import is_signed_by, key_in, parsed
from emulators.clouds.server import Answer, Asked

STS, CREDENTIALS = "sts.googleapis.com", "iamcredentials.googleapis.com"
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
}
MAX_IDENTITY_SECONDS = 24 * 3600
MAX_SUBJECT_BYTES = 127

KeySet = Sequence[Mapping[str, str]]


@dataclass
class Provider:
    """An OIDC provider of a pool. The subject is mapped to google.subject as it is."""

    issuer: str
    fetch_keys: Callable[[], KeySet]
    """What is fetched from the issuer's jwks_uri."""
    only_subject: str | None = None
    """The attribute condition assertion.sub == '…'; None for none."""
    allowed_audiences: Sequence[str] = ()
    enabled: bool = True


@dataclass
class Pool:
    project_number: str
    pool_id: str = "threat-engine"
    providers: dict[str, Provider] = field(default_factory=dict)
    enabled: bool = True

    @property
    def name(self) -> str:
        return (
            f"//iam.googleapis.com/projects/{self.project_number}/locations/global/workloadIdentityPools/{self.pool_id}"
        )

    def principal(self, subject: str) -> str:
        return f"principal:{self.name}/subject/{subject}"

    @property
    def everyone(self) -> str:
        return f"principalSet:{self.name}/*"


class FederatedGcpCloud(GcpCloud):
    """One pool more, with one provider that trusts the platform's issuer for one external id."""

    def __init__(self, issuer: str, fetch_keys: Callable[[], KeySet], *, external_id: str, **options: Any) -> None:
        super().__init__(**options)
        self.hosts = (*self.hosts, STS, CREDENTIALS)
        self.provider_id = external_id[:32]
        self.provider = Provider(issuer, fetch_keys, only_subject=external_id)
        self.pool = Pool(self.project.number, providers={self.provider_id: self.provider})
        self.lends: dict[str, set[str]] = {self.account.email: {self.pool.principal(external_id)}}
        """By service account: who may use it (roles/iam.workloadIdentityUser)."""

    def keyless_credential(self) -> dict[str, object]:
        """The fields of a good pool, as they are submitted."""
        return {
            "project_id": self.project.project_id,
            "project_number": self.project.number,
            "pool_id": self.pool.pool_id,
            "provider_id": self.provider_id,
            "service_account_email": self.account.email,
        }

    def routes(self) -> Sequence[tuple[str, str, Callable[..., Answer]]]:
        return (
            *super().routes(),
            (STS, r"/v1/token", self._exchange),
            (CREDENTIALS, r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken", self._lend),
        )

    # The Security Token Service

    def _exchange(self, asked: Asked, now: float) -> Answer:
        form = asked.form
        self.forms.append(form)
        if any(form.get(name) != value for name, value in EXCHANGE.items()):
            raise oauth(400, "invalid_request", "Invalid value for a parameter.")
        scope = form.get("scope", "")
        if scope not in (EVERYTHING, IAM):
            raise oauth(400, "invalid_scope", "The scope is not valid.")
        if STS in self.disabled_services:
            raise api(403, "PERMISSION_DENIED", "The API is disabled.", reason="SERVICE_DISABLED")
        audience = form.get("audience", "")
        if not audience.startswith("//iam.googleapis.com/projects/"):
            raise oauth(400, "invalid_request", 'Invalid value for "audience".')
        pool, _, provider_id = audience.partition("/providers/")
        provider = self.pool.providers.get(provider_id) if pool == self.pool.name else None
        if provider is None or not provider.enabled or not self.pool.enabled:
            raise oauth(400, "invalid_target", 'The target service indicated by the "audience" parameters is invalid.')
        subject = self._subject(provider, audience, form.get("subject_token", ""), now)
        token = f"ya29.d.{token_urlsafe(48)}"
        self.tokens[token] = Token(self.pool.principal(subject), now + 3600, frozenset({scope}))
        return Answer(
            200,
            {
                "access_token": token,
                "issued_token_type": EXCHANGE["requested_token_type"],
                "token_type": "Bearer",
                "expires_in": 3599,
            },
        )

    def _subject(self, provider: Provider, audience: str, token: str, now: float) -> str:
        try:
            header, claims = parsed(token)
        except ValueError:
            raise oauth(400, "invalid_request", "Unable to parse the ID Token.") from None
        if claims.get("iss") != provider.issuer:
            raise oauth(400, "invalid_grant", "The issuer in ID Token does not match the expected one.")
        keys = {key["kid"]: key_in(key) for key in provider.fetch_keys()}
        key = keys.get(str(header.get("kid")))
        if key is None or header.get("alg") != "RS256" or not is_signed_by(token, key):
            raise oauth(400, "invalid_grant", "Invalid signature for ID Token.")
        if claims.get("aud") not in (provider.allowed_audiences or (audience, f"https:{audience}")):
            raise oauth(400, "invalid_grant", "The audience in ID Token does not match the expected audience.")
        issued, expires = claims.get("iat", 0), claims.get("exp", 0)
        if not issued <= now < expires <= issued + MAX_IDENTITY_SECONDS:
            raise oauth(400, "invalid_grant", "The ID Token is stale to sign-in.")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject.encode()) <= MAX_SUBJECT_BYTES:
            raise oauth(400, "invalid_grant", "The mapped attribute google.subject is invalid.")
        if provider.only_subject not in (None, subject):
            raise oauth(401, "unauthorized_client", "The given credential is rejected by the attribute condition.")
        return subject

    # The Service Account Credentials API

    def _lend(self, asked: Asked, now: float, email: str) -> Answer:
        caller = self.caller(asked, now, CREDENTIALS)
        account = self.accounts.get(email)
        if account is None or not account.enabled or not self._may_use(account, caller):
            permission = "iam.serviceAccounts.getAccessToken"
            raise denied(f"Permission '{permission}' denied on resource (or it may not exist).", permission)
        wanted = json.loads(asked.body)
        seconds = int(str(wanted.get("lifetime", "3600s")).removesuffix("s"))
        scopes = frozenset(wanted.get("scope", []))
        if not 0 < seconds <= 3600 or not scopes or not scopes <= {EVERYTHING, READ_ONLY}:
            raise api(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        token = f"ya29.c.{token_urlsafe(48)}"
        self.tokens[token] = Token(email, now + seconds, scopes)
        moment = datetime.fromtimestamp(now + seconds, UTC)
        return Answer(200, {"accessToken": token, "expireTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"})

    def _may_use(self, account: Account, caller: str) -> bool:
        return bool({caller, self.pool.everyone} & self.lends.get(account.email, set()))
