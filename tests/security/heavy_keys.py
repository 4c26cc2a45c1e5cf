"""One tenant tries keys that cost a lot, six at once; another one, who tries a good key meanwhile, gets its verdict.

API, worker and Temporal are real, the cloud is the stand-in of OCI, and no rate is limited: what is measured is what a
key costs the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from bench.report import Target
from emulators.clouds.server import running_stand_in
from tests.api.portal import Portal, add_key, open_portal
from tests.clouds.cases import Case, oci_key
from tests.providers.der_keys import block, long_dsa, pkcs8, rsa_numbers
from tests.rig import Rig
from tests.security.bed import temporal_server
from transport.client import GuardedClient

AT_ONCE = 6
FULL_SECONDS, QUICK_SECONDS = 60.0, 10.0
PAUSE_SECONDS = 0.5
"""Between two looks of the quiet one."""
SLOWEST_SECONDS = 5.0


@dataclass
class Tried:
    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Tenant:
    """Somebody who has begun to onboard a tenancy and tries keys."""

    def __init__(self, portal: Portal, good: dict[str, Any]) -> None:
        self.portal, self.good = portal, good
        self.tried = Tried()
        self._account_id = ""

    async def begin(self) -> None:
        body = {"tenant_id": self.portal.rig.tenant_id, "account_name": "Ours", "auth_method": "user_principal"}
        self._account_id = (await self.portal.http.post("/onboarding/oci/init", json=body)).json()["account_id"]

    async def try_key(self, **changed: str) -> None:
        body = {
            "account_id": self._account_id,
            "auth_method": "user_principal",
            "credentials": {**self.good, **changed},
        }
        began = perf_counter()
        answer = await self.portal.http.post("/onboarding/oci/validate?dry_run=true", json=body)
        self.tried.seconds.append(perf_counter() - began)
        self.tried.statuses.append(answer.status_code)

    async def attack(self, keys: Sequence[str], until: float) -> None:

        async def one() -> None:
            for key in cycle(keys):
                if perf_counter() > until:
                    return
                await self.try_key(private_key=key)

        await asyncio.gather(*(one() for _ in range(AT_ONCE)))


async def run(*, quick: bool = False) -> Sequence[Target]:
    seconds = QUICK_SECONDS if quick else FULL_SECONDS
    long_key = await asyncio.to_thread(generate_private_key, 65537, 8192)
    keys = [block("PRIVATE KEY", pkcs8(rsa_numbers(long_key))), block("PRIVATE KEY", long_dsa())]
    async with tenants() as (quiet, loud):
        await asyncio.gather(quiet.begin(), loud.begin())
        await quiet.try_key()
        attack = asyncio.create_task(loud.attack(keys, perf_counter() + seconds))
        while not attack.done():
            await quiet.try_key()
            await asyncio.sleep(PAUSE_SECONDS)
        await attack
    tried = quiet.tried
    unanswered = sum(status != 200 for status in tried.statuses)
    print(
        f"{len(loud.tried.statuses)} heavy keys in {seconds:.0f} s; the other tenant asked {len(tried.statuses)} "
        f"times, median {median(tried.seconds):.2f} s, slowest {max(tried.seconds):.2f} s, "
        f"without a verdict {unanswered}"
    )
    return (
        Target("heavy keys: another tenant's good keys without a verdict", unanswered, at_most=0),
        Target("heavy keys: another tenant's slowest verdict, s", max(tried.seconds), at_most=SLOWEST_SECONDS),
    )


@asynccontextmanager
async def tenants() -> AsyncIterator[tuple[Tenant, Tenant]]:
    case = oci_key()
    with TemporaryDirectory(prefix="heavy-keys-") as folder, running_stand_in(Path(folder), [case.cloud]) as stand_in:
        client = GuardedClient(
            stand_in.backend(), is_allowed=case.is_allowed, ca_file=stand_in.ca_file, keep_alive=True
        )
        with client:
            async with temporal_server() as temporal:
                rig = Rig(temporal, provider=case.make(client))
                async with rig.worker():
                    yield (
                        _tenant(rig, case),
                        _tenant(Rig(temporal, stores=rig.stores, queue=rig.queue, provider=rig.provider), case),
                    )


def _tenant(rig: Rig, case: Case) -> Tenant:
    portal = open_portal(rig, rig.client)
    portal.http.headers["Authorization"] = f"Bearer {add_key(rig, tenant_id=rig.tenant_id)}"
    return Tenant(portal, dict(case.good))
