"""The fleet with faults in its calls to AWS, and the customers that walk through it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.portal_client import CONNECTIONS
from bench.tenants import FreshTenants
from local.progress import Progress
from stores.dynamodb.tables import TableNames
from tests.resilience.caller import Caller
from tests.resilience.customer import Customer
from tests.resilience.endings import Scene
from tests.resilience.faults import FaultFolder
from tests.resilience.fleet import Fleet, running_fleet
from tests.resilience.invariants import Broken, Expected, check
from tests.resilience.journeys import Traveller
from tests.resilience.keys import used_key
from workflows.ids import RECONCILE_ID, SEAL_AUDITS_ID

REQUEST_SECONDS = 60


@dataclass(frozen=True)
class Ground:
    fleet: Fleet
    faults: FaultFolder
    http: httpx.AsyncClient
    tenants: FreshTenants
    customer: Customer
    scene: Scene
    expected: list[Expected] = field(default_factory=list)
    """Every onboarding that was asked for here."""

    async def broken(self) -> list[Broken]:
        """What is lost, doubled or orphaned."""
        return await check(self.expected, self.fleet.aws, self.fleet.client)

    def traveller(self, *, own_keys: bool = False, pause: float = 1.0, patience: float = 120.0) -> Traveller:
        """`own_keys`: each request with an API key that the API has not seen yet. `pause` is the longest between two
        requests, and `patience` how long one is repeated, in seconds."""
        caller = Caller(self.http, pause=pause, patience=patience)
        return Traveller(caller, self.customer, self.tenants, self._new_key if own_keys else lambda: self.fleet.api_key)

    async def ready(self) -> bool | None:
        """What /health/ready says; None when nobody answers."""
        try:
            return (await self.http.get("/health/ready")).is_success
        except httpx.TransportError:
            return None

    def _new_key(self) -> str:
        return used_key(self.fleet.aws)


@asynccontextmanager
async def burning_ground(
    folder: Path, *, progress: Progress, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Ground]:
    """Raises StackFailed when a part does not start."""
    programs = {name: ("-m", "tests.resilience.faulty", name, str(folder)) for name in ("worker", "api")}
    async with (
        running_fleet(folder, progress=progress, programs=programs, settings=settings) as fleet,
        httpx.AsyncClient(
            base_url=f"{fleet.api_url}/api/v1",
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            timeout=REQUEST_SECONDS,
            trust_env=False,
        ) as http,
    ):
        # What it does by itself calls AWS for nobody who is on the way here.
        for recurring in (RECONCILE_ID, SEAL_AUDITS_ID):
            await fleet.client.get_schedule_handle(recurring).pause()
        yield Ground(
            fleet=fleet,
            faults=FaultFolder(folder),
            http=http,
            tenants=fleet.tenants(),
            customer=Customer(fleet.customer),
            scene=Scene(fleet.aws, fleet.client, TableNames()),
        )
