"""Azure's side: Entra ID gives tokens for a client secret or a signed assertion, Resource Manager checks the tokens.

The bodies and codes are those of "Microsoft Entra authentication and authorization error codes" and of Resource
Manager's error responses. Tests change the state; everything that is signed is verified against the clock handed in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_urlsafe
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from emulators.clouds.azure_tokens import is_signed, made_certificate, names, parsed, signed, verified
from emulators.clouds.server import Answer, Asked

LOGIN, MANAGEMENT = "login.microsoftonline.com", "management.azure.com"
RESOURCE = "https://management.azure.com"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW_SECONDS = 300

Role = dict[str, list[str]]

READER: Role = {"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}
VAULT_READER: Role = {
    "actions": ["Microsoft.KeyVault/vaults/*/read"],
    "notActions": [],
    "dataActions": ["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
    "notDataActions": [],
}


class Refusal(Exception):
    """An answer that ends the request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class Application:
    """An app registration with its service principal in one tenant."""

    client_id: str = field(default_factory=lambda: str(uuid4()))
    object_id: str = field(default_factory=lambda: str(uuid4()))
    secrets: dict[str, float | None] = field(default_factory=dict)
    """From the value to the moment of expiry; None for none."""
    certificates: list[x509.Certificate] = field(default_factory=list)
    enabled: bool = True
    blocked: bool = False
    """By a Conditional Access policy."""


@dataclass
class Subscription:
    tenant_id: str
    subscription_id: str = field(default_factory=lambda: str(uuid4()))
    state: str = "Enabled"
    roles: dict[str, list[Role]] = field(default_factory=dict)
    """By object id of the service principal: the permissions of its roles."""
    page_size: int = 100


class AzureCloud:
    """One tenant with one application and one subscription; tests add more."""

    def __init__(self) -> None:
        self.hosts: Sequence[str] = (LOGIN, MANAGEMENT)
        self.tenant_id = str(uuid4())
        self.application = Application(secrets={token_urlsafe(30): None})
        self.tenants: dict[str, dict[str, Application]] = {
            self.tenant_id: {self.application.client_id: self.application}
        }
        self.subscription = Subscription(self.tenant_id, roles={self.application.object_id: [READER, VAULT_READER]})
        self.subscriptions = {self.subscription.subscription_id: self.subscription}
        self.jtis: set[str] = set()
        self.forms: list[Mapping[str, str]] = []
        """What was sent to the token address."""
        self.claims: dict[str, object] = {}
        """What tokens say in place of the truth."""

    def demo_credential(self) -> dict[str, object]:
        """The fields of a good client secret, as they are submitted."""
        return {**self._ids(), "client_secret": next(iter(self.application.secrets))}

    def certificate_credential(self, passphrase: str = "") -> dict[str, object]:
        """The fields of a good certificate, which is registered now."""
        pem, certificate = made_certificate(passphrase)
        self.application.certificates.append(certificate)
        given = {"passphrase": passphrase} if passphrase else {}
        return {**self._ids(), "client_certificate": pem, **given}

    def _ids(self) -> dict[str, object]:
        return {
            "tenant_id": self.tenant_id,
            "client_id": self.application.client_id,
            "subscription_id": self.subscription.subscription_id,
        }

    def answer(self, asked: Asked, now: float) -> Answer:
        try:
            if found := re.fullmatch(r"/([^/]+)/oauth2/v2\.0/token", asked.path):
                return self._token(found.group(1), asked, now)
            if found := re.fullmatch(r"/([^/]+)/v2\.0/\.well-known/openid-configuration", asked.path):
                return self._metadata(found.group(1), asked)
            if asked.path.startswith("/subscriptions/"):
                return self._manage(asked, now)
        except Refusal as refusal:
            return refusal.answer
        return Answer(404, {"error": {"code": "NotFound", "message": "no such route"}})

    # Entra ID

    def _metadata(self, tenant_id: str, asked: Asked) -> Answer:
        self._applications(tenant_id)
        issuer = f"https://{asked.headers['host']}/{tenant_id}"
        return Answer(
            200,
            {
                "token_endpoint": f"{issuer}/oauth2/v2.0/token",
                "authorization_endpoint": f"{issuer}/oauth2/v2.0/authorize",
                "issuer": f"{issuer}/v2.0",
                "jwks_uri": f"{issuer}/discovery/v2.0/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )

    def _token(self, tenant_id: str, asked: Asked, now: float) -> Answer:
        applications = self._applications(tenant_id)
        form = asked.form
        self.forms.append(form)
        application = applications.get(form.get("client_id", ""))
        if application is None:
            raise entra(400, "unauthorized_client", 700016, "Application was not found in the directory.", now)
        if form.get("grant_type") != "client_credentials":
            raise entra(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.", now)
        # the SDK asks for more than one scope, the first of which counts
        if form.get("scope", "").split(" ")[0] != f"{RESOURCE}/.default":
            raise entra(400, "invalid_scope", 70011, "The provided value for scope is not valid.", now)
        self._authenticate(application, form, f"https://{asked.headers['host']}{asked.path}", now)
        if not application.enabled:
            raise entra(400, "unauthorized_client", 7000112, "Application is disabled.", now)
        if application.blocked:
            raise entra(400, "invalid_grant", 53003, "Access has been blocked by Conditional Access policies.", now)
        token = self._issue(tenant_id, application, now)
        body = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}
        return Answer(200, body)

    def _applications(self, tenant_id: str) -> Mapping[str, Application]:
        if not re.fullmatch(r"[0-9a-f-]{36}", tenant_id, re.IGNORECASE):
            raise entra(400, "invalid_request", 900023, "Specified tenant identifier is neither a valid DNS name.", 0)
        if tenant_id not in self.tenants:
            raise entra(400, "invalid_request", 90002, "Tenant not found.", 0)
        return self.tenants[tenant_id]

    def _authenticate(self, application: Application, form: Mapping[str, str], audience: str, now: float) -> None:
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise entra(401, "invalid_client", 70002, "The client_assertion_type is not supported.", now)
            return self._check_assertion(application, form["client_assertion"], audience, now)
        if "client_secret" not in form:
            raise entra(401, "invalid_client", 7000218, "The request body must contain client_secret.", now)
        if form["client_secret"] not in application.secrets:
            raise entra(401, "invalid_client", 7000215, "Invalid client secret provided.", now)
        expires = application.secrets[form["client_secret"]]
        if expires is not None and expires < now:
            raise entra(401, "invalid_client", 7000222, "The provided client secret keys are expired.", now)
        return None

    def _check_assertion(self, application: Application, assertion: str, audience: str, now: float) -> None:
        try:
            header, claims = parsed(assertion)
        except ValueError:
            raise entra(401, "invalid_client", 50027, "JWT token is invalid or malformed.", now) from None
        certificate = next((c for c in application.certificates if names(header, c)), None)
        if certificate is None:
            raise entra(401, "invalid_client", 700027, "The certificate is not registered on application.", now)
        if certificate.not_valid_after_utc.timestamp() < now:
            raise entra(401, "invalid_client", 700027, "The key used is expired.", now)
        if not is_signed(assertion, header.get("alg"), certificate):
            raise entra(401, "invalid_client", 700027, "Client assertion contains an invalid signature.", now)
        if claims.get("aud") != audience:
            raise entra(401, "invalid_client", 50012, "Client assertion audience does not match.", now)
        if {claims.get("iss"), claims.get("sub")} != {application.client_id}:
            raise entra(401, "invalid_client", 50012, "Client assertion subject does not match.", now)
        if not claims.get("nbf", claims.get("iat", 0)) - SKEW_SECONDS <= now <= claims.get("exp", 0) + SKEW_SECONDS:
            raise entra(401, "invalid_client", 700024, "Client assertion is not within its valid time range.", now)
        if not claims.get("jti") or claims["jti"] in self.jtis:
            raise entra(401, "invalid_client", 50012, "Client assertion was used before.", now)
        self.jtis.add(claims["jti"])

    def _issue(self, tenant_id: str, application: Application, now: float) -> str:
        claims: dict[str, object] = {
            "aud": RESOURCE,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + 3599,
            "appid": application.client_id,
            "oid": application.object_id,
            "tid": tenant_id,
            "ver": "1.0",
        }
        return signed({**claims, **self.claims})

    # Resource Manager

    def _manage(self, asked: Asked, now: float) -> Answer:
        claims = self._caller(asked, now)
        subscription_id, _, path = asked.path.removeprefix("/subscriptions/").partition("/")
        subscription = self.subscriptions.get(subscription_id)
        if subscription is None:
            raise manager(404, "SubscriptionNotFound", "The subscription could not be found.")
        if claims["tid"] != subscription.tenant_id and claims["oid"] not in subscription.roles:
            raise manager(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.")
        roles = subscription.roles.get(str(claims["oid"]), [])
        if not roles:
            message = (
                "The client does not have authorization to perform action 'Microsoft.Resources/subscriptions/read'."
            )
            raise manager(403, "AuthorizationFailed", message)
        if path == "providers/Microsoft.Authorization/permissions":
            return self._permissions(asked, subscription, roles)
        return Answer(
            200,
            {
                "id": f"/subscriptions/{subscription_id}",
                "authorizationSource": "RoleBased",
                "subscriptionId": subscription_id,
                "tenantId": subscription.tenant_id,
                "displayName": "Production",
                "state": subscription.state,
                "subscriptionPolicies": {"spendingLimit": "Off"},
            },
        )

    def _permissions(self, asked: Asked, subscription: Subscription, roles: Sequence[Role]) -> Answer:
        start = int(asked.query.get("$skiptoken", "0"))
        end = start + subscription.page_size
        body: dict[str, object] = {"value": list(roles[start:end])}
        if end < len(roles):
            body["nextLink"] = f"https://{MANAGEMENT}{asked.path}?api-version=2022-04-01&%24skiptoken={end}"
        return Answer(200, body)

    def _caller(self, asked: Asked, now: float) -> Mapping[str, object]:
        if "api-version" not in asked.query:
            raise manager(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        try:
            claims = verified(asked.bearer)
        except (ValueError, InvalidSignature):
            raise manager(401, "InvalidAuthenticationToken", "The access token is invalid.") from None
        if claims["aud"] != RESOURCE:
            raise manager(401, "InvalidAuthenticationTokenAudience", "The access token has the wrong audience.")
        if claims["exp"] < now:
            raise manager(401, "ExpiredAuthenticationToken", "The access token expiry is in the past.")
        return claims


def entra(status: int, error: str, number: int, message: str, now: float) -> Refusal:
    trace, correlation = uuid4(), uuid4()
    moment = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%SZ}"
    description = f"AADSTS{number}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
    body = {
        "error": error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": moment,
        "trace_id": str(trace),
        "correlation_id": str(correlation),
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
    return Refusal(Answer(status, body))


def manager(status: int, code: str, message: str) -> Refusal:
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if status == 401 else {}
    return Refusal(Answer(status, {"error": {"code": code, "message": message}}, headers))
