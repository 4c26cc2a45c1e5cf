"""The health probes: silent when all is well, an error when their service cannot be used."""

from dataclasses import replace

import pytest
from botocore.exceptions import EndpointConnectionError

from domain.errors import PlatformConfig, Unavailable
from stores.health import probes
from tests.stores.conftest import SECRETS_KEY, Aws
from tests.stores.faults import failing


def test_every_probe_is_silent_when_all_is_well(aws: Aws):
    found = probes(aws.clients, aws.names, key_id=SECRETS_KEY)
    for probe in found.values():
        probe()
    assert list(found) == ["dynamodb", "secrets_manager", "kms"]


@pytest.mark.parametrize(
    ("name", "operation"),
    [("dynamodb", "GetItem"), ("secrets_manager", "GetRandomPassword"), ("kms", "DescribeKey")],
)
def test_a_service_that_does_not_answer_fails_its_probe(aws: Aws, name: str, operation: str):
    client = getattr(aws.clients, name.replace("_", ""))
    gone = EndpointConnectionError(endpoint_url="http://nowhere")
    probe = probes(aws.clients, aws.names, key_id=SECRETS_KEY)[name]
    with failing(client, operation, gone), pytest.raises(Unavailable):
        probe()


def test_a_missing_table_fails_the_probe(aws: Aws):
    names = replace(aws.names, tenants="no-such-table")
    with pytest.raises(PlatformConfig):
        probes(aws.clients, names, key_id=SECRETS_KEY)["dynamodb"]()


def test_a_disabled_key_fails_the_probe(aws: Aws):
    key_id = aws.clients.kms.create_key()["KeyMetadata"]["KeyId"]
    aws.clients.kms.disable_key(KeyId=key_id)
    with pytest.raises(PlatformConfig):
        probes(aws.clients, aws.names, key_id=key_id)["kms"]()
