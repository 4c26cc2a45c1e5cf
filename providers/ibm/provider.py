"""IBM Cloud: what it asks for, and the proof that an API key works.

Three calls as a rule, all to IAM: a token, the details of the key, the policies of its identity. Only when these do not
grant everything are those of its access groups looked at as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from domain.errors import InvalidInput, PlatformConfig
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from providers.checks import Refused, without_damage
from providers.ibm.checks import Proof
from providers.ibm.description import API_KEY, DESCRIPTION
from providers.ibm.errors import JUDGE, TOKEN_JUDGE, Reason, codes
from providers.ibm.permissions import Policy, policies_in
from providers.ibm.setup import setup_of
from providers.rest import Request, Rest, form, get, text
from transport.client import GuardedClient

HOST = "iam.cloud.ibm.com"
GRANT_TYPE = "urn:ibm:params:oauth:grant-type:apikey"
MAX_PAGES = 20
MAX_GROUPS = 50
"""More than an identity can be in."""


def is_ibm_host(host: str) -> bool:
    return host == HOST


class IbmProvider:
    """The `CloudProvider` of IBM Cloud. The client may reach the host of `is_ibm_host`."""

    def __init__(self, client: GuardedClient, engine_permissions: Sequence[str] = ()) -> None:
        self._description = DESCRIPTION.with_permissions(engine_permissions)
        self._api = Ibm(Rest(client, TOKEN_JUDGE, codes), Rest(client, JUDGE, codes))

    @property
    def description(self) -> ProviderDescription:
        return self._description

    def setup(self, request: SetupRequest) -> Setup:
        return setup_of(request, [permission.name for permission in self._description.permissions])

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        return self.proof(credential, expectation).verdict()

    def proof(self, credential: Credential, expectation: Expectation) -> Proof:
        if credential.credential_type != API_KEY.credential_type:
            raise InvalidInput("This is not a credential for IBM Cloud.")
        undamaged = without_damage(DESCRIPTION.methods, credential)
        return Proof(self._api, undamaged, expectation, self._description.permissions)


@dataclass(frozen=True)
class Ibm:
    """The calls. The API key is of letters and digits, checked before. Each raises Refused or Trouble."""

    tokens: Rest
    rest: Rest

    def token(self, api_key: str) -> str:
        """An access token. A good key has been seen to get a 400 when many ask at once
        (github.com/IBM/ibm-cos-sdk-python, issue 63), so an answer without a known code is asked for once more."""
        request = form(f"https://{HOST}/identity/token", {"grant_type": GRANT_TYPE, "apikey": api_key})
        try:
            answer = self.tokens.call(request)
        except (PlatformConfig, Refused) as error:
            if isinstance(error, Refused) and error.reason is not Reason.KEY_REFUSED:
                raise
            answer = self.tokens.call(request)
        return text(answer, "access_token")

    def details(self, token: str, api_key: str) -> Mapping[str, Any]:
        request = get(f"https://{HOST}/v1/apikeys/details", token)
        return self.rest.call(Request("GET", request.url, {**request.headers, "iam-apikey": api_key}))

    def policies(self, token: str, account_id: str, iam_id: str) -> Sequence[Policy]:
        """Those of an identity itself, as far as the caller may see them."""
        return self._policies(token, account_id, iam_id=iam_id)

    def group_policies(self, token: str, account_id: str, iam_id: str) -> Sequence[Policy]:
        """Those of the access groups that an identity is in, as far as the caller may see them."""
        query = {"account_id": account_id, "iam_id": iam_id, "membership_type": "all", "limit": str(MAX_GROUPS)}
        found = self.rest.call(get(f"https://{HOST}/v2/groups?{urlencode(query)}", token)).get("groups")
        groups = [text(group, "id") for group in found[:MAX_GROUPS]] if isinstance(found, list) else []
        return [
            policy for group in groups if group for policy in self._policies(token, account_id, access_group_id=group)
        ]

    def _policies(self, token: str, account_id: str, **subject: str) -> Sequence[Policy]:
        return [
            policy
            for page in self._pages(token, {"account_id": account_id, "type": "access", "state": "active", **subject})
            for policy in policies_in(page, account_id)
        ]

    def _pages(self, token: str, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        start: Mapping[str, str] = {}
        for _ in range(MAX_PAGES):
            page = self.rest.call(get(f"https://{HOST}/v1/policies?{urlencode({**query, **start})}", token))
            yield page
            start = {"start": text(page, "next", "start")}
            if not start["start"]:
                return
        raise JUDGE.unavailable()
