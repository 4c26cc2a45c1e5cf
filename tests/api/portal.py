"""What a portal does over HTTP, against the real application on the fakes."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from temporalio.client import Client

from api.app import create_app
from api.http.hardening import Edge
from api.services import Limits, Services
from domain.audit.events import audit_event
from domain.callers.access import Role
from domain.callers.api_keys import ApiKey, digest_of, key_id_of, new_key_text
from domain.callers.tenants import PLATFORM
from domain.onboarding.messages import OnboardingState
from tests.fakes_clouds import ROLE_ARN, FakeCatalogue
from tests.fakes_scans import fake_scan_services
from tests.patience import PATIENCE_SECONDS
from tests.rig import AT, ORIGIN, Rig

ROOT = "http://api.test/api/v1"
FAR = "2999-01-01T00:00:00.000Z"


@dataclass
class Portal:
    """A caller with an administrator's key, and the rig behind the API that it calls."""

    rig: Rig
    services: Services
    app: FastAPI
    http: httpx.AsyncClient

    def hurried(self, **limits: Any) -> "Portal":
        """The same caller at an API that waits less."""
        portal = open_portal(self.rig, self.rig.client, replace(self.services.limits, **limits))
        portal.http.headers = self.http.headers
        return portal

    async def init(self, key: str | None = None, **changes: Any) -> httpx.Response:
        body = {"tenant_id": self.rig.tenant_id, "account_name": "Production", "auth_method": "iam_role", **changes}
        return await self.http.post("/onboarding/aws/init", json=body, headers=idempotent(key))

    async def started(self, **changes: Any) -> str:
        """The id of a fresh onboarding that waits for its credential."""
        answer = await self.init(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["account_id"])

    async def validate(self, account_id: str, key: str | None = None, **changes: Any) -> httpx.Response:
        body = {
            "account_id": account_id,
            "auth_method": "iam_role",
            "credentials": {"role_arn": ROLE_ARN},
            **changes,
        }
        return await self.http.post("/onboarding/aws/validate", json=body, headers=idempotent(key))

    async def state(self, account_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.http.get(f"/onboarding/{account_id}")).json()
        return answer

    async def settled(self, account_id: str) -> dict[str, Any]:
        """The state once the onboarding has ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                state = await self.state(account_id)
                if OnboardingState(state["state"]).final:
                    return state
                await asyncio.sleep(0.02)


def open_portal(
    rig: Rig, client: Client, limits: Limits | None = None, *, edge: Edge | None = None, **replaced: Any
) -> Portal:
    stores = rig.stores
    services = Services(
        **{
            "temporal": client,
            "tenants": stores.tenants,
            "accounts": stores.accounts,
            "api_keys": stores.api_keys,
            "idempotency": stores.idempotency,
            "audit": stores.audit,
            "digest": stores.digest,
            "sealer": stores.sealer,
            "catalogue": FakeCatalogue({rig.provider.description.provider_type: rig.provider}),
            "probes": dict.fromkeys(("dynamodb", "secrets_manager", "kms"), lambda: None),
            "version": "1.2.3",
            "scans": fake_scan_services(stores),
            "scans_queue": rig.queue,
            "limits": limits or Limits(),
            "onboarding_queue": rig.queue,
            **replaced,
        }
    )
    app = create_app(services, edge)
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {add_key(rig)}"}
    return Portal(rig, services, app, httpx.AsyncClient(transport=transport, base_url=ROOT, headers=headers))


def add_key(rig: Rig, **changes: Any) -> str:
    """The text of a new administrator's key: the platform's, unless a tenant is named."""
    text = new_key_text()
    key = {
        "key_id": key_id_of(text),
        "tenant_id": PLATFORM,
        "name": "portal",
        "digest": digest_of(text),
        "role": Role.ADMIN,
        "platform": "tenant_id" not in changes,
        "created_at": AT,
        "expires_at": FAR,
        **changes,
    }
    event = audit_event(ORIGIN, operation=str(uuid4()), tenant_id=PLATFORM, action="key.created", target="key", at=AT)
    rig.stores.api_keys.add(ApiKey(**key), event)
    return text


def idempotent(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key} if key is not None else {}


def codes(answer: httpx.Response) -> list[str]:
    """The codes of the problems of an error."""
    return [problem["code"] for problem in answer.json()["detail"]["problems"]]
