"""AliCloud's side: the signature of every call is verified with the secret of the key named, its clock and its nonce;
roles are assumed under their trust policies, and sessions can do no more than their own policy says.

Codes and bodies are those of "Common error codes", of AssumeRole and of RAM's AccessDeniedDetail. What a user or role
may do is a set of actions on the whole account.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import choice, token_hex
from string import ascii_letters, digits
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import uuid4

from emulators.clouds.server import ADDRESS, Answer, Asked

SKEW_SECONDS = 900
MUST_BE_SIGNED = {
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
}
VERSIONS = {
    "sts": "2015-04-01",
    "ram": "2015-05-01",
    "ecs": "2014-05-26",
    "vpc": "2016-04-28",
    "actiontrail": "2020-07-06",
    "rds": "2014-08-15",
    "slb": "2014-05-15",
}
READING = {
    *("ram:GetPasswordPolicy", "ram:ListUsers", "ram:ListPolicies", "ram:ListRoles", "ram:ListVirtualMFADevices"),
    *("ram:GetSecurityPreference", "ecs:DescribeRegions", "ecs:DescribeInstances", "ecs:DescribeSecurityGroups"),
    *("ecs:DescribeDisks", "vpc:DescribeVpcs", "vpc:DescribeFlowLogs", "actiontrail:DescribeTrails"),
    *("rds:DescribeDBInstances", "slb:DescribeLoadBalancers"),
}


IDENTITY = "AccountLevelIdentityBasedPolicy"


class Refusal(Exception):
    """An answer that ends the request."""

    def __init__(self, status: int, code: str, **more: object) -> None:
        super().__init__(code)
        body = {"RequestId": str(uuid4()).upper(), "Code": code, "Message": "a text that decides nothing", **more}
        self.answer = Answer(status, body)


@dataclass
class Key:
    """An AccessKey pair and whose it is. A temporary one has a token."""

    account: str
    arn: str
    identity_type: str = "RAMUser"
    id: str = field(default_factory=lambda: f"LTAI5t{made(18)}")
    secret: str = field(default_factory=lambda: made(30))
    token: str = ""
    is_active: bool = True
    actions: set[str] = field(default_factory=lambda: set(READING))


@dataclass
class Role:
    arn: str
    trusts: str
    """The ARN of a user."""
    external_id: str | None = None
    """None asks for none; `*` takes any."""
    actions: set[str] = field(default_factory=lambda: set(READING))


class AliCloud:
    """The platform's user, and a customer's account with a user who may read all settings. Tests add roles."""

    def __init__(self) -> None:
        self.hosts: Sequence[str] = ("*.aliyuncs.com", ADDRESS)
        self.account = f"1{made(15, digits)}"
        self.platform = Key(
            "5111222233334444", "acs:ram::5111222233334444:user/threat-engine", actions={"sts:AssumeRole"}
        )
        self.user = Key(self.account, f"acs:ram::{self.account}:user/ThreatEngineReadOnly")
        self.keys = {key.id: key for key in (self.platform, self.user)}
        self.roles: dict[str, Role] = {}
        self.assumed: list[Mapping[str, str]] = []
        """The parameters of each AssumeRole that succeeded."""
        self.attached: set[str] = set()
        self.attached_to_group: set[str] = set()
        """Policies of AliCloud's own that the user has, and that its group has."""
        self.closed_regions: set[str] = set()
        """By a control policy."""
        self._nonces: set[str] = set()

    def demo_credential(self) -> dict[str, object]:
        return {"access_key_id": self.user.id, "access_key_secret": self.user.secret}

    def add_role(self, external_id: str | None, name: str = "threatenginereadonly", **state: object) -> Role:
        arn = f"acs:ram::{self.account}:role/{name}"
        self.roles[arn] = Role(arn, self.platform.arn, external_id, **state)  # type: ignore[arg-type]
        return self.roles[arn]

    def answer(self, asked: Asked, now: float) -> Answer:
        try:
            return self._perform(asked, self._signer(asked, now))
        except Refusal as refusal:
            return refusal.answer

    def _perform(self, asked: Asked, key: Key) -> Answer:
        operation, version = asked.headers["x-acs-action"], asked.headers["x-acs-version"]
        product = asked.host.split(".")[0]
        if asked.host == ADDRESS:  # an SDK that was given an address for its service has no name to tell
            product = next((name for name, known in VERSIONS.items() if known == version), "")
        if VERSIONS.get(product) != version or asked.path != "/":
            raise Refusal(404, "InvalidAction.NotFound")
        match f"{product}:{operation}":
            case "sts:GetCallerIdentity":
                return self._caller(key)
            case "sts:AssumeRole":
                return self._assume(key, asked.query | asked.form)
            case "ram:ListPoliciesForUser" | "ram:ListGroupsForUser" | "ram:ListPoliciesForGroup":
                return self._power(operation)
            case _ if asked.host.split(".")[1] in self.closed_regions:
                raise Refusal(403, "Forbidden.RAM", AccessDeniedDetail=denied(operation, "ControlPolicy"))
            case action if action not in READING:
                raise Refusal(404, "InvalidAction.NotFound")
            case action if action not in key.actions:
                code = "NoPermission" if product in ("ram", "actiontrail") else "Forbidden.RAM"
                raise Refusal(403, code, AccessDeniedDetail=denied(action, "AccountLevelIdentityBasedPolicy"))
        return Answer(200, {"RequestId": str(uuid4()).upper()})

    def _power(self, operation: str) -> Answer:
        """Only who has power may ask who has power."""
        found = {
            "ListPoliciesForUser": self.attached and _listed("Policies", "Policy", "PolicyName", self.attached),
            "ListGroupsForUser": self.attached_to_group and _listed("Groups", "Group", "GroupName", {"operators"}),
            "ListPoliciesForGroup": self.attached_to_group
            and _listed("Policies", "Policy", "PolicyName", self.attached_to_group),
        }[operation]
        if not found:
            raise Refusal(403, "NoPermission", AccessDeniedDetail=denied(f"ram:{operation}", IDENTITY))
        return Answer(200, {"RequestId": str(uuid4()).upper(), **found})

    def _caller(self, key: Key) -> Answer:
        return Answer(
            200,
            {
                "RequestId": str(uuid4()).upper(),
                "AccountId": key.account,
                "Arn": key.arn,
                "IdentityType": key.identity_type,
                "PrincipalId": token_hex(9),
            },
        )

    def _assume(self, key: Key, parameters: Mapping[str, str]) -> Answer:
        arn = parameters["RoleArn"]
        if "sts:AssumeRole" not in key.actions:
            policy = denied("sts:AssumeRole", "AccountLevelIdentityBasedPolicy")
            raise Refusal(403, "NoPermission", AccessDeniedDetail=policy)
        if arn not in self.roles:
            raise Refusal(404, "EntityNotExist.Role")
        role, given = self.roles[arn], parameters.get("ExternalId")
        if role.trusts != key.arn or not (role.external_id in (None, given) or (role.external_id == "*" and given)):
            raise Refusal(403, "NoPermission", AccessDeniedDetail=denied("sts:AssumeRole", "AssumeRolePolicy"))
        if not 900 <= int(parameters.get("DurationSeconds", "3600")) <= 43200:
            raise Refusal(400, "InvalidParameter.DurationSeconds")
        self.assumed.append(parameters)
        return Answer(200, self._session(role, parameters))

    def _session(self, role: Role, parameters: Mapping[str, str]) -> dict[str, object]:
        allowed = set(role.actions)
        if "Policy" in parameters:
            allowed &= set(json.loads(parameters["Policy"])["Statement"][0]["Action"])
        account, name = role.arn.split(":")[3], role.arn.split("/")[1]
        arn = f"acs:ram::{account}:assumed-role/{name}/{parameters['RoleSessionName']}"
        key = Key(account, arn, "AssumedRoleUser", id=f"STS.{made(24)}", token=made(200), actions=allowed)
        self.keys[key.id] = key
        return {
            "RequestId": str(uuid4()).upper(),
            "AssumedRoleUser": {"Arn": arn, "AssumedRoleId": f"3{made(17, digits)}:{parameters['RoleSessionName']}"},
            "Credentials": {
                "AccessKeyId": key.id,
                "AccessKeySecret": key.secret,
                "SecurityToken": key.token,
                "Expiration": "2099-01-01T00:00:00Z",
            },
        }

    def _signer(self, asked: Asked, now: float) -> Key:
        form = r"ACS3-HMAC-SHA256 Credential=([^,]+),\s?SignedHeaders=([^,]+),\s?Signature=([0-9a-f]{64})"
        found = re.fullmatch(form, asked.headers.get("authorization", ""))
        if not found or not set(found[2].split(";")) >= MUST_BE_SIGNED:
            raise Refusal(400, "IncompleteSignature")
        key = self.keys.get(found[1])
        if key is None:
            raise Refusal(404, "InvalidAccessKeyId.NotFound")
        if not key.is_active:
            raise Refusal(400, "InvalidAccessKeyId.Inactive")
        if asked.headers.get("x-acs-security-token", "") != key.token:
            raise Refusal(400, "InvalidSecurityToken.MismatchWithAccessKey" if key.token else "InvalidSecurityToken")
        self._check_freshness(asked, now)
        if not hmac.compare_digest(signature(asked, found[2], key.secret), found[3]):
            raise Refusal(400, "SignatureDoesNotMatch")
        return key

    def _check_freshness(self, asked: Asked, now: float) -> None:
        try:
            date = datetime.strptime(asked.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise Refusal(400, "InvalidTimeStamp.Format") from None
        if abs(date.timestamp() - now) > SKEW_SECONDS:
            raise Refusal(400, "InvalidTimeStamp.Expired")
        if asked.headers["x-acs-signature-nonce"] in self._nonces:
            raise Refusal(400, "SignatureNonceUsed")
        self._nonces.add(asked.headers["x-acs-signature-nonce"])


def signature(asked: Asked, names: str, secret: str) -> str:
    """What the signature of a request must be."""
    place = urlsplit(asked.target)
    pairs = sorted(parse_qsl(place.query, keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    headers = "".join(f"{name}:{asked.headers.get(name, '').strip()}\n" for name in names.split(";"))
    hashed = hashlib.sha256(asked.body).hexdigest()
    canonical = "\n".join([asked.method, place.path, query, headers, names, hashed])
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def denied(action: str, policy_type: str) -> dict[str, str]:
    return {"AuthAction": action, "PolicyType": policy_type, "NoPermissionType": "ImplicitDeny"}


def made(length: int, letters: str = ascii_letters + digits) -> str:
    return "".join(choice(letters) for _ in range(length))


def _listed(outer: str, inner: str, name: str, values: set[str]) -> dict[str, object]:
    return {outer: {inner: [{name: value} for value in sorted(values)]}}
