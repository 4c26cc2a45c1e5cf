"""What the doctor finds in AWS, on both emulators: in an account that is set up, and with one thing broken in it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore
import pytest
from botocore.session import Session

from commands.doctor import buckets
from commands.doctor.finding import Level
from emulators.ports import free_port
from local.identities import API_ROLE, WORKER_ROLE
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.tables import ensure_tables
from stores.s3.buckets import RESULTS_KEY, ensure_results_bucket
from tests.commands.conftest import Environment, bad, of
from tests.stores.samples import new_event, new_id

pytestmark = pytest.mark.stack

ALWAYS = {"setting AWS_ENDPOINT_URL", "role of the API", "policies of the keys"}
NOBODY_WORKS = {
    f"workers of the queue {queue}, {what}" for queue in ("onboarding", "scans") for what in ("workflows", "activities")
}

Broken = Callable[[Environment], AbstractContextManager[Environment]]
Bad = set[tuple[Level, str, str]]


@pytest.fixture(scope="module")
def before(environment: Environment) -> Bad:
    """What is said of an account that is set up."""
    return bad(environment.examine())


def changed(environment: Environment, **settings: str) -> Environment:
    return replace(environment, settings=environment.settings.model_copy(update=settings))


def test_of_an_account_that_is_set_up_nothing_is_said_against(environment: Environment, before: Bad):
    # moto neither tells how often a key is rotated nor works out policies; MiniStack works them out without conditions
    rotated = (environment.settings.secrets_manager_kms_key_id, RESULTS_KEY)
    untold = {f"key {key_id}" for key_id in rotated} if environment.emulator == "moto" else set()
    expected = ALWAYS | untold | {f"role {WORKER_ROLE} of the worker"}
    assert {thing for level, thing, _ in before if level is not Level.FAIL} == expected
    assert {thing for level, thing, _ in before if level is Level.FAIL} == NOBODY_WORKS


# One thing is broken, and mended afterwards


@contextmanager
def rotation_off(environment: Environment) -> Iterator[Environment]:
    kms = environment.aws.kms
    key_id = kms.describe_key(KeyId=environment.settings.secrets_manager_kms_key_id)["KeyMetadata"]["KeyId"]
    kms.disable_key_rotation(KeyId=key_id)
    yield environment
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=365)


@contextmanager
def key_disabled(environment: Environment) -> Iterator[Environment]:
    kms = environment.aws.kms
    key_id = kms.describe_key(KeyId=environment.settings.digests_kms_key_id)["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key_id)
    yield environment
    kms.enable_key(KeyId=key_id)


def table(field: str, change: Callable[[Any, str], object]) -> Broken:
    """A change of that table, which setting the tables up again mends."""

    @contextmanager
    def broken(environment: Environment) -> Iterator[Environment]:
        dynamodb, names = environment.aws.dynamodb, environment.settings.tables
        change(dynamodb, getattr(names, field))
        yield environment
        ensure_tables(dynamodb, names)

    return broken


def delete_index(dynamodb: Any, name: str) -> None:
    deletion = {"Delete": {"IndexName": "provider-accounts-index"}}
    dynamodb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[deletion])


def recovery_off(dynamodb: Any, name: str) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=off)


def protection_off(dynamodb: Any, name: str) -> None:
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)


def expiry_off(dynamodb: Any, name: str) -> None:
    off = {"Enabled": False, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=off)


def bucket(change: Callable[[Any, str], object]) -> Broken:
    """A change of the bucket, which setting it up again mends."""

    @contextmanager
    def broken(environment: Environment) -> Iterator[Environment]:
        s3, name = environment.aws.s3, environment.settings.buckets.results
        change(s3, name)
        yield environment
        ensure_results_bucket(s3, name)

    return broken


def open_to_the_public(s3: Any, name: str) -> None:
    s3.delete_public_access_block(Bucket=name)


@contextmanager
def key_for_another_use(environment: Environment) -> Iterator[Environment]:
    agreeing = environment.aws.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]
    yield changed(environment, audit_kms_key_id=agreeing["KeyId"])


def setting(name: str, value: str) -> Broken:
    """Another value, or that of the setting that `value` names."""

    @contextmanager
    def broken(environment: Environment) -> Iterator[Environment]:
        known = {"bucket_of_results": environment.settings.buckets.results}
        yield changed(environment, **{name: str(known.get(value) or getattr(environment.settings, value, value))})

    return broken


BROKEN: dict[str, tuple[Broken, str]] = {
    "rotation off": (rotation_off, "its rotation is off"),
    "key disabled": (key_disabled, "its state is Disabled"),
    "key missing": (setting("secrets_manager_kms_key_id", "alias/nowhere"), "there is no such key"),
    "key of another kind": (
        setting("digests_kms_key_id", "secrets_manager_kms_key_id"),
        "is of the kind SYMMETRIC_DEFAULT, not HMAC_256",
    ),
    "key for another use": (key_for_another_use, "is for KEY_AGREEMENT, not SIGN_VERIFY"),
    "table missing": (setting("dynamodb_accounts_table", "nowhere"), "is missing"),
    "table with another key": (
        setting("dynamodb_audit_events_table", "dynamodb_tenants_table"),
        "its key is tenant_id, not tenant_id + event_id",
    ),
    "index missing": (table("accounts", delete_index), "the index provider-accounts-index is missing"),
    "recovery off": (table("tenants", recovery_off), "its point-in-time recovery is off"),
    "protection off": (table("tenants", protection_off), "is not protected against deletion"),
    "expiry off": (table("idempotency", expiry_off), "its items do not expire"),
    "bucket missing": (setting("results_bucket", "nowhere-in-this-world"), "is missing"),
    "bucket open": (bucket(open_to_the_public), "public access is not blocked altogether"),
    "anchors missing": (setting("audit_anchors_bucket", "nowhere-in-this-world"), "is missing"),
    "anchors not locked": (setting("audit_anchors_bucket", "bucket_of_results"), "it has no Object Lock"),
    "another account": (
        setting("platform_aws_account_id", "999999999999"),
        "is not in the account of PLATFORM_AWS_ACCOUNT_ID",
    ),
}


@pytest.mark.parametrize(("broken", "found"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_fails_with_what_to_do(environment: Environment, before: Bad, broken: Broken, found: str):
    with broken(environment) as examined:
        findings = examined.examine()
    [(level, thing, text)] = [new for new in bad(findings) - before if found in new[2]]
    assert level is Level.FAIL
    assert next(f.remedy for f in findings if (f.thing, f.found) == (thing, text))


def test_a_bucket_that_may_be_used_without_tls_fails(environment: Environment):
    """Asked of the check itself, since the emulators are spoken to without."""
    s3, name = environment.aws.s3, environment.settings.buckets.results
    [without] = buckets.bucket(s3, name, tls=True)
    refusal = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{name}/*"}
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    policy = {"Version": "2012-10-17", "Statement": [{**refusal, "Condition": condition}]}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    [with_tls] = buckets.bucket(s3, name, tls=True)
    s3.delete_bucket_policy(Bucket=name)
    assert (without.level, without.found) == (Level.FAIL, "may be used without TLS")
    assert with_tls.level is Level.OK


CLOCKS = [(30, Level.OK), (90, Level.WARN), (400, Level.FAIL), (-400, Level.FAIL)]


@pytest.mark.parametrize(("seconds", "level"), CLOCKS, ids=str)
def test_a_clock_is_measured_against_that_of_aws(environment: Environment, seconds: int, level: Level):
    clock = of(environment.examine(now=lambda: datetime.now(UTC) + timedelta(seconds=seconds)), "clock")
    assert clock.level is level
    assert ("behind" if seconds < 0 else "ahead of") in clock.found


def test_an_aws_that_does_not_answer_is_told_once_and_the_rest_is_not_looked_at(environment: Environment):
    findings = changed(environment, aws_endpoint_url=f"http://127.0.0.1:{free_port()}").examine()
    assert of(findings, "caller").level is Level.FAIL
    assert "EndpointConnectionError" in of(findings, "caller").found
    assert of(findings, "keys, tables, audit trail, bucket, secrets, roles").level is Level.UNKNOWN
    assert of(findings, f"namespace {environment.temporal.namespace}").level is Level.OK


def test_in_another_account_the_roles_are_not_judged(environment: Environment):
    findings = changed(environment, platform_aws_account_id="999999999999").examine()
    assert of(findings, "roles").level is Level.UNKNOWN
    assert [found for found in findings if found.thing.startswith("role ")] == []


def test_every_call_to_aws_is_one_that_reads(environment: Environment):
    seen: list[str] = []

    def record(session: Session) -> None:
        session.register("before-call", lambda **call: seen.append(call["model"].name))

    botocore.register_initializer(record)
    try:
        environment.examine(api_role=API_ROLE)
    finally:
        botocore.unregister_initializer(record)
    assert [name for name in seen if not re.match("Describe|Get|List|Scan|Simulate", name)] == []
    assert "GetSecretValue" not in seen
    assert {"GetCallerIdentity", "DescribeKey", "DescribeTable", "GetRandomPassword", "GetRole"} <= set(seen)


@pytest.fixture
def waiting(environment: Environment) -> Iterator[None]:
    """One event waits to be sealed."""
    dynamodb, names, event = environment.aws.dynamodb, environment.settings.tables, new_event(new_id())
    DynamoAuditStore(dynamodb, names).record(event)
    yield
    key = {"tenant_id": {"S": event.tenant_id}, "event_id": {"S": event.event_id}}
    dynamodb.delete_item(TableName=names.audit_unsealed, Key=key)


WAITS = [(0, Level.OK), (3, Level.OK), (5, Level.WARN), (14, Level.WARN), (16, Level.FAIL)]


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize(("minutes", "level"), WAITS, ids=str)
def test_the_oldest_event_that_waits_tells_whether_the_sealer_works(
    environment: Environment, minutes: int, level: Level
):
    later = datetime.now(UTC) + timedelta(minutes=minutes)
    found = of(environment.examine(now=lambda: later), "audit trail")
    assert (found.level, found.found) == (
        level,
        f"the oldest event that is not sealed has waited for {minutes} min",
    )
    assert bool(found.remedy) is (level is not Level.OK)


def test_where_no_event_waits_the_trail_is_well(environment: Environment):
    assert of(environment.examine(), "audit trail").found == "no event waits to be sealed"


def test_a_note_that_cannot_be_read_keeps_the_doctor_from_nothing(environment: Environment):
    row = {"tenant_id": {"S": "lost"}, "event_id": {"S": "note"}}
    names, dynamodb = environment.settings.tables, environment.aws.dynamodb
    dynamodb.put_item(TableName=names.audit_unsealed, Item=row)
    try:
        findings = environment.examine()
    finally:
        dynamodb.delete_item(TableName=names.audit_unsealed, Key=row)
    assert of(findings, "audit trail").found == "no event waits to be sealed"
    assert "lost/note" in of(findings, f"rows of {names.audit_unsealed}").found
