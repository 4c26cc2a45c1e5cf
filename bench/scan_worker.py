"""A worker of schedules and scans to measure: `python -m bench.scan_worker ADDRESS SECONDS`. Our worker as `worker.py`
builds it, on ports in memory; each scan takes that many seconds."""

import asyncio
import signal
from datetime import timedelta

import structlog
import typer
from temporalio.client import Client

import logs
from activities.engines import EngineActivities
from activities.failures import as_failure
from activities.notifications import NotificationActivities
from activities.scans import ScanActivities, ScanPorts
from activities.schedules import ScheduleActivities
from bench.ports import AssumedAudit, PlainSealer
from bench.scan_ports import (
    ActiveAccounts,
    ActiveTenants,
    AssumedExecutions,
    AssumedResults,
    AssumedSchedules,
    BuiltIn,
    OneCredential,
    SlowEngine,
)
from composition.workflow_types import SCANS
from telemetry.runtime import start_runtime
from temporal.client import connect
from temporal.program import run_program
from temporal.schedules.running_scans import TemporalScans
from temporal.schedules.schedules import TemporalSchedules
from temporal.schedules.spec import Looseness
from worker import serving
from workflows.ids import ONBOARDING_QUEUE, SCANS_QUEUE
from workflows.scans.run_scan import CANCEL
from workflows.scans.scheduled_scan import ScanLimits, scheduled_scan
from workflows.schedules.converge_schedule import ConvergeSchedule
from workflows.search_attributes import SPEC_VERSION, TENANT_ID, of_schedule

CONCURRENCY, SCANS_CONCURRENCY = 20, 10
"""The defaults of WORKER_CONCURRENCY and SCANS_CONCURRENCY."""

log = structlog.get_logger("worker")


def temporal_schedules(client: Client) -> TemporalSchedules:
    """Punctual ones, so that all that are due at one time fire at one time."""
    return TemporalSchedules(
        client,
        asyncio.get_running_loop(),
        action=lambda schedule: scheduled_scan(schedule, ScanLimits()),
        attributes=of_schedule,
        tenant=TENANT_ID,
        version=SPEC_VERSION,
        looseness=Looseness(jitter=timedelta(0), catch_up=timedelta(hours=1)),
    )


async def run(address: str, namespace: str, seconds: float) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    client = await connect(address, namespace=namespace, as_failure=as_failure)
    rows, vault, engines = AssumedSchedules(), OneCredential(), BuiltIn(SlowEngine(seconds))
    runs = TemporalScans(client, asyncio.get_running_loop(), cancel_update=CANCEL)
    executions = AssumedExecutions()
    ports = ScanPorts(rows, executions, ActiveTenants(), ActiveAccounts(""), AssumedAudit(), engines, runs)
    short = ScheduleActivities(rows, temporal_schedules(client), vault, PlainSealer()).all()
    long = [
        *ScanActivities(ports, pause_after=5).all(),
        *EngineActivities(engines, vault, AssumedResults(), executions).all(),
        *NotificationActivities({}, vault, PlainSealer(), ActiveAccounts("")).all(),
    ]
    async with (
        serving(client, ONBOARDING_QUEUE, [ConvergeSchedule], short, CONCURRENCY),
        serving(client, SCANS_QUEUE, SCANS, long, SCANS_CONCURRENCY),
    ):
        log.info("worker.started")
        await stopping.wait()


def main(address: str, namespace: str, seconds: float = 0.0) -> None:
    logs.configure("INFO")
    start_runtime()
    run_program(run(address, namespace, seconds))


if __name__ == "__main__":
    typer.run(main)
