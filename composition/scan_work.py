"""What a worker runs for schedules and scans."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

import config
from activities.engines import EngineActivities
from activities.notifications import NotificationActivities
from activities.obstacles import Obstacles
from activities.onboarding_upkeep import OnboardingUpkeep
from activities.scans import ScanActivities, ScanPorts
from activities.schedules import ScheduleActivities
from activities.upkeep import UpkeepActivities, UpkeepPorts
from composition import clouds
from composition.scan_services import catch_up, temporal_schedules, topics
from domain.accounts import ProviderType
from domain.onboarding.credentials import Secret
from domain.ports import AccountStore
from domain.scans.notifications import ChannelKind
from domain.scans.ports import Narrower, Notifier
from engines.aws.session import AwsSessions
from engines.http.engine import EngineAddress
from engines.registry import engines_of
from notify.sns import SnsTopics
from notify.webhook import Webhooks
from providers.alicloud.engine_session import AliCloudNarrower
from providers.azure.engine_session import AzureNarrower
from providers.gcp.engine_session import GcpNarrower
from providers.ibm.engine_session import IbmNarrower
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.executions import DynamoExecutionStore
from stores.dynamodb.schedules import DynamoScheduleStore
from stores.dynamodb.tenants import DynamoTenantStore
from stores.s3.results import S3ResultStore
from stores.secrets.sealing import KmsOpener, KmsSealer
from stores.secrets.vault import SecretsManagerVault
from stores.session import AwsClients
from temporal.schedules.running_scans import TemporalScans
from temporal.signing.signatures import Signer
from transport.client import GuardedClient
from workflows.ids import onboarding_id
from workflows.scans.run_scan import CANCEL


@dataclass(frozen=True)
class ScanWork:
    """What a worker runs for schedules and scans, by the queue that it serves."""

    onboarding: Sequence[Callable[..., Any]]
    scans: Sequence[Callable[..., Any]]


def scan_work(
    settings: config.Settings,
    aws: AwsClients,
    temporal: Client,
    *,
    accounts: AccountStore,
    signer: Signer | None = None,
) -> ScanWork:
    """The steps over the real ports; `signer` is that of the client. Short ones go to the queue of onboardings."""
    schedules = DynamoScheduleStore(aws.dynamodb, settings.tables)
    executions = DynamoExecutionStore(aws.dynamodb, settings.tables)
    tenants = DynamoTenantStore(aws.dynamodb, settings.tables)
    audit = DynamoAuditStore(aws.dynamodb, settings.tables)
    results = S3ResultStore(aws.s3, aws.dynamodb, settings.tables, bucket=settings.buckets.results)
    runs = TemporalScans(temporal, asyncio.get_running_loop(), cancel_update=CANCEL)
    of_schedules, pause_after = temporal_schedules(settings, temporal, signer), settings.schedule_pause_after_failures
    vault, webhooks = vault_of(settings, aws), vault_of(settings, aws, kind="webhook")
    opener = KmsOpener(aws.kms, key_id=settings.secrets_manager_kms_key_id)
    sealer = KmsSealer(aws.kms, key_id=settings.secrets_manager_kms_key_id)
    sessions = AwsSessions(clouds.platform_aws(settings), own=aws.session, models=aws.models)
    engines = engines_of(sessions, addresses(settings), narrowers(settings, aws), settings.engine_permissions["aws"])
    obstacles = Obstacles(tenants, accounts, engines)
    upkeep = UpkeepPorts(schedules, executions, of_schedules, runs, webhooks, obstacles, sealer)
    ports = ScanPorts(schedules, executions, tenants, accounts, audit, engines, runs)
    notifiers: dict[ChannelKind, Notifier] = {
        ChannelKind.WEBHOOK: Webhooks(GuardedClient()),
        ChannelKind.SNS: SnsTopics(topics(settings, aws)),
    }
    return ScanWork(
        onboarding=[
            *ScheduleActivities(schedules, of_schedules, webhooks, opener).all(),
            *UpkeepActivities(upkeep, pause_after=pause_after, catch_up=catch_up(settings)).all(),
            *OnboardingUpkeep(accounts, vault, runs, onboarding_id).all(),
        ],
        scans=[
            *ScanActivities(ports, pause_after=pause_after).all(),
            *EngineActivities(engines, vault, results, executions).all(),
            *NotificationActivities(notifiers, webhooks, opener, accounts).all(),
        ],
    )


def vault_of(settings: config.Settings, aws: AwsClients, *, kind: str = "account") -> SecretsManagerVault:
    return SecretsManagerVault(
        aws.secretsmanager,
        prefix=settings.secrets_manager_prefix,
        kms_key_id=settings.secrets_manager_kms_key_id,
        kind=kind,
    )


def addresses(settings: config.Settings) -> dict[ProviderType, EngineAddress]:
    tokens = {cloud: Secret(token.get_secret_value()) for cloud, token in settings.engine_tokens.items()}
    return {ProviderType(cloud): EngineAddress(url, tokens.get(cloud)) for cloud, url in settings.engine_urls.items()}


def narrowers(settings: config.Settings, aws: AwsClients) -> dict[ProviderType, Narrower]:
    """Of the clouds that have something short-lived to give; each with connections of its own."""
    return {
        ProviderType.AZURE: AzureNarrower(clouds.azure(settings)),
        ProviderType.GCP: GcpNarrower(clouds.gcp(settings, aws)),
        ProviderType.ALICLOUD: AliCloudNarrower(clouds.alicloud(settings)),
        ProviderType.IBM: IbmNarrower(clouds.ibm(settings)),
    }
