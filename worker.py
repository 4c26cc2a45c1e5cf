"""The worker process: runs the workflows and their steps. It alone can open a sealed credential."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import structlog
from temporalio.client import Client

import config
import logs
from activities.accounts import AccountActivities
from activities.credentials import CredentialActivities
from activities.failures import as_failure
from clouds import catalogue
from stores import session
from stores.accounts import DynamoAccountStore
from stores.sealing import KmsOpener
from stores.vault import SecretsManagerVault
from telemetry.process import Telemetry, begin
from temporal.client import connect
from temporal.first_connection import first_connection
from temporal.worker import build_worker
from workflows.ids import ONBOARDING_QUEUE
from workflows.onboard_account import OnboardAccount

log = structlog.get_logger("worker")


def main() -> None:
    settings, temporal = config.load()
    logs.configure(settings.log_level)
    watched = begin("worker", config.VERSION, metrics=settings.metrics_address, traces=settings.traces_endpoint)
    with closing(watched):
        asyncio.run(run(settings, temporal, watched))


async def run(settings: config.Settings, temporal: config.TemporalConnection, watched: Telemetry) -> None:
    """Work until SIGTERM or SIGINT, then finish what is under way."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    connecting = partial(
        connect,
        temporal.address,
        namespace=temporal.namespace,
        as_failure=as_failure,
        interceptors=watched.interceptors(),
        options=temporal.options,
    )
    if client := await first_connection(connecting, stopping):
        await work(client, settings, stopping)
    await asyncio.sleep(0.1)  # the SDK's threads may crash an interpreter that ends right after a call


async def work(client: Client, settings: config.Settings, stopping: asyncio.Event) -> None:
    aws = session.connect(settings.aws_region, endpoint_url=settings.aws_endpoint_url)
    key_id = settings.secrets_manager_kms_key_id
    vault = SecretsManagerVault(aws.secretsmanager, prefix=settings.secrets_manager_prefix, kms_key_id=key_id)
    credentials = CredentialActivities(vault, KmsOpener(aws.kms, key_id=key_id), catalogue(settings))
    accounts = AccountActivities(DynamoAccountStore(aws.dynamodb, settings.tables))
    with ThreadPoolExecutor(settings.worker_concurrency) as executor:
        worker = build_worker(
            client,
            queue=ONBOARDING_QUEUE,
            workflows=[OnboardAccount],
            activities=[*accounts.all(), *credentials.all()],
            executor=executor,
            concurrency=settings.worker_concurrency,
        )
        async with worker:
            log.info("worker.started", task_queue=ONBOARDING_QUEUE, version=config.VERSION)
            await stopping.wait()
    log.info("worker.stopped")


if __name__ == "__main__":
    main()
