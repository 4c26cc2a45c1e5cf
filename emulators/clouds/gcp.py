"""Google Cloud's side: tokens for assertions that a service account's key has signed, projects, and who may do what.

The bodies and codes are those of RFC 6749 and of the error model of Google's APIs. Tests change the state; everything
that is signed is verified against the clock handed in.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex, token_urlsafe
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.clouds.gcp_tokens import is_signed_by, parsed, pem_of
from emulators.clouds.server import Answer, Asked

OAUTH, PROJECTS = "oauth2.googleapis.com", "cloudresourcemanager.googleapis.com"
TOKEN_URI = f"https://{OAUTH}/token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EVERYTHING = "https://www.googleapis.com/auth/cloud-platform"
READ_ONLY = "https://www.googleapis.com/auth/cloud-platform.read-only"
IAM = "https://www.googleapis.com/auth/iam"
SCOPES = {PROJECTS: {EVERYTHING, READ_ONLY}}
"""Of which one is enough, by service."""
MAX_PERMISSIONS = 100
MAX_SECONDS = 3600

VIEWING = "viewer"
"""Stands for every permission that only looks."""
NOT_ON_PROJECTS = r"resourcemanager\.(organizations|folders)\..*"


class Refusal(Exception):
    """An answer that ends the request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class Account:
    """A service account and its keys, by their IDs."""

    email: str
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    enabled: bool = True


@dataclass
class Project:
    project_id: str
    number: str = field(default_factory=lambda: str(int(token_hex(5), 16) + 10**11))
    state: str = "ACTIVE"
    granted: dict[str, set[str]] = field(default_factory=dict)
    """By address of the service account. `*` is everything, as roles/owner has it."""


@dataclass(frozen=True)
class Token:
    """What an access token stands for."""

    principal: str
    expires: float
    scopes: frozenset[str]


class GcpCloud:
    """One project with one service account; tests add more."""

    def __init__(self, key: rsa.RSAPrivateKey | None = None) -> None:
        self.hosts: Sequence[str] = (OAUTH, PROJECTS)
        self.key = key or rsa.generate_private_key(65537, 2048)
        self.key_id = token_hex(20)
        self.project = Project(f"demo-{token_hex(6)}")
        self.account = Account(f"threat-engine@{self.project.project_id}.iam.gserviceaccount.com")
        self.account.keys[self.key_id] = self.key.public_key()
        self.project.granted[self.account.email] = {VIEWING}
        self.accounts = {self.account.email: self.account}
        self.projects = {self.project.project_id: self.project}
        self.disabled_services: set[str] = set()
        self.barred: set[str] = set()
        """Addresses of service accounts that VPC Service Controls keep out."""
        self.tokens: dict[str, Token] = {}
        self.forms: list[Mapping[str, str]] = []
        """What was sent to the token address."""

    def key_file(self, **changed: object) -> dict[str, object]:
        """The key file, as the console writes it."""
        email = self.account.email
        return {
            "type": "service_account",
            "project_id": self.project.project_id,
            "private_key_id": self.key_id,
            "private_key": pem_of(self.key),
            "client_email": email,
            "client_id": str(int(token_hex(8), 16)),
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": TOKEN_URI,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{email}",
            "universe_domain": "googleapis.com",
            **changed,
        }

    def demo_credential(self) -> dict[str, object]:
        """The fields of a good key, as they are submitted."""
        return {"service_account_json": self.key_file()}

    def answer(self, asked: Asked, now: float) -> Answer:
        try:
            for host, path, respond in self.routes():
                if asked.host == host and (found := re.fullmatch(path, asked.path)):
                    return respond(asked, now, *found.groups())
        except Refusal as refusal:
            return refusal.answer
        return Answer(404, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>")

    def routes(self) -> Sequence[tuple[str, str, Callable[..., Answer]]]:
        return (
            (OAUTH, r"/token", self._token),
            (PROJECTS, r"/v3/projects/([^/:]+)", self._project),
            (PROJECTS, r"/v3/projects/([^/:]+):testIamPermissions", self._test),
        )

    # The token address

    def _token(self, asked: Asked, now: float) -> Answer:
        form = asked.form
        self.forms.append(form)
        if form.get("grant_type") != JWT_BEARER:
            raise oauth(400, "unsupported_grant_type", "Invalid grant_type")
        account, scopes = self._asserted(form.get("assertion", ""), now)
        return Answer(
            200,
            {
                "access_token": self.issue(account, scopes, now),
                "expires_in": MAX_SECONDS - 1,
                "token_type": "Bearer",
            },
        )

    def _asserted(self, assertion: str, now: float) -> tuple[str, frozenset[str]]:
        try:
            header, claims = parsed(assertion)
        except ValueError:
            raise oauth(400, "invalid_request", "Bad Request") from None
        if claims.get("aud") != TOKEN_URI:
            raise oauth(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        account = self.accounts.get(str(claims.get("iss")))
        if account is None or not account.enabled:
            raise oauth(400, "invalid_grant", "Invalid grant: account not found")
        key = account.keys.get(str(header.get("kid")))
        if key is None or header.get("alg") != "RS256" or not is_signed_by(assertion, key):
            raise oauth(400, "invalid_grant", "Invalid JWT Signature.")
        if claims.get("sub", account.email) != account.email:
            raise oauth(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens.")
        issued, expires = claims.get("iat", 0), claims.get("exp", 0)
        if not issued <= now < expires <= issued + MAX_SECONDS:
            raise oauth(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes or not scopes <= {EVERYTHING, READ_ONLY}:
            raise oauth(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return account.email, scopes

    def issue(self, principal: str, scopes: frozenset[str], now: float) -> str:
        token = f"ya29.c.{token_urlsafe(48)}"
        self.tokens[token] = Token(principal, now + MAX_SECONDS, scopes)
        return token

    # Resource Manager

    def _project(self, asked: Asked, now: float, written: str) -> Answer:
        project_id = unquote(written)
        caller = self.caller(asked, now, PROJECTS)
        project = self.projects.get(project_id)
        if project is None or not _holds(project, caller, "resourcemanager.projects.get"):
            permission = "resourcemanager.projects.get"
            raise denied(f"Permission '{permission}' denied on resource (or it may not exist).", permission)
        moment = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return Answer(
            200,
            {
                "name": f"projects/{project.number}",
                "parent": "organizations/123456789012",
                "projectId": project_id,
                "state": project.state,
                "displayName": "Production",
                "createTime": moment,
                "updateTime": moment,
                "etag": 'W/"0"',
            },
        )

    def _test(self, asked: Asked, now: float, written: str) -> Answer:
        project_id = unquote(written)
        caller = self.caller(asked, now, PROJECTS)
        wanted = json.loads(asked.body).get("permissions", [])
        if len(wanted) > MAX_PERMISSIONS or not all(_is_testable(name) for name in wanted):
            raise api(400, "INVALID_ARGUMENT", "Permission is not valid for this resource.")
        project = self.projects.get(project_id)
        if project is None:
            raise denied("The caller does not have permission", "resourcemanager.projects.get")
        held = [name for name in wanted if _holds(project, caller, name)]
        return Answer(200, {"permissions": held} if held else {})

    def caller(self, asked: Asked, now: float, host: str) -> str:
        """The principal of the access token, when the service is open to it."""
        token = self.tokens.get(asked.bearer)
        if token is None or token.expires < now:
            raise api(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        account = self.accounts.get(token.principal)
        if account is not None and not account.enabled:
            raise api(401, "UNAUTHENTICATED", "The account is disabled.", reason="ACCOUNT_STATE_INVALID")
        if not token.scopes & SCOPES.get(host, {EVERYTHING, IAM}):
            reason = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            raise api(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", reason=reason)
        if host in self.disabled_services:
            raise api(403, "PERMISSION_DENIED", "The API is disabled.", reason="SERVICE_DISABLED")
        if token.principal in self.barred:
            message = "Request is prohibited by organization's policy."
            raise api(403, "PERMISSION_DENIED", message, reason="SECURITY_POLICY_VIOLATED")
        return token.principal


def _holds(project: Project, caller: str, permission: str) -> bool:
    granted = project.granted.get(caller, set())
    viewing = VIEWING in granted and permission.endswith((".get", ".list", ".getIamPolicy"))
    return viewing or bool({permission, "*"} & granted)


def _is_testable(permission: object) -> bool:
    name = str(permission)
    return bool(re.fullmatch(r"[a-z]+\.[A-Za-z]+\.[A-Za-z]+", name)) and not re.fullmatch(NOT_ON_PROJECTS, name)


def oauth(status: int, error: str, description: str) -> Refusal:
    return Refusal(Answer(status, {"error": error, "error_description": description}))


def api(status: int, code: str, message: str, *, reason: str = "", **metadata: str) -> Refusal:
    error: dict[str, object] = {"code": status, "message": message, "status": code}
    if reason:
        info = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": info, "reason": reason, "domain": "googleapis.com", "metadata": metadata}]
    return Refusal(Answer(status, {"error": error}))


def denied(message: str, permission: str) -> Refusal:
    return api(403, "PERMISSION_DENIED", message, reason="IAM_PERMISSION_DENIED", permission=permission)
