"""A run of SealAudits for each way it can end."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

from domain.callers.tenants import PLATFORM
from domain.commands import RecurringRequest
from domain.errors import Conflict
from temporal.worker import build_worker
from tests.fakes_audit import BEGAN, AuditRig
from workflows.audit.seal_audits import SealAudits, SealedTrails

Run = WorkflowHandle[SealAudits, SealedTrails]


class SealRig(AuditRig):
    """The workflow over these stores, on a queue of its own. Of the tenants in `refused` nothing can be signed."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client
        self.queue = f"test-{uuid4()}"
        self.refused: set[str] = set()
        self.steps = self.sealing(signer=self)

    def sign(self, message: bytes) -> str:
        if message.decode().split("\n")[1] in self.refused:
            raise Conflict
        return self.signer.sign(message)

    @asynccontextmanager
    async def worker(self, *, max_cached_workflows: int = 1000) -> AsyncIterator[None]:
        with ThreadPoolExecutor(8) as executor:
            worker = build_worker(
                self.client,
                queue=self.queue,
                workflows=[SealAudits],
                activities=self.steps.all(),
                executor=executor,
                concurrency=8,
                max_cached_workflows=max_cached_workflows,
            )
            async with worker:
                yield

    async def run(self) -> Run:
        return await self.client.start_workflow(
            SealAudits.run, RecurringRequest("test"), id=f"seal-audits-{uuid4()}", task_queue=self.queue
        )


def nothing_to_seal(rig: SealRig) -> None:
    """Of no tenant."""


def sealed(rig: SealRig) -> None:
    """Of three tenants, one of which has a late event."""
    for tenant_id in (str(uuid4()), str(uuid4())):
        rig.write(tenant_id, at=BEGAN)
    behind = str(uuid4())
    rig.lived(behind, minutes=4)
    rig.write(behind, at=BEGAN - timedelta(hours=1))


def anchored(rig: SealRig) -> None:
    """The heads of the chains are put where nobody can change them."""
    rig.write(str(uuid4()), at=BEGAN)
    rig.write(PLATFORM, at=BEGAN)


def one_refused(rig: SealRig) -> None:
    for tenant_id in (str(uuid4()), str(uuid4())):
        rig.write(tenant_id, at=BEGAN)
    rig.refused = {tenant_id}


SCENARIOS: dict[str, Callable[[SealRig], None]] = {
    scenario.__name__: scenario for scenario in (nothing_to_seal, sealed, anchored, one_refused)
}


async def play(name: str, client: Client) -> Run:
    rig = SealRig(client)
    SCENARIOS[name](rig)
    async with rig.worker():
        run = await rig.run()
        await run.result()
    return run
