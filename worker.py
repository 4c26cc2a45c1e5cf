"""The worker process: runs the workflows and their steps. It alone can open a sealed credential."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any

import structlog
from temporalio.client import Client

import config
import logs
from activities.accounts import AccountActivities
from activities.credentials import CredentialActivities
from activities.failures import as_failure
from activities.sealing import SealingActivities
from composition.aws import aws_of
from composition.clouds import catalogue
from composition.commands import recurring_of, signer_of
from composition.deployment import deployment_name
from composition.scan_work import scan_work, vault_of
from composition.unreadable import telling_unreadable_rows
from composition.workflow_types import ONBOARDING, SCANS
from settings.secret_values import WORKER_SECRETS
from stores.audit.anchors import S3AuditAnchors
from stores.audit.chain import DynamoAuditChain
from stores.audit.events import DynamoAuditStore
from stores.audit.keys import KmsAuditSigner
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.tenants import DynamoTenantStore
from stores.secrets.sealing import KmsOpener
from stores.session import AwsClients
from telemetry.process import Telemetry, begin
from temporal.client import connect
from temporal.first_connection import first_connection, first_key
from temporal.pollers import naming_strangers, worker_identity
from temporal.program import run_program
from temporal.schedules.recurring import kept
from temporal.signing.signatures import Signer
from temporal.worker import build_worker
from workflows.ids import ONBOARDING_QUEUE, QUEUES, SCANS_QUEUE
from workflows.metrics import known_series

log = structlog.get_logger("worker")


def main() -> None:
    settings, temporal = config.load(WORKER_SECRETS)
    logs.configure(settings.log_level)
    for name in config.secrets_not_needed(WORKER_SECRETS):
        log.warning("settings.secret_not_needed", setting=name)
    watched = begin("worker", config.VERSION, metrics=settings.metrics_address, traces=settings.traces_endpoint)
    with closing(watched), telling_unreadable_rows(watched):
        run_program(run(settings, temporal, watched))


async def run(settings: config.Settings, temporal: config.TemporalConnection, watched: Telemetry) -> None:
    """Work until SIGTERM or SIGINT, then finish what is under way."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    aws = aws_of(settings)
    signer = signer_of(settings, aws, watched.counter_of_unsigned())
    connecting = partial(
        connect,
        temporal.address,
        namespace=temporal.namespace,
        signer=signer,
        as_failure=as_failure,
        interceptors=watched.interceptors(),
        identity=worker_identity(deployment_name(settings)),
        options=temporal.options,
    )
    client = await first_connection(connecting, stopping)
    if client and await first_key(signer, stopping):
        watched.begin_at_zero(known_series(), namespace=client.namespace)
        async with kept(client, recurring_of(settings), lambda: signer.generation):
            await work(client, settings, stopping, aws=aws, signer=signer)


async def work(
    client: Client, settings: config.Settings, stopping: asyncio.Event, *, aws: AwsClients, signer: Signer | None = None
) -> None:
    """`signer` is that of the client."""
    opener = KmsOpener(aws.kms, key_id=settings.secrets_manager_kms_key_id)
    rows, audit = DynamoAccountStore(aws.dynamodb, settings.tables), DynamoAuditStore(aws.dynamodb, settings.tables)
    credentials = CredentialActivities(vault_of(settings, aws), opener, catalogue(settings, aws), rows)
    steps = scan_work(settings, aws, client, accounts=rows, signer=signer)
    sealing = SealingActivities(
        DynamoAuditChain(aws.dynamodb, settings.tables),
        KmsAuditSigner(aws.kms, key_id=settings.audit_kms_key_id),
        S3AuditAnchors(aws.s3, bucket=settings.buckets.anchors),
        DynamoTenantStore(aws.dynamodb, settings.tables),
    )
    onboarding = [*AccountActivities(rows, audit).all(), *credentials.all(), *steps.onboarding, *sealing.all()]
    async with (
        serving(client, ONBOARDING_QUEUE, ONBOARDING, onboarding, settings.worker_concurrency),
        serving(client, SCANS_QUEUE, SCANS, steps.scans, settings.scans_concurrency),
        naming_strangers(client, QUEUES, deployment=deployment_name(settings)),
    ):
        for queue in QUEUES:
            log.info("worker.started", task_queue=queue, version=config.VERSION)
        await stopping.wait()
    log.info("worker.stopped")


@asynccontextmanager
async def serving(
    client: Client, queue: str, workflows: Sequence[type], activities: Sequence[Callable[..., Any]], concurrency: int
) -> AsyncIterator[None]:
    """A worker of one queue with threads of its own, so that neither queue can take the other's."""
    with ThreadPoolExecutor(concurrency) as executor:
        worker = build_worker(
            client,
            queue=queue,
            workflows=workflows,
            activities=activities,
            executor=executor,
            concurrency=concurrency,
        )
        async with worker:
            yield


if __name__ == "__main__":
    main()
