"""OCI's side: every request carries a signature over its date, target and host, which is verified with the key that the
user has under the fingerprint named.

Codes and bodies are those of Oracle's "API Errors". What a user may do is a set of permissions on the whole tenancy.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from secrets import token_hex

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from emulators.clouds.server import ADDRESS, Answer, Asked

SKEW_SECONDS = 300
REGION = "eu-frankfurt-1"

# host and path of each operation, and the permission that it needs (Oracle's policy reference)
OPERATIONS = {
    r"identity\S+/20160918/tenancies/[^/]+": "TENANCY_INSPECT",
    r"identity\S+/20160918/tenancies/[^/]+/regionSubscriptions": "TENANCY_INSPECT",
    r"identity\S+/20160918/compartments": "COMPARTMENT_INSPECT",
    r"identity\S+/20160918/users(/[^/]+)?": "USER_INSPECT",
    r"identity\S+/20160918/groups": "GROUP_INSPECT",
    r"identity\S+/20160918/userGroupMemberships": "GROUP_INSPECT",
    r"identity\S+/20160918/policies": "POLICY_READ",
    r"identity\S+/20160918/authenticationPolicies/[^/]+": "AUTHENTICATION_POLICY_INSPECT",
    r"identity\S+/20160918/dynamicGroups": "DYNAMIC_GROUP_INSPECT",
    r"iaas\S+/20160918/vcns": "VCN_READ",
    r"iaas\S+/20160918/securityLists": "SECURITY_LIST_READ",
    r"iaas\S+/20160918/instances": "INSTANCE_READ",
    r"iaas\S+/20160918/networkSecurityGroups": "NETWORK_SECURITY_GROUP_READ",
    r"iaas\S+/20160918/volumes": "VOLUME_INSPECT",
    r"iaas\S+/20170115/loadBalancers": "LOAD_BALANCER_INSPECT",
    r"objectstorage\S+/n": "",
    r"objectstorage\S+/n/[^/]+/b": "BUCKET_INSPECT",
    r"database\S+/20160918/autonomousDatabases": "AUTONOMOUS_DATABASE_INSPECT",
    r"database\S+/20160918/dbSystems": "DB_SYSTEM_INSPECT",
    r"events\S+/20181201/rules": "EVENTRULE_LIST",
    r"logging\S+/20200531/logGroups": "LOG_GROUP_INSPECT",
    r"kms\S+/20180608/vaults": "VAULT_INSPECT",
    r"audit\S+/20190901/auditEvents": "AUDIT_EVENT_READ",
}
MESSAGES = {
    "NotAuthenticated": "The required information to complete authentication was not provided or was incorrect.",
    "NotAuthorizedOrNotFound": "Authorization failed or requested resource not found.",
    "NotFound": "Not Found",
}


def made_ocid(kind: str, realm: str = "oc1") -> str:
    return f"ocid1.{kind}.{realm}..aaaaaaaa{token_hex(26)}"


@dataclass
class User:
    tenancy: str
    ocid: str = field(default_factory=lambda: made_ocid("user"))
    state: str = "ACTIVE"
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    """By fingerprint."""


class OciCloud:
    """One tenancy that is subscribed to one region, with one user who may do everything that there is."""

    def __init__(self, key: rsa.RSAPrivateKey | None = None) -> None:
        self.hosts: Sequence[str] = ("*.oraclecloud.com", ADDRESS)
        self.key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.tenancy = made_ocid("tenancy")
        self.namespace = token_hex(6)
        self.user = User(self.tenancy, keys={fingerprint(self.key.public_key()): self.key.public_key()})
        self.users = {self.user.ocid: self.user}
        self.granted = {permission for permission in OPERATIONS.values() if permission}
        self.regions = {REGION}
        self.groups = {made_ocid("group"): "ThreatEngine"}
        """Of the user: names by OCID."""
        self.statements = ["Allow group ThreatEngine to inspect all-resources in tenancy"]

    def demo_credential(self) -> dict[str, object]:
        return {
            "user_ocid": self.user.ocid,
            "tenancy_ocid": self.tenancy,
            "fingerprint": fingerprint(self.key.public_key()),
            "private_key": pem(self.key),
            "region": REGION,
        }

    def answer(self, asked: Asked, now: float) -> Answer:
        user = self._signer(asked, now)
        if user is None:
            return error(401, "NotAuthenticated")
        for operation, permission in OPERATIONS.items():
            # An SDK that was given an address for its service has no name to tell.
            pattern = operation if asked.host != ADDRESS else operation.replace(operation.split("/")[0], "", 1)
            place = f"{asked.host}{asked.path}".removeprefix(ADDRESS)
            if asked.method == "GET" and re.fullmatch(pattern, place):
                return self._perform(asked, user, permission)
        return error(404, "NotFound")

    def _perform(self, asked: Asked, user: User, permission: str) -> Answer:
        tenancy = re.search(r"ocid1\.tenancy\.[a-z0-9.-]+", asked.target)
        if (tenancy and tenancy[0] != user.tenancy) or (permission and permission not in self.granted):
            return error(404, "NotAuthorizedOrNotFound")
        match asked.path.split("/")[1:]:
            case ["n"]:
                return answer(self.namespace)
            case ["n", namespace, "b"] if namespace != self.namespace:
                return error(404, "NamespaceNotFound")
            case [_, "users", ocid]:
                return self._user(ocid)
            case [_, "tenancies", ocid]:
                return answer({"id": ocid, "name": "acme", "homeRegionKey": "FRA"})
            case [_, "userGroupMemberships"]:
                return answer([{"groupId": group, "userId": user.ocid} for group in self.groups])
            case [_, "groups"]:
                return answer([{"id": group, "name": name} for group, name in self.groups.items()])
            case [_, "policies"]:
                return answer([{"name": "ThreatEngine", "statements": self.statements}])
            case [_, "authenticationPolicies", ocid]:
                return answer({"compartmentId": ocid, "passwordPolicy": {"minimumPasswordLength": 14}})
        return answer([])

    def _user(self, ocid: str) -> Answer:
        if ocid not in self.users:
            return error(404, "NotAuthorizedOrNotFound")
        user = self.users[ocid]
        return answer({"id": ocid, "compartmentId": user.tenancy, "name": "scan", "lifecycleState": user.state})

    def _signer(self, asked: Asked, now: float) -> User | None:
        """Whose key signed the request; None for a signature that does not hold."""
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        found = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        names = found.get("headers", "").split()
        if scheme != "Signature" or found.get("algorithm") != "rsa-sha256" or found.get("version") != "1":
            return None
        if not {"(request-target)", "host"} <= set(names) or not {"date", "x-date"} & set(names):
            return None
        if not self._is_fresh(asked, now):
            return None
        target = f"{asked.method.lower()} {asked.target}"
        lines = [f"{name}: {target if name == '(request-target)' else asked.headers.get(name)}" for name in names]
        return self._verified(found.get("keyId", ""), "\n".join(lines), found.get("signature", ""))

    def _verified(self, key_id: str, signed: str, signature: str) -> User | None:
        tenancy, _, rest = key_id.partition("/")
        ocid, _, print_ = rest.partition("/")
        user = self.users.get(ocid)
        if user is None or user.tenancy != tenancy or print_ not in user.keys:
            return None
        try:
            user.keys[print_].verify(b64decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return None
        return user

    def _is_fresh(self, asked: Asked, now: float) -> bool:
        try:
            date = parsedate_to_datetime(asked.headers.get("x-date") or asked.headers.get("date", ""))
        except ValueError:
            return False
        region = re.search(r"\.([a-z]+(-[a-z]+)+-\d)\.", asked.host)
        return abs(date.timestamp() - now) <= SKEW_SECONDS and (region is None or region[1] in self.regions)


def answer(body: object) -> Answer:
    return Answer(200, body, {"opc-request-id": token_hex(16)})


def error(status: int, code: str) -> Answer:
    return Answer(status, {"code": code, "message": MESSAGES.get(code, code)}, {"opc-request-id": token_hex(16)})


def fingerprint(key: rsa.RSAPublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.new("md5", der, usedforsecurity=False).hexdigest()
    return ":".join(re.findall("..", digest))


def pem(key: rsa.RSAPrivateKey, pass_phrase: str = "", *, traditional: bool = False) -> str:
    form = serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if pass_phrase:
        encryption = serialization.BestAvailableEncryption(pass_phrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()
