"""What a portal does with schedules and scans: the real application and the real Temporal, on the stores of one rig."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from temporalio.client import (
    Client,
    CreateScheduleInput,
    Interceptor,
    OutboundInterceptor,
    ScheduleHandle,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)

from api.services import Limits, ScanServices
from temporal.schedules.previews import PREFIX
from tests.api.portal import Portal, add_key, idempotent, open_portal
from tests.channels import CHANNELS
from tests.fakes_scans import OFFERS, ScriptedEngine
from tests.patience import PATIENCE_SECONDS
from tests.rig import PLUGIN, Rig, until_set
from tests.scan_rig import ScanRig

LIMITS = Limits(accept_wait_seconds=PATIENCE_SECONDS, scan_seconds=PATIENCE_SECONDS, scan_poll_seconds=1)
NIGHTLY = {"schedule_type": "cron", "cron_expression": "0 2 * * *"}
HOOK = "https://hooks.example.com/scan"


class Started(Interceptor):
    """Notes what is started through a client; previews leave nothing and do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Noting(next, self.names)


class _Noting(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, names: list[str]) -> None:
        super().__init__(next)
        self._names = names

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        self._names.append(input.workflow)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        self._names.append(input.start_workflow_input.workflow)
        return await super().start_update_with_start_workflow(input)

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        if not input.id.startswith(PREFIX):
            self._names.append(f"schedule {input.id}")
        return await super().create_schedule(input)


@dataclass
class ScanPortal:
    """A caller with an administrator's key, and the rig behind the API that it calls."""

    rig: ScanRig
    portal: Portal
    started: list[str] = field(default_factory=list)
    """The names of the workflows and Temporal Schedules that the API itself started."""

    @property
    def http(self) -> httpx.AsyncClient:
        return self.portal.http

    @property
    def engine(self) -> ScriptedEngine:
        assert self.rig.engines.inside is not None
        return self.rig.engines.inside

    def body(self, **changes: Any) -> dict[str, Any]:
        named = {"tenant_id": self.rig.tenant_id, "account_id": self.rig.account.account_id, "name": "Nightly"}
        return {**named, **NIGHTLY, **changes}

    async def create(self, key: str | None = None, **changes: Any) -> httpx.Response:
        return await self.http.post("/schedules", json=self.body(**changes), headers=idempotent(key))

    async def made(self, **changes: Any) -> str:
        """The id of a new schedule."""
        answer = await self.create(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["schedule_id"])

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def schedule(self, schedule_id: str) -> dict[str, Any]:
        return await self.get(f"/schedules/{schedule_id}")

    async def change(self, schedule_id: str, **changes: Any) -> httpx.Response:
        return await self.http.put(f"/schedules/{schedule_id}", json=changes)

    async def trigger(self, schedule_id: str, key: str | None = None) -> httpx.Response:
        return await self.http.post(f"/schedules/{schedule_id}/trigger", headers=idempotent(key))

    async def triggered(self, schedule_id: str) -> str:
        """The id of a scan that was just started."""
        answer = await self.trigger(schedule_id)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["scan_id"])

    async def ended(self, execution_id: str) -> dict[str, Any]:
        """The run once it has ended and everybody was told."""
        await self.rig.client.get_workflow_handle(f"scan:{self.rig.tenant_id}:{execution_id}").result()
        return await self.get(f"/executions/{execution_id}")

    async def reached(self) -> None:
        """Wait until the engine is at work."""
        await until_set(self.engine.reached)

    def all_rows(self) -> tuple[Any, ...]:
        """Every row and every audit event there is."""
        stores = self.rig.scans
        ledger = self.rig.stores.ledger.of(self.rig.tenant_id)
        return (dict(stores.schedule_rows), dict(stores.execution_rows), ledger)

    def act_as(self, tenant_id: str) -> None:
        """From now on with a key of that tenant."""
        self.http.headers["Authorization"] = f"Bearer {add_key(self.portal.rig, tenant_id=tenant_id)}"


async def open_scan_portal(
    rig: ScanRig, client: Client | None = None, limits: Limits = LIMITS, **replaced: Any
) -> ScanPortal:
    """`client` is the API's, when it is not the worker's."""
    noting = Started()
    client = client or await Client.connect(
        rig.client.service_client.config.target_host,
        namespace=rig.client.namespace,
        plugins=[PLUGIN],
        interceptors=[noting],
    )
    stores, offers = rig.scans, replaced.pop("offers", OFFERS)
    services = ScanServices(
        schedules=stores.schedules,
        executions=stores.executions,
        results=stores.results,
        temporal=rig.temporal(client),
        channels=CHANNELS,
        offers=offers,
        addresses=rig.stores.sealer,
    )
    callers = Rig(rig.client, stores=rig.stores, tenant_id=rig.tenant_id, queue=rig.queue)
    portal = open_portal(callers, client, limits, **{"scans": services, **replaced})
    return ScanPortal(rig, portal, noting.names)
