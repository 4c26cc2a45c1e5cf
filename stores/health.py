"""One small request to each AWS service that we depend on. They change nothing and read no customer's data."""

from functools import partial
from typing import TYPE_CHECKING

from domain.errors import PlatformConfig
from domain.ports import HealthProbe
from stores.dynamodb.tables import TableNames
from stores.errors import aws_failures
from stores.session import AwsClients

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


def probes(clients: AwsClients, names: TableNames, *, key_id: str) -> dict[str, HealthProbe]:
    """By the name under which the health endpoint reports them."""
    return {
        "dynamodb": partial(_dynamodb, clients.dynamodb, names.tenants),
        "secrets_manager": partial(_secrets_manager, clients.secretsmanager),
        "kms": partial(_kms, clients.kms, key_id),
    }


@aws_failures()
def _dynamodb(dynamodb: "DynamoDBClient", table: str) -> None:
    dynamodb.get_item(TableName=table, Key={"tenant_id": {"S": "health"}})


@aws_failures()
def _secrets_manager(secretsmanager: "SecretsManagerClient") -> None:
    # The only request of this service that concerns no secret at all.
    secretsmanager.get_random_password(PasswordLength=8)


@aws_failures()
def _kms(kms: "KMSClient", key_id: str) -> None:
    state = kms.describe_key(KeyId=key_id)["KeyMetadata"].get("KeyState")
    if state != "Enabled":
        raise PlatformConfig
