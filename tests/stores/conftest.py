"""The same stores three times: in memory, on moto and on MiniStack, so that one contract test covers all of them."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from boto3.session import Session
from botocore.config import Config
from botocore.loaders import Loader
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from mypy_boto3_dynamodb import DynamoDBClient
from werkzeug.serving import make_server

from domain.audit.events import AuditEvent
from domain.audit.ports import AuditAnchors, AuditChain
from domain.commands import CommandKeys
from domain.ports import (
    AccountStore,
    ApiKeyStore,
    AuditStore,
    BodyDigest,
    CredentialOpener,
    CredentialSealer,
    CredentialVault,
    IdempotencyStore,
    TenantStore,
)
from domain.scans.ports import ExecutionStore, ResultStore, ScheduleStore
from emulators.ministack import REGION, running_ministack
from stores.audit.anchors import S3AuditAnchors
from stores.audit.chain import DynamoAuditChain
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.accounts import DynamoAccountStore
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.dynamodb.executions import DynamoExecutionStore
from stores.dynamodb.idempotency import DynamoIdempotencyStore
from stores.dynamodb.schedules import DynamoScheduleStore
from stores.dynamodb.tables import TableNames, ensure_tables
from stores.dynamodb.tenants import DynamoTenantStore
from stores.kms.command_keys import KmsCommandKeys
from stores.kms.digests import KmsBodyDigest
from stores.kms.keys import ensure_keys
from stores.s3.buckets import ensure_anchors_bucket, ensure_results_bucket
from stores.s3.results import S3ResultStore
from stores.secrets.sealing import KmsOpener, KmsSealer
from stores.secrets.vault import SecretsManagerVault
from stores.session import AwsClients
from tests.fakes import FakeCommandKeys, FakeStores
from tests.fakes_scans import FakeScanStores

PLATFORM_ACCOUNT = "111111111111"
SECRETS_KEY = "alias/threat-engine-secrets"
DIGESTS_KEY = "alias/threat-engine-digests"
COMMANDS_KEY = "alias/threat-engine-commands"
EMULATORS = [pytest.param(name, marks=pytest.mark.stack) for name in ("moto", "ministack")]


@dataclass(frozen=True)
class Stores:
    """One implementation of each port."""

    tenants: TenantStore
    accounts: AccountStore
    api_keys: ApiKeyStore
    idempotency: IdempotencyStore
    audit: AuditStore
    vault: CredentialVault
    sealer: CredentialSealer
    opener: CredentialOpener
    digest: BodyDigest
    commands: CommandKeys
    schedules: ScheduleStore
    executions: ExecutionStore
    results: ResultStore
    chain: AuditChain
    anchors: AuditAnchors

    def events(self, tenant_id: str) -> list[AuditEvent]:
        """All that were committed for a tenant."""
        events: list[AuditEvent] = []
        cursor = None
        while True:
            page = self.audit.page(tenant_id, limit=100, cursor=cursor)
            events += page.items
            if (cursor := page.next_cursor) is None:
                return events


@dataclass(frozen=True)
class Aws:
    """Stores on an emulator, and what they are made of."""

    emulator: str
    clients: AwsClients
    names: TableNames
    prefix: str
    stores: Stores


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """One request at a time, unlike moto's own server: it undoes a cancelled transaction by putting back a copy of the
    whole table, and the writes that other threads made meanwhile are lost."""
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def ministack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_ministack(tmp_path_factory.mktemp("ministack") / "ministack.log") as url:
        yield url


@pytest.fixture(scope="session")
def dynamodb() -> DynamoDBClient:
    """Connected to nothing, for answers from a script."""
    return impatient_clients("http://127.0.0.1:9").dynamodb


@pytest.fixture(scope="module", params=EMULATORS)
def aws(request: pytest.FixtureRequest) -> Aws:
    return emulated(request.param, request)


@pytest.fixture(scope="module", params=["fake", *EMULATORS])
def stores(request: pytest.FixtureRequest) -> Stores:
    return fake_stores() if request.param == "fake" else emulated(request.param, request).stores


def emulated(emulator: str, request: pytest.FixtureRequest) -> Aws:
    """Tables and a prefix of its own for each test module."""
    clients = impatient_clients(request.getfixturevalue(f"{emulator}_url"))
    names, prefix = fresh_names(), f"te-{uuid4().hex}"
    ensure_tables(clients.dynamodb, names)
    ensure_keys(clients.kms)
    ensure_results_bucket(clients.s3, prefix)
    ensure_anchors_bucket(clients.s3, f"{prefix}-anchors")
    return Aws(emulator, clients, names, prefix, aws_stores(clients, names, prefix))


def impatient_clients(url: str) -> AwsClients:
    """As stores.session makes them, but with one attempt only: a test that loses a reply does not wait for botocore. A
    key id of twelve digits is the root of that account in MiniStack."""
    session = Session(PLATFORM_ACCOUNT, "test", region_name=REGION)
    once = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=32, read_timeout=20)
    return AwsClients(
        session=session,
        models=Loader(),
        dynamodb=session.client("dynamodb", endpoint_url=url, config=once),
        secretsmanager=session.client("secretsmanager", endpoint_url=url, config=once),
        kms=session.client("kms", endpoint_url=url, config=once),
        s3=session.client("s3", endpoint_url=url, config=once.merge(Config(s3={"addressing_style": "path"}))),
    )


def fresh_names() -> TableNames:
    defaults, tag = TableNames(), uuid4().hex[:8]
    return replace(defaults, **{field: f"{tag}-{name}" for field, name in vars(defaults).items()})


def fake_stores() -> Stores:
    fakes = FakeStores()
    scans = FakeScanStores(fakes.ledger, fakes.accounts)
    return Stores(
        tenants=fakes.tenants,
        accounts=fakes.accounts,
        api_keys=fakes.api_keys,
        idempotency=fakes.idempotency,
        audit=fakes.audit,
        vault=fakes.vault,
        sealer=fakes.sealer,
        opener=fakes.sealer,
        digest=fakes.digest,
        commands=FakeCommandKeys(),
        schedules=scans.schedules,
        executions=scans.executions,
        results=scans.results,
        chain=fakes.chain,
        anchors=fakes.anchors,
    )


def aws_stores(clients: AwsClients, names: TableNames, prefix: str) -> Stores:
    return Stores(
        tenants=DynamoTenantStore(clients.dynamodb, names),
        accounts=DynamoAccountStore(clients.dynamodb, names),
        api_keys=DynamoApiKeyStore(clients.dynamodb, names),
        idempotency=DynamoIdempotencyStore(clients.dynamodb, names),
        audit=DynamoAuditStore(clients.dynamodb, names),
        vault=SecretsManagerVault(clients.secretsmanager, prefix=prefix, kms_key_id=SECRETS_KEY),
        sealer=KmsSealer(clients.kms, key_id=SECRETS_KEY),
        opener=KmsOpener(clients.kms, key_id=SECRETS_KEY),
        digest=KmsBodyDigest(clients.kms, key_id=DIGESTS_KEY),
        commands=KmsCommandKeys(clients.kms, key_id=COMMANDS_KEY),
        schedules=DynamoScheduleStore(clients.dynamodb, names),
        executions=DynamoExecutionStore(clients.dynamodb, names),
        results=S3ResultStore(clients.s3, clients.dynamodb, names, bucket=prefix),
        chain=DynamoAuditChain(clients.dynamodb, names),
        anchors=S3AuditAnchors(clients.s3, bucket=f"{prefix}-anchors"),
    )
