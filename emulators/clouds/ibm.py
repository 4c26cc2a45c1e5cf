"""IBM Cloud's side: IAM gives tokens for API keys, and shows keys, policies and groups to those who may see them.

Codes and bodies are those that IBM's SDKs carry in their tests and users quote. Tests change the state.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from secrets import token_hex, token_urlsafe
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from emulators.clouds.server import Answer, Asked

HOST = "iam.cloud.ibm.com"
GRANT_TYPE = "urn:ibm:params:oauth:grant-type:apikey"
ISSUER = "https://iam.cloud.ibm.com/identity"
SECONDS = 3600

ACCOUNT_SERVICES = {"serviceType": "platform_service"}
IAM_ENABLED_SERVICES = {"serviceType": "service"}
RESOURCE_GROUPS = {"resourceType": "resource-group"}
SEES_POLICIES = ("iam-access-management",)
SEES_GROUPS = ("iam-groups",)


class Refusal(Exception):
    """An answer that ends the request."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.answer = Answer(status, body)


@dataclass
class ApiKey:
    value: str
    iam_id: str
    account_id: str
    id: str = field(default_factory=lambda: f"ApiKey-{uuid4()}")
    locked: bool = False
    disabled: bool = False
    expires: float | None = None


@dataclass
class Group:
    id: str = field(default_factory=lambda: f"AccessGroupId-{uuid4()}")
    members: list[str] = field(default_factory=list)


@dataclass
class Policy:
    """One that grants `role` to `subject`, an IAM ID or the id of an access group."""

    subject: str
    attributes: Mapping[str, str]
    role: str = "Viewer"
    account_id: str = ""
    state: str = "active"
    type: str = "access"
    tags: Sequence[Mapping[str, str]] = ()
    operator: str = "stringEquals"


class IbmCloud:
    """One account with one service ID, its API key, and policies for everything; tests change them."""

    def __init__(self) -> None:
        self.hosts: Sequence[str] = (HOST,)
        self.account_id = token_hex(16)
        self.iam_id = f"iam-ServiceId-{uuid4()}"
        self.key = self.new_key()
        self.keys = [self.key]
        self.groups: list[Group] = []
        self.policies = [
            Policy(self.iam_id, attributes) for attributes in (ACCOUNT_SERVICES, IAM_ENABLED_SERVICES, RESOURCE_GROUPS)
        ]
        self.page_size = 100
        self.claims: dict[str, object] = {}
        """What tokens say in place of the truth."""
        self.asked_for: list[str] = []
        """Whose policies were asked for."""
        self.forms: list[Mapping[str, str]] = []
        """What was sent to the token address."""

    def demo_credential(self) -> dict[str, object]:
        """The fields of a good API key, as they are submitted."""
        return {"api_key": self.key.value}

    def new_key(self, iam_id: str | None = None) -> ApiKey:
        return ApiKey(token_urlsafe(33), iam_id or self.iam_id, self.account_id)

    def answer(self, asked: Asked, now: float) -> Answer:
        routes = {
            ("POST", "/identity/token"): self._token,
            ("GET", "/v1/apikeys/details"): self._details,
            ("GET", "/v1/policies"): self._policies,
            ("GET", "/v2/groups"): self._groups,
        }
        route = routes.get((asked.method, asked.path))
        try:
            return route(asked, now) if route else Answer(404, errors(404, "not_found"))
        except Refusal as refusal:
            return refusal.answer

    def _token(self, asked: Asked, now: float) -> Answer:
        self.forms.append(asked.form)
        if asked.form.get("grant_type") != GRANT_TYPE:
            raise Refusal(400, refused("BXNIM0401E", "Grant type is not supported."))
        if not asked.form.get("apikey"):
            raise Refusal(400, refused("BXNIM0109E", "Property missing or empty: apikey."))
        key = self._find(asked.form["apikey"])
        if key is None:
            raise Refusal(400, refused("BXNIM0415E", "Provided API key could not be found."))
        if key.disabled:
            raise Refusal(400, refused("BXNIM0462E", "Provided API key is disabled."))
        if key.expires is not None and key.expires < now:
            raise Refusal(400, refused("BXNIM0439E", "Provided API key is expired."))
        body = {
            "access_token": self._issue(key, now),
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": SECONDS,
            "expiration": int(now) + SECONDS,
            "scope": "ibm openid",
        }
        return Answer(200, body)

    def _issue(self, key: ApiKey, now: float) -> str:
        is_service = key.iam_id.startswith("iam-ServiceId-")
        claims: dict[str, object] = {
            "iam_id": key.iam_id,
            "id": key.iam_id,
            "realmid": "iam" if is_service else "IBMid",
            "identifier": key.iam_id.removeprefix("iam-").removeprefix("IBMid-"),
            "account": {"valid": True, "bss": key.account_id},
            "iat": int(now),
            "exp": int(now) + SECONDS,
            "iss": ISSUER,
            "grant_type": GRANT_TYPE,
            "scope": "ibm openid",
            "client_id": "default",
            **({"sub_type": "ServiceId"} if is_service else {}),
        }
        return signed({**claims, **self.claims})

    def _details(self, asked: Asked, now: float) -> Answer:
        caller(asked, now)
        key = self._find(asked.headers.get("iam-apikey", ""))
        if key is None:
            raise Refusal(404, errors(404, "not_found", "BXNIM0102E"))
        body = {
            "id": key.id,
            "crn": f"crn:v1:bluemix:public:iam-identity::a/{key.account_id}::apikey:{key.id}",
            "locked": key.locked,
            "disabled": key.disabled,
            "created_by": key.iam_id,
            "name": "threat-engine",
            "iam_id": key.iam_id,
            "account_id": key.account_id,
            "apikey": "",
        }
        return Answer(200, body)

    def _policies(self, asked: Asked, now: float) -> Answer:
        """Only those that the caller may read are listed: without the right the list is empty, not denied."""
        claims = caller(asked, now)
        query = asked.query
        if query.get("account_id") != claims["account"]["bss"]:
            raise Refusal(403, errors(403, "insufficent_permissions"))
        subject = query.get("iam_id") or query.get("access_group_id", "")
        self.asked_for.append(subject)
        found = [
            self.shown(p) for p in self.policies if p.subject == subject and p.state == query.get("state", p.state)
        ]
        if not self._views(claims, SEES_POLICIES):
            found = []
        start = int(query.get("start", "0"))
        body: dict[str, object] = {"policies": found[start : start + self.page_size]}
        if start + self.page_size < len(found):
            following = str(start + self.page_size)
            body["next"] = {"href": f"https://{HOST}/v1/policies?start={following}", "start": following}
        return Answer(200, body)

    def _groups(self, asked: Asked, now: float) -> Answer:
        claims = caller(asked, now)
        if asked.query.get("account_id") != claims["account"]["bss"]:
            raise Refusal(403, errors(403, "insufficent_permissions"))
        may_see = self._views(claims, SEES_GROUPS)
        shown = [g for g in self.groups if asked.query.get("iam_id") in g.members] if may_see else []
        limit = int(asked.query.get("limit", "50"))
        groups = [{"id": group.id, "name": "viewers", "is_federated": False} for group in shown[:limit]]
        return Answer(200, {"limit": limit, "offset": 0, "total_count": len(shown), "groups": groups})

    def _find(self, value: str) -> ApiKey | None:
        return next((key for key in self.keys if key.value == value), None)

    def _views(self, claims: Mapping[str, Any], services: Sequence[str]) -> bool:
        """Whether the caller views one of the account management services named, for the whole account."""
        subjects = {claims["iam_id"], *(g.id for g in self.groups if claims["iam_id"] in g.members)}
        ways: list[Mapping[str, str]] = [ACCOUNT_SERVICES, {"service_group_id": "IAM"}]
        ways += [{"serviceName": service} for service in services]
        return any(p.subject in subjects and p.state == "active" and p.attributes in ways for p in self.policies)

    def shown(self, policy: Policy) -> Mapping[str, object]:
        """As the service lists it."""
        attributes = {"accountId": policy.account_id or self.account_id, **policy.attributes}
        subject = "access_group_id" if policy.subject.startswith("AccessGroupId-") else "iam_id"
        return {
            "id": str(uuid4()),
            "type": policy.type,
            "subjects": [{"attributes": [{"name": subject, "value": policy.subject}]}],
            "roles": [{"role_id": role_id(policy.role), "display_name": policy.role}],
            "resources": [
                {
                    "attributes": list(attributes_of(attributes, policy.operator)),
                    **({"tags": list(policy.tags)} if policy.tags else {}),
                }
            ],
            "state": policy.state,
        }


def attributes_of(attributes: Mapping[str, str], operator: str) -> Iterator[Mapping[str, str]]:
    for name, value in attributes.items():
        yield {"name": name, "value": value, "operator": "stringEquals" if name == "accountId" else operator}


def role_id(role: str) -> str:
    """The CRN of a platform role; a CRN is given as it is."""
    return role if role.startswith("crn:") else f"crn:v1:bluemix:public:iam::::role:{role}"


def refused(code: str, message: str) -> Mapping[str, object]:
    """In the form of the token service."""
    context = {"requestId": uuid4().hex, "requestType": "incoming.Identity_Token", "locale": "en_US"}
    return {"errorCode": code, "errorMessage": message, "context": context}


def errors(status: int, code: str, message_code: str = "") -> Mapping[str, object]:
    """In the form of the other services."""
    error = {"code": code, "message": "It cannot be done.", **({"message_code": message_code} if message_code else {})}
    return {"trace": uuid4().hex, "errors": [error], "status_code": status}


# Tokens


@cache
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def signed(claims: Mapping[str, object]) -> str:
    parts = ({"alg": "RS256", "kid": "20260101", "typ": "JWT"}, claims)
    text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    return f"{text}.{base64url(signing_key().sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def caller(asked: Asked, now: float) -> Mapping[str, Any]:
    text, _, signature = asked.bearer.rpartition(".")
    try:
        signing_key().public_key().verify(from_base64url(signature), text.encode(), padding.PKCS1v15(), SHA256())
        claims: Mapping[str, Any] = json.loads(from_base64url(text.split(".")[1]))
    except (ValueError, IndexError, InvalidSignature):
        raise Refusal(401, errors(401, "unauthorized", "BXNIM0308E")) from None
    if claims["iss"] != ISSUER or claims["exp"] < now:
        raise Refusal(401, errors(401, "unauthorized", "BXNIM0408E"))
    return claims


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
