"""What the API uses for schedules and scans, and what it shares with the worker."""

import asyncio
from datetime import timedelta

from temporalio.client import Client

import config
from api.services import ScanServices
from domain.accounts import ProviderType
from domain.scans.scopes import EngineOffer
from engines.aws.baseline import CHECKS
from notify.policy import PublicChannels
from providers.oci.regions import REALMS
from stores.dynamodb.executions import DynamoExecutionStore
from stores.dynamodb.schedules import DynamoScheduleStore
from stores.s3.results import S3ResultStore
from stores.secrets.sealing import KmsOpener
from stores.session import AwsClients, TopicClients
from temporal.schedules.schedules import Generation, TemporalSchedules
from temporal.schedules.spec import Looseness
from temporal.signing.signatures import Signer
from workflows.scans.scheduled_scan import ScanLimits, scheduled_scan
from workflows.search_attributes import SIGNED_MONTH, SPEC_VERSION, TENANT_ID, of_schedule

BUILT_IN, ELSEWHERE = "built_in", "http"

OCI_REGIONS = tuple(sorted(region for regions in REALMS.values() for region in regions.split()))


def scan_services(settings: config.Settings, aws: AwsClients, temporal: Client) -> ScanServices:
    """What the API's routes use."""
    return ScanServices(
        schedules=DynamoScheduleStore(aws.dynamodb, settings.tables),
        executions=DynamoExecutionStore(aws.dynamodb, settings.tables),
        results=S3ResultStore(aws.s3, aws.dynamodb, settings.tables, bucket=settings.buckets.results),
        temporal=temporal_schedules(settings, temporal),
        channels=channels(settings, topics(settings, aws)),
        offers=offers(settings, aws),
        addresses=KmsOpener(aws.kms, key_id=settings.secrets_manager_kms_key_id),
    )


def offers(settings: config.Settings, aws: AwsClients) -> dict[ProviderType, EngineOffer]:
    """What can scan each cloud here. The worker builds the engines themselves from the same settings."""
    session, regions = aws.session, {ProviderType.OCI: OCI_REGIONS}
    partition = session.get_partition_for_region(settings.aws_region)
    regions[ProviderType.AWS] = tuple(sorted(session.get_available_regions("ec2", partition)))
    services = tuple(sorted({check.service for check in CHECKS}))
    found = {ProviderType.AWS: EngineOffer((BUILT_IN,), regions[ProviderType.AWS], services)}
    for cloud in map(ProviderType, settings.engine_urls):
        found[cloud] = EngineOffer((ELSEWHERE,), regions.get(cloud, ()))
    return found


def topics(settings: config.Settings, aws: AwsClients) -> TopicClients:
    return TopicClients(aws.session, endpoint_url=settings.aws_endpoint_url)


def channels(settings: config.Settings, topics: TopicClients) -> PublicChannels:
    return PublicChannels(
        partition=topics.partition, topic_regions=topics.regions, own_account=settings.platform_aws_account_id
    )


def temporal_schedules(settings: config.Settings, temporal: Client, signer: Signer | None = None) -> TemporalSchedules:
    """On the running loop. Only a worker makes Temporal Schedules, and so only a worker's has a signer."""
    limits = ScanLimits(settings.engine_scan_max_wait_seconds, settings.engine_scan_poll_interval_seconds)
    return TemporalSchedules(
        temporal,
        asyncio.get_running_loop(),
        action=lambda schedule: scheduled_scan(schedule, limits),
        attributes=of_schedule,
        tenant=TENANT_ID,
        version=SPEC_VERSION,
        looseness=Looseness(
            jitter=timedelta(seconds=settings.schedule_jitter_seconds),
            catch_up=catch_up(settings),
        ),
        generation=Generation(SIGNED_MONTH, lambda: signer.generation) if signer else None,
    )


def catch_up(settings: config.Settings) -> timedelta:
    return timedelta(seconds=settings.schedule_catch_up_seconds)
