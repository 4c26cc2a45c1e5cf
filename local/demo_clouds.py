"""The demo goes on: one account of each other cloud, whose stand-in checks what is sent as the real one would."""

from typing import Any

from emulators.failures import StackFailed
from local.clouds import CustomerClouds
from local.demo import Demo, activated
from local.portal import Portal, portal
from local.progress import Progress
from local.stack import Stack


async def onboard_others(stack: Stack, clouds: CustomerClouds, demo: Demo, progress: Progress) -> tuple[str, ...]:
    """The clouds of which an account is active now. Raises StackFailed when one is not."""
    async with portal(stack.api_url, stack.api_key) as api:
        for cloud, credentials in clouds.credentials.items():
            with progress.step(f"{cloud}: init, then validate, against a stand-in that checks what is signed"):
                account = await _onboard(api, cloud, credentials, tenant_id=demo.tenant_id)
            if account["status"] != "active":
                raise StackFailed(f"The demo account of {cloud} did not become active; it is {account['status']}.")
    return tuple(clouds.credentials)


async def _onboard(api: Portal, cloud: str, credentials: object, *, tenant_id: str) -> dict[str, Any]:
    wanted = {"tenant_id": tenant_id, "account_name": f"Demo {cloud}"}
    started = await api.post(f"/onboarding/{cloud}/init", wanted)
    submitted = {
        "account_id": started["account_id"],
        "auth_method": started["auth_method"],
        "credentials": credentials,
    }
    await api.post(f"/onboarding/{cloud}/validate", submitted)
    return await activated(api, started["account_id"])
