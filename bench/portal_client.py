"""The API as a portal calls it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

PATIENCE_SECONDS = 120
CONNECTIONS = 128


@dataclass(frozen=True)
class PortalClient:
    http: httpx.AsyncClient

    async def init(self, tenant_id: str) -> dict[str, Any]:
        body = {"tenant_id": tenant_id, "account_name": "Production", "auth_method": "iam_role"}
        return await self._post("/onboarding/aws/init", body)

    async def validate(self, account_id: str, role_arn: str) -> dict[str, Any]:
        credentials = {"role_arn": role_arn}
        body = {"account_id": account_id, "auth_method": "iam_role", "credentials": credentials}
        return await self._post("/onboarding/aws/validate", body)

    async def make_tenant(self) -> str:
        return str((await self._post("/tenants", {"tenant_name": f"Tenant {uuid4()}"}))["tenant_id"])

    async def get(self, path: str, **query: str | int) -> dict[str, Any]:
        return _body(await self.http.get(path, params=query))

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _body(await self.http.post(path, json=body, headers={"Idempotency-Key": uuid4().hex}))


@asynccontextmanager
async def portal_client(api_url: str, key: str) -> AsyncIterator[PortalClient]:
    async with httpx.AsyncClient(
        base_url=f"{api_url}/api/v1",
        headers={"Authorization": f"Bearer {key}"},
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    ) as http:
        yield PortalClient(http)


def _body(answer: httpx.Response) -> dict[str, Any]:
    """Raises httpx.HTTPStatusError for an error; a promise (202) is not an answer here."""
    answer.raise_for_status()
    if answer.status_code == httpx.codes.ACCEPTED:
        raise httpx.HTTPStatusError("Still validating.", request=answer.request, response=answer)
    body: dict[str, Any] = answer.json()
    return body
