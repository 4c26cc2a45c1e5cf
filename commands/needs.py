"""What each process needs in AWS and what it must not have. `deploy/iam/` grants the same; a test compares the two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from config import Settings
from stores.results_bucket import RESULTS_KEY
from stores.tables import (
    ACCOUNTS_BY_ID,
    ACCOUNTS_BY_STATUS,
    API_KEYS_BY_ID,
    EXECUTIONS_BY_SCHEDULE,
    RESULTS_BY_ACCOUNT,
    SCHEDULES_BY_ACCOUNT,
    SCHEDULES_BY_TENANT,
)

Process = Literal["worker", "API"]
Context = Mapping[str, str | tuple[str, ...]]
"""Values of condition keys at the moment of the call; a tuple for a key that has several."""

SECRETS = (
    *("CreateSecret", "DescribeSecret", "GetSecretValue", "PutSecretValue", "TagResource"),
    *("UpdateSecretVersionStage", "DeleteSecret", "RestoreSecret"),
)
KINDS_OF_SECRETS = ("account", "webhook")
SOME_ID = "00000000-0000-4000-8000-000000000000"
SOME_ACCOUNT = "000000000000"
TRANSACTION: Context = {"dynamodb:EnclosingOperation": ("TransactWriteItems",)}
SEALING: Context = {
    "kms:EncryptionContextKeys": ("tenant", "account", "submission", "purpose"),
    "kms:EncryptionContext:tenant": SOME_ID,
    "kms:EncryptionContext:account": SOME_ID,
    "kms:EncryptionContext:submission": SOME_ID,
    "kms:EncryptionContext:purpose": "onboarding",
}
SEALING_AUDITS: Context = {"kms:SigningAlgorithm": "ECDSA_SHA_256"}
SIGNING: Context = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}


@dataclass(frozen=True)
class Need:
    """Actions on one resource: all allowed, or, when they are forbidden, none."""

    resource: str
    actions: tuple[str, ...]
    context: Context = field(default_factory=dict)
    forbidden: bool = False


@dataclass(frozen=True)
class Place:
    """Where our resources are. `keys` gives the ARN behind what a setting says, for the keys that are there."""

    settings: Settings
    partition: str
    keys: Mapping[str, str]

    def arn(self, service: str, resource: str) -> str:
        settings = self.settings
        return f"arn:{self.partition}:{service}:{settings.aws_region}:{settings.platform_aws_account_id}:{resource}"

    def rows(self, table: str, *actions: str, context: Context | None = None) -> Need:
        """`table` may go on with an index."""
        return Need(self.arn("dynamodb", f"table/{table}"), _of("dynamodb", actions), context or {})

    def index(self, table: str, *indexes: str) -> Iterator[Need]:
        yield from (self.rows(f"{table}/index/{index}", "Query") for index in indexes)

    def secret(self, kind: str) -> str:
        name = f"{self.settings.secrets_manager_prefix}/{kind}/{SOME_ID}-abcdef"
        return self.arn("secretsmanager", f"secret:{name}")

    @property
    def bucket(self) -> str:
        return f"arn:{self.partition}:s3:::{self.settings.bucket}"

    def key(
        self, key_id: str, *actions: str, context: Context | None = None, forbidden: bool = False
    ) -> Iterator[Need]:
        """Nothing for a key that is not there: then that is what is said."""
        if arn := self.keys.get(key_id):
            aliases: Context = {"kms:ResourceAliases": (key_id,)} if key_id.startswith("alias/") else {}
            yield Need(arn, _of("kms", actions), {**aliases, **(context or {})}, forbidden)

    def through(self, service: str, **context: str) -> Context:
        """What KMS sees when another service of AWS asks it for us."""
        named = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
        return {"kms:ViaService": f"{service}.{self.settings.aws_region}.amazonaws.com", **named}


def needs(process: Process, place: Place) -> tuple[Need, ...]:
    parts = {
        "worker": (_worker_rows, _worker_secrets, _worker_identity, _worker_audit, _worker_scans),
        "API": (_api_rows, _api_secrets, _api_identity, _api_audit, _api_results),
    }
    return tuple(need for part in parts[process] for need in part(place))


def _worker_rows(place: Place) -> Iterator[Need]:
    tables = place.settings.tables
    yield place.rows(tables.accounts, "GetItem", "Scan")
    yield place.rows(tables.accounts, "PutItem", "UpdateItem", "ConditionCheckItem", context=TRANSACTION)
    yield place.rows(tables.schedules, "GetItem", "Scan")
    yield place.rows(tables.schedules, "PutItem", "UpdateItem", "DeleteItem", context=TRANSACTION)
    yield from place.index(tables.schedules, SCHEDULES_BY_ACCOUNT)
    yield place.rows(tables.executions, "GetItem")
    yield place.rows(tables.executions, "PutItem", "UpdateItem", context=TRANSACTION)
    yield place.rows(tables.scan_results, "PutItem")
    yield place.rows(tables.providers, "UpdateItem", context=TRANSACTION)
    yield place.rows(tables.tenants, "GetItem")
    yield place.rows(tables.tenants, "ConditionCheckItem", context=TRANSACTION)
    yield place.rows(tables.audit_events, "PutItem", context=TRANSACTION)
    yield place.rows(tables.audit_unsealed, "PutItem", "DeleteItem", context=TRANSACTION)
    yield place.rows(tables.audit_unsealed, "Scan", "Query")
    yield place.rows(tables.audit_digests, "PutItem", context=TRANSACTION)
    yield place.rows(tables.audit_digests, "Query")


def _worker_secrets(place: Place) -> Iterator[Need]:
    key_id = place.settings.secrets_manager_kms_key_id
    yield from place.key(key_id, "DescribeKey")
    yield from place.key(key_id, "Decrypt", context=SEALING)
    for kind in KINDS_OF_SECRETS:
        secret = place.secret(kind)
        yield Need(secret, _of("secretsmanager", SECRETS))
        yield from place.key(
            key_id, "GenerateDataKey", "Decrypt", context=place.through("secretsmanager", SecretARN=secret)
        )
    yield Need(f"arn:{place.partition}:iam::{SOME_ACCOUNT}:role/ThreatEngineReadOnly", ("sts:AssumeRole",))


def _worker_identity(place: Place) -> Iterator[Need]:
    key_id = place.settings.identity_kms_key_id
    yield from place.key(key_id, "GetPublicKey")
    yield from place.key(key_id, "Sign", context=SIGNING)


def _worker_audit(place: Place) -> Iterator[Need]:
    yield from place.key(place.settings.audit_kms_key_id, "Sign", context=SEALING_AUDITS)


def _worker_scans(place: Place) -> Iterator[Need]:
    yield Need(f"{place.bucket}/{SOME_ID}", ("s3:PutObject",))
    through = place.through("s3", **{"aws:s3:arn": place.bucket})
    yield from place.key(RESULTS_KEY, "GenerateDataKey", context=through)
    topic = f"arn:{place.partition}:sns:{place.settings.aws_region}:{SOME_ACCOUNT}:topic"
    yield Need(topic, ("sns:Publish",), {"aws:ResourceAccount": SOME_ACCOUNT})


def _api_rows(place: Place) -> Iterator[Need]:
    tables = place.settings.tables
    yield place.rows(tables.tenants, "GetItem", "Scan")
    yield place.rows(tables.tenants, "PutItem", "UpdateItem", "DeleteItem", context=TRANSACTION)
    yield place.rows(tables.accounts, "GetItem")
    yield place.rows(tables.schedules, "GetItem", "Scan")
    yield place.rows(tables.executions, "GetItem")
    yield place.rows(tables.scan_results, "GetItem")
    yield from place.index(tables.accounts, ACCOUNTS_BY_ID, ACCOUNTS_BY_STATUS)
    yield from place.index(tables.schedules, SCHEDULES_BY_TENANT, SCHEDULES_BY_ACCOUNT)
    yield from place.index(tables.executions, EXECUTIONS_BY_SCHEDULE)
    yield from place.index(tables.scan_results, RESULTS_BY_ACCOUNT)
    yield from place.index(tables.api_keys, API_KEYS_BY_ID)
    yield place.rows(tables.api_keys, "GetItem", "Query", "UpdateItem")
    yield place.rows(tables.api_keys, "PutItem", "UpdateItem", context=TRANSACTION)
    yield place.rows(tables.audit_events, "Query")
    yield place.rows(tables.audit_events, "PutItem", context=TRANSACTION)
    yield place.rows(tables.audit_unsealed, "PutItem", context=TRANSACTION)
    yield place.rows(tables.idempotency, "PutItem", "UpdateItem")


def _api_secrets(place: Place) -> Iterator[Need]:
    secrets, digests = place.settings.secrets_manager_kms_key_id, place.settings.digests_kms_key_id
    yield from place.key(secrets, "GenerateDataKey", context=SEALING)
    yield from place.key(secrets, "DescribeKey")
    yield from place.key(digests, "GenerateMac", context={"kms:MacAlgorithm": "HMAC_SHA_256"})
    yield Need("*", ("secretsmanager:GetRandomPassword",))
    yield from place.key(secrets, "Decrypt", context=SEALING, forbidden=True)
    for kind in KINDS_OF_SECRETS:
        yield Need(place.secret(kind), ("secretsmanager:GetSecretValue",), forbidden=True)


def _api_identity(place: Place) -> Iterator[Need]:
    key_id = place.settings.identity_kms_key_id
    yield from place.key(key_id, "GetPublicKey")
    yield from place.key(key_id, "Sign", context=SIGNING, forbidden=True)


def _api_audit(place: Place) -> Iterator[Need]:
    yield from place.key(place.settings.audit_kms_key_id, "Sign", context=SEALING_AUDITS, forbidden=True)


def _api_results(place: Place) -> Iterator[Need]:
    yield Need(f"{place.bucket}/{SOME_ID}", ("s3:GetObject",))
    yield from place.key(RESULTS_KEY, "Decrypt", context=place.through("s3", **{"aws:s3:arn": place.bucket}))


def _of(service: str, actions: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in actions)
