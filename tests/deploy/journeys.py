"""Everything that each process can make AWS do, done once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import boto3.session

from cli import add_administrator_key
from domain.accounts import AccountStatus
from domain.credentials import Credential, SealContext
from domain.errors import OnboardingError
from domain.idempotency import Answer
from domain.validation import Expectation
from providers.aws import AwsProvider, PlatformAws
from stores.accounts import DynamoAccountStore
from stores.api_keys import DynamoApiKeyStore
from stores.digests import KmsBodyDigest
from stores.health import probes
from stores.idempotency import DynamoIdempotencyStore
from stores.kms_keys import ensure_keys
from stores.sealing import KmsOpener, KmsSealer
from stores.session import AwsClients
from stores.tables import TableNames, create_tables
from stores.tenants import DynamoTenantStore
from stores.vault import SecretsManagerVault
from tests.deploy.policies import ACCOUNT, REGION
from tests.deploy.recorded import Made, recorder
from tests.stores.samples import (
    activation,
    another,
    closure,
    new_account,
    new_entry,
    new_event,
    new_record,
    new_tenant,
    refused,
)

KEY, NAMES = "alias/threat-engine-secrets", TableNames()
CONTEXT = SealContext("tenant", "account", "submission")


@dataclass(frozen=True)
class World:
    """AWS, and a tenant that is there."""

    aws: AwsClients
    calls: list[Made]
    tenant_id: str = ""
    sealed: str = ""
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
    idempotency = DynamoIdempotencyStore(aws.dynamodb, NAMES)
    idempotency.finish(idempotency.begin(new_record()), Answer(200, "{}"))
    digest = KmsBodyDigest(aws.kms, key_id="alias/threat-engine-digests")
    digest.digest(b"body")
    sealer = KmsSealer(aws.kms, key_id=KEY)
    sealer.seal(new_entry().credential, world.context)
    for probe in probes(aws, NAMES, key_id=KEY).values():
        probe()


def worker_journey(world: World) -> None:
    aws, tenant_id = world.aws, world.tenant_id
    accounts = DynamoAccountStore(aws.dynamodb, NAMES)
    steps: list[Callable[[str], object]] = [
        lambda account: accounts.record_attempt(tenant_id, account, refused(), 1, new_event(tenant_id)),
        lambda account: accounts.activate(tenant_id, account, activation(), new_event(tenant_id)),
        lambda account: accounts.close(tenant_id, account, closure(), new_event(tenant_id)),
    ]
    for step in steps:
        account = accounts.register(new_account(tenant_id), new_event(tenant_id))
        step(accounts.get(tenant_id, account.account_id).account_id)
    opener = KmsOpener(aws.kms, key_id=KEY)
    opener.open(world.sealed, world.context)
    vault = SecretsManagerVault(aws.secretsmanager, prefix="threat-engine", kms_key_id=KEY)
    entry = new_entry()
    whose = (entry.tenant_id, entry.account_id)
    vault.read(*whose, vault.store(entry))
    vault.promote(*whose, vault.store(another(entry)))
    for recovery_days in (7, None):
        vault.delete(*whose, recovery_days=recovery_days)
        if recovery_days:
            vault.store(another(entry))  # of a deleted secret: restores it
    assume_a_customers_role(aws, world.calls)


def assume_a_customers_role(aws: AwsClients, calls: list[Made]) -> None:
    """As a validation does. It ends with a refusal: there is no such role."""
    own = boto3.session.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="x")
    own.events.register("before-parameter-build", recorder(calls))
    endpoint = aws.kms.meta.endpoint_url
    platform = PlatformAws(ACCOUNT, "threat-engine-onboarding", REGION, customer_endpoint_url=endpoint)
    role = {"role_arn": "arn:aws:iam::444455556666:role/ThreatEngineReadOnly"}
    with suppress(OnboardingError):
        AwsProvider(platform, own=own).validate(Credential("aws_iam_role", role), Expectation("e" * 32))


def setup_journey(world: World) -> None:
    """`python cli.py setup` where nothing is, and where everything is in disorder, then `keys bootstrap`."""
    dynamodb, kms = world.aws.dynamodb, world.aws.kms
    ensure_keys(kms)
    create_tables(dynamodb, NAMES)
    keys = DynamoApiKeyStore(dynamodb, NAMES)
    keys.administrators()
    add_administrator_key(keys)


def put_in_disorder(aws: AwsClients) -> None:
    """What a repetition of the set-up has to repair."""
    kms, dynamodb = aws.kms, aws.dynamodb
    kms.disable_key_rotation(KeyId=kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyId"])
    dynamodb.update_table(TableName=NAMES.accounts, DeletionProtectionEnabled=False)
