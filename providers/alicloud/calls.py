"""Calls to AliCloud's services, signed by the customer's key or by ours. They raise Refused or Trouble."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from domain.onboarding.credentials import Secret
from providers.alicloud.errors import JUDGES, Signer, codes
from providers.alicloud.permissions import Call, policy
from providers.alicloud.signature import AccessKey, query_of, signed_headers
from providers.rest import Request, Rest, text
from transport.client import GuardedClient

SESSION_SECONDS = "900"  # the shortest that STS gives


class Session:
    """Calls that one key signs."""

    def __init__(self, client: GuardedClient, key: AccessKey, signer: Signer) -> None:
        self._client = client
        self.key = key
        self._judge = JUDGES[signer]
        self._rest = Rest(client, self._judge, codes)

    def call(self, call: Call) -> Mapping[str, Any]:
        headers = signed_headers(self.key, call, date=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", nonce=token_hex(16))
        query = query_of(call.parameters)
        url = f"https://{call.service.host}/" + (f"?{query}" if query else "")
        return self._rest.call(Request("POST", url, headers))

    def caller(self) -> Mapping[str, Any]:
        """Who AliCloud says the key is. Needs no permission."""
        found = self.call(Call("sts:GetCallerIdentity"))
        if not text(found, "AccountId") or not text(found, "Arn"):
            raise self._judge.unavailable()
        return found

    def assume(
        self,
        role_arn: str,
        *,
        external_id: str | None,
        session_name: str,
        permissions: Sequence[str],
        seconds: str = SESSION_SECONDS,
    ) -> "Session":
        """The customer's session. It can do what the permissions say and no more, whatever the role itself may do."""
        parameters = {
            "RoleArn": role_arn,
            "RoleSessionName": session_name,
            "DurationSeconds": seconds,
            "Policy": policy(permissions),
            **({} if external_id is None else {"ExternalId": external_id}),
        }
        found = self.call(Call("sts:AssumeRole", parameters))
        given = [text(found, "Credentials", name) for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken")]
        if not all(value.isascii() and value.isprintable() and value for value in given):
            raise self._judge.unavailable()
        key = AccessKey(given[0], Secret(given[1]), Secret(given[2]))
        return Session(self._client, key, Signer.CUSTOMER)
