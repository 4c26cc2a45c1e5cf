"""The API process: settings, then clients, then the application, then the server."""

import signal
import socket
import sys
from contextlib import closing, suppress

import structlog
import uvicorn
from temporalio.client import Client

import config
import logs
from api.app import create_app
from api.http.openapi import PREFIX
from api.http.server import server_config
from api.services import Limits, Services
from composition.aws import aws_of
from composition.clouds import catalogue, identity_keys
from composition.commands import signer_of
from composition.deployment import deployment_name
from composition.edge import edge, server_limits
from composition.issuer import access_tokens
from composition.scan_services import scan_services
from composition.unreadable import telling_unreadable_rows
from settings.http import listed
from settings.secret_values import API_SECRETS
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.idempotency import DynamoIdempotencyStore
from stores.dynamodb.tenants import DynamoTenantStore
from stores.health import probes
from stores.kms.digests import KmsBodyDigest
from stores.secrets.sealing import KmsSealer
from stores.session import AwsClients
from telemetry.process import Telemetry, begin
from temporal.client import connect
from temporal.pollers import naming_strangers
from temporal.program import run_program
from workflows.ids import QUEUES
from workflows.search_attributes import ONBOARDING_STATE

log = structlog.get_logger("api")


def main() -> None:
    settings, temporal = config.load(API_SECRETS)
    logs.configure(settings.log_level)
    for name in config.secrets_not_needed(API_SECRETS):
        log.warning("settings.secret_not_needed", setting=name)
    listening = listen(settings.api_host, settings.api_port)
    watched = begin("api", config.VERSION, metrics=settings.metrics_address, traces=settings.traces_endpoint)
    # When uvicorn has stopped because of a signal, it raises the signal once more.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with closing(watched), telling_unreadable_rows(watched), suppress(KeyboardInterrupt):
        run_program(serve(settings, temporal, listening, watched))


def listen(host: str, port: int) -> socket.socket:
    """Before anything else is started: a port that is taken ends the process with a sentence and exit code 2."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError:
        sys.stderr.write(
            f"The API cannot listen on {host}, port {port}: the port is in use, or the address is not one of this "
            "machine. Change API_HOST or API_PORT.\n"
        )
        raise SystemExit(2) from None


async def serve(
    settings: config.Settings, temporal: config.TemporalConnection, listening: socket.socket, watched: Telemetry
) -> None:
    # Lazy, so that the API starts, and tells that it is not ready, while Temporal is down.
    aws = aws_of(settings)
    client = await connect(
        temporal.address,
        namespace=temporal.namespace,
        signer=signer_of(settings, aws, watched.counter_of_unsigned()),
        interceptors=watched.interceptors(),
        lazy=True,
        options=temporal.options,
    )
    app = create_app(services(settings, client, aws), edge(settings, watched))
    options = server_config(
        watched.application(app, untraced=f"{PREFIX}/health"),
        limits=server_limits(settings),
        trusted_proxies=listed(settings.trusted_proxies),
    )
    log.info("api.started", host=settings.api_host, port=settings.api_port, version=config.VERSION)
    try:
        async with (
            watched.counting(client, state=ONBOARDING_STATE),
            naming_strangers(client, QUEUES, deployment=deployment_name(settings)),
        ):
            await uvicorn.Server(options).serve([listening])
    finally:
        log.info("api.stopped")


def services(settings: config.Settings, temporal: Client, aws: AwsClients) -> Services:
    return Services(
        temporal=temporal,
        tenants=DynamoTenantStore(aws.dynamodb, settings.tables),
        accounts=DynamoAccountStore(aws.dynamodb, settings.tables),
        api_keys=DynamoApiKeyStore(aws.dynamodb, settings.tables),
        idempotency=DynamoIdempotencyStore(aws.dynamodb, settings.tables),
        audit=DynamoAuditStore(aws.dynamodb, settings.tables),
        digest=KmsBodyDigest(aws.kms, key_id=settings.digests_kms_key_id),
        sealer=KmsSealer(aws.kms, key_id=settings.secrets_manager_kms_key_id),
        catalogue=catalogue(settings, aws),
        identity=identity_keys(settings, aws),
        tokens=access_tokens(settings),
        probes=probes(aws, settings.tables, key_id=settings.secrets_manager_kms_key_id),
        version=config.VERSION,
        public_url=settings.public_api_url,
        scans=scan_services(settings, aws, temporal),
        limits=Limits(
            validate_wait_seconds=settings.validate_wait_seconds,
            deadline_seconds=settings.onboarding_deadline_days * 24 * 3600,
            max_attempts=settings.onboarding_max_attempts,
            provider_patience_seconds=settings.provider_patience_seconds,
            late_write_seconds=settings.onboarding_late_write_seconds,
            min_interval_seconds=settings.schedule_min_interval_seconds,
            scan_seconds=settings.engine_scan_max_wait_seconds,
            scan_poll_seconds=settings.engine_scan_poll_interval_seconds,
        ),
    )


if __name__ == "__main__":
    main()
