"""Everything that each process can make AWS do, done once."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import boto3.session

from commands.audit.command import Audited, exported, read_trail, tenants_of
from commands.bootstrap import add_administrator_key
from config import default_buckets
from domain.accounts import AccountStatus, ProviderType
from domain.audit.anchors import Anchor, Head
from domain.audit.trail import next_digest
from domain.errors import NotFound, OnboardingError
from domain.idempotency import Answer
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from domain.onboarding.validation import Expectation
from domain.scans.notifications import Channel, ChannelKind, Delivery, DeliveryState, Notification
from domain.scans.scan import Counts, ExecutionStatus, ScanEnd, ScanOrder, ScanResult
from domain.schedules.schedule import ScanScope, Skip
from notify.sns import SnsTopics
from providers.aws.provider import AwsProvider, PlatformAws
from stores.audit.anchors import S3AuditAnchors
from stores.audit.chain import DynamoAuditChain
from stores.audit.events import DynamoAuditStore
from stores.audit.keys import KmsAuditSigner, public_key_of
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.executions import DynamoExecutionStore
from stores.dynamodb.idempotency import DynamoIdempotencyStore
from stores.dynamodb.schedules import DynamoScheduleStore
from stores.dynamodb.tables import TableNames, ensure_tables
from stores.dynamodb.tenants import DynamoTenantStore
from stores.health import probes
from stores.kms.command_keys import KmsCommandKeys
from stores.kms.digests import KmsBodyDigest
from stores.kms.identity import KmsIdentityKeys, KmsIdentityTokens
from stores.kms.keys import IDENTITY_KEY, ensure_keys
from stores.s3.buckets import ensure_anchors_bucket, ensure_results_bucket
from stores.s3.results import S3ResultStore
from stores.secrets.sealing import KmsOpener, KmsSealer
from stores.secrets.vault import SecretsManagerVault
from stores.session import AwsClients, TopicClients
from tests.deploy.policies import ACCOUNT, REGION
from tests.deploy.recorded import Made, recorder
from tests.fakes_scans import FOUND
from tests.stores.samples import (
    AT,
    LATER,
    a_key,
    activation,
    another,
    closure,
    new_account,
    new_entry,
    new_event,
    new_id,
    new_record,
    new_tenant,
    refused,
)
from tests.stores.test_schedules import Owner

KEY, NAMES = "alias/threat-engine-secrets", TableNames()
AUDIT_KEY = "alias/threat-engine-audit"
BUCKETS, TOPIC = default_buckets(ACCOUNT, REGION), f"arn:aws:sns:{REGION}:444455556666:scans"
CONTEXT = SealContext("tenant", "account", "submission")
NO_STORES: Any = None
"""The owner of a schedule makes values here and calls nothing."""


@dataclass(frozen=True)
class World:
    """AWS, and a tenant that is there."""

    aws: AwsClients
    calls: list[Made]
    tenant_id: str = ""
    sealed: Mapping[SealPurpose, str] = field(default_factory=dict)
    """By its purpose."""
    context: SealContext = CONTEXT


def api_journey(world: World) -> None:
    aws = world.aws
    tenants, accounts = DynamoTenantStore(aws.dynamodb, NAMES), DynamoAccountStore(aws.dynamodb, NAMES)
    tenant = new_tenant()
    tenants.create(tenant, new_event(tenant.tenant_id))
    renamed = replace(tenants.get(tenant.tenant_id), tenant_name=f"{tenant.tenant_name} Ltd", version=2)
    tenants.update(renamed, new_event(tenant.tenant_id))
    tenants.page(limit=1, cursor=None)
    for status in (None, AccountStatus.ACTIVE):
        accounts.page(tenant.tenant_id, provider_type=None, status=status, limit=1, cursor=None)
    with suppress(OnboardingError):
        accounts.get(tenant.tenant_id, tenant.tenant_id)
    with suppress(OnboardingError):
        accounts.tenant_of(tenant.tenant_id)
    api_keys = DynamoApiKeyStore(aws.dynamodb, NAMES)
    api_keys.find("0" * 16)
    key = a_key(tenant.tenant_id)
    api_keys.add(key, new_event(tenant.tenant_id))
    api_keys.note_use(tenant.tenant_id, key.key_id, at=AT, noted_before=AT)
    api_keys.page(tenant.tenant_id, limit=1, cursor=None)
    api_keys.administrators()
    other = a_key(tenant.tenant_id)
    api_keys.add(other, new_event(tenant.tenant_id))
    api_keys.revoke(tenant.tenant_id, key.key_id, new_event(tenant.tenant_id), remaining=other)
    idempotency = DynamoIdempotencyStore(aws.dynamodb, NAMES)
    idempotency.finish(idempotency.begin(new_record()), Answer(200, "{}"))
    read_scans(world)
    audit = DynamoAuditStore(aws.dynamodb, NAMES)
    audit.record(new_event(world.tenant_id))
    audit.page(world.tenant_id, limit=1, cursor=None)
    digest = KmsBodyDigest(aws.kms, key_id="alias/threat-engine-digests")
    digest.digest(b"body")
    KmsCommandKeys(aws.kms, key_id="alias/threat-engine-commands").derive("2026-11")
    sealer = KmsSealer(aws.kms, key_id=KEY)
    for purpose in SealPurpose:
        sealer.seal(new_entry().credential, replace(world.context, purpose=purpose))
    of_an_address = replace(world.context, purpose=SealPurpose.ADDRESS)
    opener = KmsOpener(aws.kms, key_id=KEY)
    opener.open(sealer.seal(new_entry().credential, of_an_address), of_an_address)
    accounts.holds(tenant.tenant_id, ProviderType.AWS, "444455556666")
    KmsIdentityKeys(aws.kms, issuer="https://platform.example", key_id=IDENTITY_KEY).published()
    for probe in probes(aws, NAMES, key_id=KEY).values():
        probe()


def read_scans(world: World) -> None:
    aws, tenant_id, some = world.aws, world.tenant_id, new_id()
    schedules = DynamoScheduleStore(aws.dynamodb, NAMES)
    executions = DynamoExecutionStore(aws.dynamodb, NAMES)
    results = S3ResultStore(aws.s3, aws.dynamodb, NAMES, bucket=BUCKETS.results)
    for tenant, account in ((None, None), (tenant_id, None), (tenant_id, some)):
        schedules.page(tenant, account_id=account, status=None, limit=1, cursor=None)
    executions.page(tenant_id, schedule_id=some, account_id=None, limit=1, cursor=None)
    results.page(tenant_id, account_id=some, limit=1, cursor=None)
    reads: list[Callable[[], object]] = [
        lambda: schedules.get(tenant_id, some),
        lambda: schedules.tenant_of(some),
        lambda: executions.get(tenant_id, some),
        lambda: executions.tenant_of(some),
        lambda: results.get(tenant_id, some),
        lambda: results.tenant_of(some),
    ]
    for read in reads:
        with suppress(NotFound):
            read()
    results.link(
        ScanResult(some, tenant_id, some, ProviderType.AWS, AT, AT, f"s3://{BUCKETS.results}/a.json", Counts())
    )
    # What the link does in the hands of whoever has it, with the permissions of who signed it.
    world.calls.append(("s3:GetObject", {"Bucket": BUCKETS.results, "Key": "a.json"}))


def worker_journey(world: World) -> None:
    aws, tenant_id = world.aws, world.tenant_id
    tenants, accounts = DynamoTenantStore(aws.dynamodb, NAMES), DynamoAccountStore(aws.dynamodb, NAMES)
    tenants.get(tenant_id)
    steps: list[Callable[[str], object]] = [
        lambda account: accounts.record_attempt(tenant_id, account, refused(), 1, new_event(tenant_id)),
        lambda account: accounts.activate(tenant_id, account, activation(), new_event(tenant_id)),
        lambda account: accounts.close(tenant_id, account, closure(), new_event(tenant_id)),
    ]
    for step in steps:
        account = new_account(tenant_id)
        accounts.register(account, new_event(tenant_id))
        step(accounts.get(tenant_id, account.account_id).account_id)
        accounts.in_progress(limit=1, cursor=None)
    run_scans(world, accounts)
    seal_audits(world)
    KmsCommandKeys(aws.kms, key_id="alias/threat-engine-commands").derive("2026-11")
    opener = KmsOpener(aws.kms, key_id=KEY)
    for purpose, sealed in world.sealed.items():
        opener.open(sealed, replace(world.context, purpose=purpose))
    of_an_address = replace(world.context, purpose=SealPurpose.ADDRESS)
    KmsSealer(aws.kms, key_id=KEY).seal(new_entry().credential, of_an_address)
    accounts.holds(tenant_id, ProviderType.AWS, "444455556666")
    KmsIdentityTokens(aws.kms, issuer="https://platform.example", key_id=IDENTITY_KEY).token("te-1", "//audience")
    vault = SecretsManagerVault(aws.secretsmanager, prefix="threat-engine", kms_key_id=KEY)
    entry = new_entry()
    whose = (entry.tenant_id, entry.account_id)
    vault.read(*whose, vault.store(entry))
    vault.promote(*whose, vault.store(another(entry)))
    for recovery_days in (7, None):
        vault.delete(*whose, recovery_days=recovery_days)
        if recovery_days:
            vault.store(another(entry))  # of a deleted secret: restores it
    webhooks = SecretsManagerVault(aws.secretsmanager, prefix="threat-engine", kms_key_id=KEY, kind="webhook")
    entry = new_entry()
    whose = (entry.tenant_id, entry.account_id)
    webhooks.read(*whose, webhooks.promote(*whose, webhooks.store(entry)))
    for recovery_days in (7, None):
        webhooks.promote(*whose, webhooks.store(another(entry)))
        webhooks.delete(*whose, recovery_days=recovery_days)
    assume_a_customers_role(aws, world.calls)
    tell_a_customers_topic(aws, world.calls)


def seal_audits(world: World) -> None:
    chain, tenant_id = DynamoAuditChain(world.aws.dynamodb, NAMES), world.tenant_id
    signer = KmsAuditSigner(world.aws.kms, key_id=AUDIT_KEY)
    chain.tenants(before="9", limit=1)
    notes = chain.waiting(tenant_id, after="", limit=1)
    digest = next_digest(chain.latest(tenant_id), notes, tenant_id=tenant_id, until=LATER, at=LATER)
    chain.append(replace(digest, signature=signer.sign(digest.signed)))
    tenants = DynamoTenantStore(world.aws.dynamodb, NAMES)
    tenants.page(limit=1, cursor=None)
    anchors = S3AuditAnchors(world.aws.s3, bucket=BUCKETS.anchors)
    anchors.latest(day=LATER[:10])
    anchors.add(Anchor(LATER, {tenant_id: Head(digest.sequence, digest.hash)}))


def auditor_journey(world: World) -> None:
    """`python cli.py audit verify` and `export`."""
    aws = world.aws
    stored = Audited(
        DynamoAuditStore(aws.dynamodb, NAMES),
        DynamoAuditChain(aws.dynamodb, NAMES),
        DynamoTenantStore(aws.dynamodb, NAMES),
        S3AuditAnchors(aws.s3, bucket=BUCKETS.anchors),
    )
    assert stored.anchors
    list(stored.anchors.all())
    stored.anchors.hidden()
    keys = [public_key_of(aws.kms, AUDIT_KEY)]
    for tenant_id in tenants_of(stored):
        list(exported(stored, tenant_id, keys))
        read_trail(stored, tenant_id)


def run_scans(world: World, accounts: DynamoAccountStore) -> None:
    """A schedule from its beginning to its end, with a run that is abandoned and one that is completed."""
    aws, tenant_id = world.aws, world.tenant_id
    schedules = DynamoScheduleStore(aws.dynamodb, NAMES)
    executions = DynamoExecutionStore(aws.dynamodb, NAMES)
    results = S3ResultStore(aws.s3, aws.dynamodb, NAMES, bucket=BUCKETS.results)
    account = new_account(tenant_id)
    accounts.register(account, new_event(tenant_id))
    accounts.activate(tenant_id, account.account_id, activation(), new_event(tenant_id))
    owner = Owner(NO_STORES, tenant_id, account.account_id)
    schedule = schedules.create(owner.schedule(), owner.event())
    schedule = schedules.replace(replace(schedule, spec_version=2), owner.event())
    abandoned, execution = owner.execution(schedule), owner.execution(schedule)
    schedules.claim(schedule, abandoned, owner.event())
    schedules.claim(schedule, execution, owner.event(), stale=abandoned.execution_id)
    order = ScanOrder(
        execution.execution_id, tenant_id, account.account_id, ProviderType.AWS, "444455556666", ScanScope()
    )
    stored = results.write(order, FOUND, started_at=AT, completed_at=LATER)
    schedules.release(execution, ScanEnd(ExecutionStatus.COMPLETED, LATER, result=stored), owner.event(), pause_after=3)
    schedules.close_channels(schedules.get(tenant_id, schedule.schedule_id), owner.event())
    schedules.note_skip(schedule, Skip(LATER, "tenant_disabled"), owner.event())
    delivery = Delivery(ChannelKind.SNS, TOPIC, DeliveryState.DELIVERED, LATER)
    scan_id = executions.get(tenant_id, execution.execution_id).execution_id
    executions.record_delivery(tenant_id, scan_id, delivery, owner.event())
    audit = DynamoAuditStore(aws.dynamodb, NAMES)
    audit.record(owner.event())
    schedules.tenant_of(schedules.get(tenant_id, schedule.schedule_id).schedule_id)
    for tenant, of_account in ((None, None), (tenant_id, account.account_id)):
        schedules.page(tenant, account_id=of_account, status=None, limit=1, cursor=None)
    schedules.delete(tenant_id, schedule.schedule_id, owner.event())


def tell_a_customers_topic(aws: AwsClients, calls: list[Made]) -> None:
    client = TopicClients(aws.session, endpoint_url=aws.kms.meta.endpoint_url)(REGION)
    client.meta.events.register("before-parameter-build", recorder(calls))
    notification = Notification("n", "t", "a", "s", "e", "completed", AT)
    with suppress(OnboardingError):
        SnsTopics(lambda _: client).deliver(Channel(ChannelKind.SNS, TOPIC), notification, None)


def assume_a_customers_role(aws: AwsClients, calls: list[Made]) -> None:
    """As a validation does. It ends with a refusal: there is no such role."""
    own = boto3.session.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="x")
    own.events.register("before-parameter-build", recorder(calls))
    endpoint = aws.kms.meta.endpoint_url
    platform = PlatformAws(ACCOUNT, "threat-engine-onboarding", REGION, customer_endpoint_url=endpoint)
    for path in ("", "security/"):
        role = {"role_arn": f"arn:aws:iam::444455556666:role/{path}ThreatEngineReadOnly"}
        with suppress(OnboardingError):
            AwsProvider(platform, own=own).validate(Credential("aws_iam_role", role), Expectation("e" * 32))


def setup_journey(world: World) -> None:
    """`python cli.py setup` where nothing is, and where everything is in disorder, then tenants and keys."""
    dynamodb, kms = world.aws.dynamodb, world.aws.kms
    ensure_keys(kms, identity=True)
    ensure_tables(dynamodb, NAMES)
    ensure_results_bucket(world.aws.s3, BUCKETS.results)
    ensure_anchors_bucket(world.aws.s3, BUCKETS.anchors)
    keys = DynamoApiKeyStore(dynamodb, NAMES)
    keys.administrators()
    add_administrator_key(keys)
    tenant = new_tenant()
    tenants = DynamoTenantStore(dynamodb, NAMES)
    tenants.create(tenant, new_event(tenant.tenant_id))
    key = a_key(tenant.tenant_id)
    keys.add(key, new_event(tenant.tenant_id))
    keys.find(key.key_id)
    keys.page(tenant.tenant_id, limit=1, cursor=None)
    keys.revoke(tenant.tenant_id, key.key_id, new_event(tenant.tenant_id))


def put_in_disorder(aws: AwsClients) -> None:
    """What a repetition of the set-up has to repair."""
    kms, dynamodb = aws.kms, aws.dynamodb
    kms.disable_key_rotation(KeyId=kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyId"])
    for name in vars(NAMES).values():
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    for bucket in BUCKETS:
        aws.s3.delete_public_access_block(Bucket=bucket)
