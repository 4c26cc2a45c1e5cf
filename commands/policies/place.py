"""Where our resources are and what they are called: what the policies are filled in with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from boto3.session import Session

from config import Settings

Statement = dict[str, Any]
Policy = dict[str, Any]
Condition = Mapping[str, Mapping[str, str | list[str]]]

API_ROLE, SETUP_ROLE, AUDITOR_ROLE = "threat-engine-api", "threat-engine-setup", "threat-engine-auditor"


@dataclass(frozen=True)
class Place:
    """A deployment. The worker's role has a setting, because customers trust it; the API's has none."""

    settings: Settings
    api_role: str = API_ROLE

    @property
    def account(self) -> str:
        return self.settings.platform_aws_account_id

    @property
    def region(self) -> str:
        return self.settings.aws_region

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def table(self, name: str) -> str:
        """`name` may go on with an index."""
        return self.arn("dynamodb", f"table/{name}")

    def indexes(self, table: str, *names: str) -> list[str]:
        return [self.table(f"{table}/index/{name}") for name in names]

    @property
    def bucket(self) -> str:
        return f"arn:{self.partition}:s3:::{self.settings.buckets.results}"

    @property
    def anchors(self) -> str:
        """The bucket of the audit trail's anchors."""
        return f"arn:{self.partition}:s3:::{self.settings.buckets.anchors}"

    @property
    def secrets(self) -> list[str]:
        """The names of all secrets that we keep."""
        prefix = self.settings.secrets_manager_prefix
        return [self.arn("secretsmanager", f"secret:{prefix}/{kind}/*") for kind in ("account", "webhook")]

    def via(self, service: str) -> str:
        """The value of `kms:ViaService` when another service asks KMS for us."""
        return f"{service}.{self.region}.amazonaws.com"

    def principal(self, *roles: str) -> dict[str, str | list[str]]:
        return {"AWS": one_or_many([f"arn:{self.partition}:iam::{self.account}:role/{role}" for role in roles])}

    @property
    def administrators(self) -> dict[str, str]:
        """The account itself: who of it may do a thing, its own IAM policies say."""
        return {"AWS": f"arn:{self.partition}:iam::{self.account}:root"}


@lru_cache(maxsize=8)
def partition_of(region: str) -> str:
    """China and GovCloud have one of their own."""
    return str(Session().get_partition_for_region(region))


def document(statements: Iterator[Statement]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str,
    actions: str | list[str],
    resources: str | list[str],
    *conditions: Condition,
    principal: Mapping[str, str | list[str]] | None = None,
) -> Statement:
    """A statement that allows something where all conditions hold."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        **({"Principal": dict(principal)} if principal else {}),
        "Action": actions,
        "Resource": one_or_many(resources),
        **({"Condition": _joined(conditions)} if conditions else {}),
    }


def allow_key(place: Place, sid: str, actions: str | list[str], key_id: str, *conditions: Condition) -> Statement:
    """The same for the key that a setting names by id, ARN or alias. Nobody knows the id of a key before it is made, so
    the alias is asked for in a condition."""
    name = key_id.rpartition(":")[2] if key_id.startswith("arn:") else key_id
    if name.startswith("alias/"):
        led_to: Condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}}
        return allow(sid, actions, place.arn("kms", "key/*"), led_to, *conditions)
    key = key_id if key_id.startswith("arn:") else place.arn("kms", f"key/{name}")
    return allow(sid, actions, key, *conditions)


def one_or_many(values: str | list[str]) -> str | list[str]:
    """One value stands alone, as AWS gives it back."""
    return values[0] if isinstance(values, list) and len(values) == 1 else values


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _joined(conditions: tuple[Condition, ...]) -> dict[str, dict[str, str | list[str]]]:
    joined: dict[str, dict[str, str | list[str]]] = {}
    for condition in conditions:
        for operator, keys in condition.items():
            joined.setdefault(operator, {}).update(keys)
    return joined
