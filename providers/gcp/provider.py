"""Google Cloud: what it asks for, and the proof that a service account works.

The addresses are these and no others: what a key file says about addresses, universes or kinds of accounts is dropped
before it gets here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from domain.errors import InvalidInput
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from domain.ports import IdentityTokens
from providers.checks import without_damage
from providers.gcp.checks import Access, Proof
from providers.gcp.description import DESCRIPTION, KEYLESS_DESCRIPTION, SERVICE_ACCOUNT, WORKLOAD_IDENTITY
from providers.gcp.errors import FEDERATION, JUDGE, codes
from providers.gcp.federation import LOAN_SECONDS, FederatedAccess
from providers.gcp.key import SCOPE, TOKEN_URL, KeyAccess
from providers.gcp.setup import setup_of
from providers.rest import Rest, form, get, post, text
from transport.client import GuardedClient

HOSTS = (
    "oauth2.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "sts.googleapis.com",
    "iamcredentials.googleapis.com",
)

PROJECTS_URL = "https://cloudresourcemanager.googleapis.com/v3/projects"
EXCHANGE_URL = "https://sts.googleapis.com/v1/token"
ACCOUNTS_URL = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "scope": "https://www.googleapis.com/auth/iam",
}
"""RFC 8693. The scope is good for the loan of a service account, and for no other service."""
BATCH = 100
"""How many permissions one call of testIamPermissions takes."""


def is_gcp_host(host: str) -> bool:
    return host in HOSTS


class GcpProvider:
    """The `CloudProvider` of Google Cloud. The client may reach the hosts of `is_gcp_host`. Without `identity` there is
    no way in without a key."""

    def __init__(
        self,
        client: GuardedClient,
        identity: IdentityTokens | None = None,
        engine_permissions: Sequence[str] = (),
    ) -> None:
        offered = KEYLESS_DESCRIPTION if identity else DESCRIPTION
        self._description = offered.with_permissions(engine_permissions)
        self.calls = Gcp(Rest(client, JUDGE, codes), Rest(client, FEDERATION, codes))
        self._identity = identity

    @property
    def description(self) -> ProviderDescription:
        return self._description

    def setup(self, request: SetupRequest) -> Setup:
        self.description.method(request.auth_method)
        names = [permission.name for permission in self._description.permissions]
        return setup_of(request, names, issuer=self._identity.issuer if self._identity else "")

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        return self.proof(credential, expectation).verdict()

    def proof(self, credential: Credential, expectation: Expectation, *, loan_seconds: int = LOAN_SECONDS) -> Proof:
        credential = without_damage(KEYLESS_DESCRIPTION.methods, credential)
        access = self._access(credential, expectation, loan_seconds)
        return Proof(self.calls, access, expectation, self._description.permissions)

    def _access(self, credential: Credential, expectation: Expectation, loan_seconds: int) -> Access:
        if credential.credential_type == SERVICE_ACCOUNT.credential_type:
            return KeyAccess(self.calls, credential)
        if credential.credential_type != WORKLOAD_IDENTITY.credential_type:
            raise InvalidInput("This is not a credential for Google Cloud.")
        if self._identity is None:  # the setting was there when the account was made
            raise FEDERATION.misconfigured("IDENTITY_ISSUER_URL")
        return FederatedAccess(self.calls, self._identity, credential, expectation, loan_seconds=loan_seconds)


@dataclass(frozen=True)
class Gcp:
    """The calls. IDs are checked before. Each raises Refused or Trouble."""

    rest: Rest
    federation: Rest
    """Judges by the table of the exchange and of the loan."""

    def token_of_assertion(self, assertion: str) -> str:
        """The access token of a service account, for a token that one of its keys has signed."""
        return _token(self.rest.call(form(TOKEN_URL, {"grant_type": JWT_BEARER, "assertion": assertion})))

    def federated_token(self, identity_token: str, provider: str) -> str:
        """What the pool gives for a token of our issuer: a principal of its own, good for nothing but the loan."""
        fields = {**EXCHANGE, "audience": provider, "subject_token": identity_token}
        return _token(self.federation.call(form(EXCHANGE_URL, fields)))

    def token_of_account(self, federated_token: str, account: str, *, seconds: int) -> str:
        wanted = {"scope": [SCOPE], "lifetime": f"{seconds}s"}
        url = f"{ACCOUNTS_URL}/{account}:generateAccessToken"
        return _token(self.federation.call(post(url, federated_token, wanted)), "accessToken")

    def project(self, token: str, project_id: str) -> Mapping[str, Any]:
        return self.rest.call(get(_address(project_id), token))

    def granted(self, token: str, project_id: str, permissions: Sequence[str]) -> frozenset[str]:
        """Those of the permissions that the caller holds on the project."""
        found: set[str] = set()
        for start in range(0, len(permissions), BATCH):
            batch = {"permissions": list(permissions[start : start + BATCH])}
            answer = self.rest.call(
                post(f"{PROJECTS_URL}/{quote(project_id, safe='')}:testIamPermissions", token, batch)
            )
            held = answer.get("permissions")
            if isinstance(held, list):
                found.update(name for name in held if isinstance(name, str))
        return frozenset(found)


def _address(project_id: str) -> str:
    return f"{PROJECTS_URL}/{quote(project_id, safe='')}"


def _token(answer: Mapping[str, Any], name: str = "access_token") -> str:
    """Raises Unavailable for an answer without a token that could go into a header."""
    token = text(answer, name)
    if not re.fullmatch(r"[!-~]{1,8192}", token):
        raise JUDGE.unavailable()
    return token
