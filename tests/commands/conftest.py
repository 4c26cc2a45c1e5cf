"""Environments to examine: an AWS account that is set up in full, on each emulator, and a Temporal namespace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from commands import clients
from commands.clients import Clients
from commands.doctor import command
from commands.doctor.finding import Finding, Level
from config import Settings, TemporalConnection
from emulators.ministack import REGION
from emulators.temporal import running_temporal
from local.identities import WORKER_ROLE, AwsAccount, make_process_identities, policy
from stores.dynamodb.tables import ensure_tables
from stores.s3.buckets import RESULTS_KEY, ensure_anchors_bucket, ensure_results_bucket
from temporal.program import run_program
from temporal.schedules.recurring import ensure_recurring
from temporal.setup import ensure_namespace, ensure_search_attributes
from tests.rig import PLUGIN
from tests.stores.conftest import EMULATORS, ministack_url, moto_url
from workflows import search_attributes
from workflows.scans.scheduled_scan import sealing

__all__ = ["ministack_url", "moto_url"]

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

MOTO_ACCOUNT = "123456789012"
SECRET = "a-secret-that-nobody-may-see"
numbers = count(400000000001)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/commands/" in item.path.as_posix() and {"ministack_url", "temporal_address"} & {
            *getattr(item, "fixturenames", ())
        }:
            item.add_marker(pytest.mark.stack)


@dataclass(frozen=True)
class Environment:
    """Settings, and an AWS account and a Temporal server as the settings want them. `aws` may do everything."""

    settings: Settings
    temporal: TemporalConnection
    aws: Clients
    emulator: str

    def examine(self, **options: Any) -> list[Finding]:
        return command.examine(self.settings, self.temporal, **options)


def bad(findings: list[Finding]) -> set[tuple[Level, str, str]]:
    """All that is not well."""
    return {(found.level, found.thing, found.found) for found in findings if found.level is not Level.OK}


def of(findings: list[Finding], thing: str) -> Finding:
    """The one finding about a thing."""
    [found] = [found for found in findings if found.thing == thing]
    return found


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_temporal(tmp_path_factory.mktemp("doctor") / "temporal.log", ui=False) as server:
        yield server.address


@pytest.fixture(scope="session")
def namespace(temporal_address: str) -> TemporalConnection:
    """A namespace that is set up, and where nobody works."""
    return set_up_namespace(temporal_address, "doctor")


@pytest.fixture(scope="session")
def busy_namespace(temporal_address: str) -> TemporalConnection:
    """One for workers."""
    return set_up_namespace(temporal_address, "at-work")


def set_up_namespace(address: str, name: str) -> TemporalConnection:
    async def set_up() -> None:
        await ensure_recurring(await new_namespace(address, name), sealing(), timedelta(minutes=1))

    run_program(set_up())
    return TemporalConnection(address, name)


async def new_namespace(address: str, name: str) -> Client:
    """A client of a namespace with our search attributes, in which nothing runs."""
    client = await Client.connect(address, namespace=name, plugins=[PLUGIN])
    await ensure_namespace(client)
    await ensure_search_attributes(client, search_attributes.ALL)
    return client


def connection_of(client: Client) -> TemporalConnection:
    return TemporalConnection(client.service_client.config.target_host, client.namespace)


@pytest.fixture(scope="module", params=EMULATORS)
def environment(
    request: pytest.FixtureRequest, namespace: TemporalConnection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    """One on each emulator. On MiniStack it is an account of its own, with the roles of our processes; moto has one
    account, so there tables and keys have other names."""
    endpoint = request.getfixturevalue(f"{request.param}_url")
    if request.param == "ministack":
        account, names = str(next(numbers)), {}
    else:
        account, names = MOTO_ACCOUNT, fresh_names(uuid4().hex[:8])
    settings = Settings.model_validate({"platform_aws_account_id": account, "aws_endpoint_url": endpoint, **names})
    with acting_as_root(account):
        aws = clients.connect(REGION, endpoint_url=endpoint)
        make_keys(aws.kms, settings)
        ensure_tables(aws.dynamodb, settings.tables)
        ensure_results_bucket(aws.s3, settings.buckets.results)
        ensure_anchors_bucket(aws.s3, settings.buckets.anchors)
        if request.param == "ministack":
            make_process_identities(
                AwsAccount(account, endpoint, "secret"), tmp_path_factory.mktemp("aws") / "profiles"
            )
        else:
            trust = policy([{"Principal": {"AWS": account}, "Action": "sts:AssumeRole"}])
            aws.iam.create_role(RoleName=WORKER_ROLE, AssumeRolePolicyDocument=trust)
        yield Environment(settings, namespace, aws, request.param)
        if request.param == "moto":
            aws.iam.delete_role(RoleName=WORKER_ROLE)


@contextmanager
def acting_as_root(account: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", account)
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        yield


def fresh_names(tag: str) -> dict[str, str]:
    """Settings that name tables and keys which are not there yet."""
    keys = {
        f"{purpose}_kms_key_id": f"alias/{tag}-{purpose}"
        for purpose in ("secrets_manager", "digests", "commands", "audit")
    }
    fields = Settings.model_fields.items()
    tables = {name: f"{tag}-{field.default}" for name, field in fields if name.startswith("dynamodb_")}
    return {**keys, **tables}


def make_keys(kms: "KMSClient", settings: Settings) -> None:
    """As `stores.kms.keys.ensure_keys` makes them, under the aliases of the settings."""
    secrets = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=secrets, RotationPeriodInDays=365)
    if not any(alias["AliasName"] == RESULTS_KEY for alias in kms.list_aliases()["Aliases"]):
        results = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.enable_key_rotation(KeyId=results, RotationPeriodInDays=365)
        kms.create_alias(AliasName=RESULTS_KEY, TargetKeyId=results)
    digests = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=settings.secrets_manager_kms_key_id, TargetKeyId=secrets)
    kms.create_alias(AliasName=settings.digests_kms_key_id, TargetKeyId=digests)
    commands = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=settings.commands_kms_key_id, TargetKeyId=commands)
    audit = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=settings.audit_kms_key_id, TargetKeyId=audit)
