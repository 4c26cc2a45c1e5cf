"""The whole API: the real application with every route, one worker for all workflows, fakes behind the ports."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

from activities.accounts import AccountActivities
from activities.credentials import CredentialActivities
from temporal.worker import build_worker
from tests.api.portal import Portal
from tests.api.scan_portal import ScanPortal, open_scan_portal
from tests.fakes_clouds import FakeCatalogue
from tests.scan_rig import WORKFLOWS, ScanRig
from workflows.onboarding.onboard_account import OnboardAccount
from workflows.onboarding.probe_credential import ProbeCredential


@dataclass(frozen=True)
class WholePortal:
    """A platform administrator, and one of each thing that a path can name."""

    portal: Portal
    ids: dict[str, str]

    def fill(self, value: Any) -> Any:
        """An example with the ids of what is there."""
        if not isinstance(value, dict):
            return value
        return {name: self.ids.get(name, each) for name, each in value.items()}


@asynccontextmanager
async def whole_portal(client: Client) -> AsyncIterator[WholePortal]:
    rig = ScanRig(client)
    scans = await open_scan_portal(rig)
    async with _worker(rig, scans.portal), scans.http:
        yield WholePortal(scans.portal, await _things(scans))


@asynccontextmanager
async def _worker(rig: ScanRig, portal: Portal) -> AsyncIterator[None]:
    stores, provider = rig.stores, portal.rig.provider
    catalogue = FakeCatalogue({provider.description.provider_type: provider})
    onboarding = [
        *AccountActivities(stores.accounts, stores.audit).all(),
        *CredentialActivities(stores.vault, stores.sealer, catalogue, stores.accounts).all(),
    ]
    with ThreadPoolExecutor(16) as executor:
        worker = build_worker(
            rig.client,
            queue=rig.queue,
            workflows=[*WORKFLOWS, OnboardAccount, ProbeCredential],
            activities=[*rig.activities(), *onboarding],
            executor=executor,
            concurrency=16,
        )
        async with worker:
            yield


async def _things(scans: ScanPortal) -> dict[str, str]:
    tenant_id, account_id = scans.rig.tenant_id, scans.rig.account.account_id
    schedule_id = await scans.made()
    execution_id = await scans.triggered(schedule_id)
    await scans.ended(execution_id)
    key = await scans.http.post("/api-keys", json={"tenant_id": tenant_id, "name": "Portal", "role": "viewer"})
    return {
        "provider": "aws",
        "tenant_id": tenant_id,
        "account_id": account_id,
        "onboarding_id": await scans.portal.started(),
        "schedule_id": schedule_id,
        "execution_id": execution_id,
        "scan_id": execution_id,
        "key_id": str(key.json()["key_id"]),
    }
