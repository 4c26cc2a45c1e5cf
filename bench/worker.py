"""A worker process to measure: `python -m bench.worker noop|signed|memory ADDRESS`. Our worker as `worker.py` builds
it, on ports in memory, or the same worker with nothing to do, with and without signatures."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
import typer

import logs
from activities.accounts import AccountActivities
from activities.credentials import CredentialActivities
from activities.failures import as_failure
from bench.noop import QUEUE as NOOP_QUEUE
from bench.noop import SIGNED_QUEUE, NoOp
from bench.noop_activities import NoOpActivities
from bench.ports import AcceptingProvider, AssumedAccounts, AssumedAudit, PlainSealer, RecentVault
from domain.accounts import ProviderType
from telemetry.runtime import start_runtime
from temporal.client import connect
from temporal.program import run_program
from temporal.signing.signatures import Signer
from temporal.worker import build_worker
from tests.fakes import FakeCommandKeys
from tests.fakes_clouds import FakeCatalogue
from workflows.onboarding.onboard_account import OnboardAccount

MEMORY_QUEUE = "bench-memory"
CONCURRENCY = 20
"""The default of WORKER_CONCURRENCY, which the worker on the emulated AWS has."""

log = structlog.get_logger("worker")


class Kind(StrEnum):
    NOOP = "noop"
    SIGNED = "signed"
    MEMORY = "memory"


@dataclass(frozen=True)
class Work:
    """What a worker is given."""

    queue: str
    workflow: type
    activities: Sequence[Callable[..., Any]]
    signer: Signer | None = None


def signer() -> Signer:
    """Of the worker that signs, and of those who speak to it."""
    return Signer(FakeCommandKeys(), key_name="alias/bench-commands")


def work_of(kind: Kind) -> Work:
    if kind is Kind.NOOP:
        return Work(NOOP_QUEUE, NoOp, NoOpActivities().all())
    if kind is Kind.SIGNED:
        return Work(SIGNED_QUEUE, NoOp, NoOpActivities().all(), signer())
    catalogue = FakeCatalogue({ProviderType.AWS: AcceptingProvider()})
    rows = AssumedAccounts("")
    credentials = CredentialActivities(RecentVault(), PlainSealer(), catalogue, rows)
    accounts = AccountActivities(rows, AssumedAudit())
    return Work(MEMORY_QUEUE, OnboardAccount, [*accounts.all(), *credentials.all()])


async def run(work: Work, address: str, namespace: str) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    client = await connect(address, namespace=namespace, signer=work.signer, as_failure=as_failure)
    with ThreadPoolExecutor(CONCURRENCY) as executor:
        worker = build_worker(
            client,
            queue=work.queue,
            workflows=[work.workflow],
            activities=work.activities,
            executor=executor,
            concurrency=CONCURRENCY,
        )
        async with worker:
            log.info("worker.started", task_queue=work.queue)
            await stopping.wait()


def main(kind: Kind, address: str, namespace: str) -> None:
    logs.configure("INFO")
    start_runtime()
    run_program(run(work_of(kind), address, namespace))


if __name__ == "__main__":
    typer.run(main)
