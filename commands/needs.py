"""What each process needs in AWS and what it must not have. `deploy/iam/` grants the same; a test compares the two."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from config import Settings
from stores.tables import ACCOUNTS_BY_ID, ACCOUNTS_BY_STATUS, API_KEYS_BY_ID

Process = Literal["worker", "API"]
Context = Mapping[str, str | tuple[str, ...]]
"""Values of condition keys at the moment of the call; a tuple for a key that has several."""

SECRETS = (
    *("CreateSecret", "DescribeSecret", "GetSecretValue", "PutSecretValue", "TagResource"),
    *("UpdateSecretVersionStage", "DeleteSecret", "RestoreSecret"),
)
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
        names = tuple(f"dynamodb:{action}" for action in actions)
        return Need(self.arn("dynamodb", f"table/{table}"), names, context or {})

    def secret(self, *actions: str, forbidden: bool = False) -> Need:
        name = f"{self.settings.secrets_manager_prefix}/account/{SOME_ID}-abcdef"
        names = tuple(f"secretsmanager:{action}" for action in actions)
        return Need(self.arn("secretsmanager", f"secret:{name}"), names, forbidden=forbidden)

    def key(
        self, key_id: str, *actions: str, context: Context | None = None, forbidden: bool = False
    ) -> Iterator[Need]:
        """Nothing for a key that is not there: then that is what is said."""
        if arn := self.keys.get(key_id):
            aliases: Context = {"kms:ResourceAliases": (key_id,)} if key_id.startswith("alias/") else {}
            names = tuple(f"kms:{action}" for action in actions)
            yield Need(arn, names, {**aliases, **(context or {})}, forbidden)


def needs(process: Process, place: Place) -> tuple[Need, ...]:
    return tuple({"worker": _worker, "API": _api}[process](place))


def _worker(place: Place) -> Iterator[Need]:
    tables, key_id = place.settings.tables, place.settings.secrets_manager_kms_key_id
    yield place.rows(tables.accounts, "GetItem")
    yield place.rows(tables.accounts, "PutItem", "UpdateItem", context=TRANSACTION)
    yield place.rows(tables.providers, "UpdateItem", context=TRANSACTION)
    yield place.rows(tables.tenants, "ConditionCheckItem", context=TRANSACTION)
    yield place.rows(tables.audit_events, "PutItem", context=TRANSACTION)
    yield place.secret(*SECRETS)
    yield from place.key(key_id, "DescribeKey")
    yield from place.key(key_id, "Decrypt", context=SEALING)
    through: Context = {
        "kms:ViaService": f"secretsmanager.{place.settings.aws_region}.amazonaws.com",
        "kms:EncryptionContext:SecretARN": place.secret().resource,
    }
    yield from place.key(key_id, "GenerateDataKey", "Decrypt", context=through)
    yield Need(f"arn:{place.partition}:iam::{SOME_ACCOUNT}:role/ThreatEngineReadOnly", ("sts:AssumeRole",))


def _api(place: Place) -> Iterator[Need]:
    tables, settings = place.settings.tables, place.settings
    yield place.rows(tables.tenants, "GetItem", "Scan")
    yield place.rows(tables.tenants, "PutItem", "UpdateItem", "DeleteItem", context=TRANSACTION)
    yield place.rows(tables.accounts, "GetItem")
    for index in (ACCOUNTS_BY_ID, ACCOUNTS_BY_STATUS):
        yield place.rows(f"{tables.accounts}/index/{index}", "Query")
    yield place.rows(f"{tables.api_keys}/index/{API_KEYS_BY_ID}", "Query")
    yield place.rows(tables.audit_events, "PutItem", context=TRANSACTION)
    yield place.rows(tables.idempotency, "PutItem", "UpdateItem")
    yield from place.key(settings.secrets_manager_kms_key_id, "GenerateDataKey", context=SEALING)
    yield from place.key(settings.secrets_manager_kms_key_id, "DescribeKey")
    yield from place.key(settings.digests_kms_key_id, "GenerateMac", context={"kms:MacAlgorithm": "HMAC_SHA_256"})
    yield Need("*", ("secretsmanager:GetRandomPassword",))
    yield from place.key(settings.secrets_manager_kms_key_id, "Decrypt", context=SEALING, forbidden=True)
    yield place.secret("GetSecretValue", forbidden=True)
