"""The worker process: runs the workflows and their steps. It alone can open a sealed credential."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog
from stores.sealing import KmsOpener
from temporalio.client import Client
from temporalio.envconfig import ClientConnectConfig

import config
import logs
from activities.accounts import AccountActivities
from activities.credentials import CredentialActivities
from activities.failures import as_failure
from clouds import catalogue
from stores import session
from stores.accounts import DynamoAccountStore
from stores.vault import SecretsManagerVault
from temporal.client import connect
from temporal.worker import build_worker
from workflows.ids import ONBOARDING_QUEUE
from workflows.onboard_account import OnboardAccount

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

log = structlog.get_logger("worker")


def main() -> None:
    settings, connection = config.load()
    logs.configure(settings.log_level)
    asyncio.run(run(settings, connection))


async def run(settings: config.Settings, connection: ClientConnectConfig) -> None:
    """Work until SIGTERM or SIGINT, then finish what is under way."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    if client := await first_connection(connection, stopping):
        await work(client, settings, stopping)
    await asyncio.sleep(0.1)  # the SDK's threads may crash an interpreter that ends right after a call


async def first_connection(connection: ClientConnectConfig, stopping: asyncio.Event) -> Client | None:
    """Try until Temporal answers; None when the process is to stop before that."""
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            return await connect(
                connection["target_host"],
                namespace=connection["namespace"],
                as_failure=as_failure,
                options=connection,
            )
        except RuntimeError as error:
            log.warning("temporal.unreachable", retry_in_seconds=pause, **logs.describe(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    return None


async def work(client: Client, settings: config.Settings, stopping: asyncio.Event) -> None:
    aws = session.connect(settings.aws_region, endpoint_url=settings.aws_endpoint_url)
    vault = SecretsManagerVault(
        aws.secretsmanager,
        prefix=settings.secrets_manager_prefix,
        kms_key_id=settings.secrets_manager_kms_key_id,
    )
    opener = KmsOpener(aws.kms, key_id=settings.secrets_manager_kms_key_id)
    credentials = CredentialActivities(vault, opener, catalogue(settings))
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
