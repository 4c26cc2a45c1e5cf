"""The emulator holds each process to its own permissions, so that a step which needs more fails here and not in AWS."""

from collections.abc import Callable

import pytest
from boto3.session import Session
from botocore.exceptions import ClientError

from local.identities import API_ROLE, WORKER_ROLE, policy
from tests.local.conftest import Aws

pytestmark = pytest.mark.stack

Process = Callable[[str], Session]
KEY = "alias/threat-engine-secrets"


def refused(call: Callable[[], object]) -> bool:
    with pytest.raises(ClientError) as failure:
        call()
    return failure.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


@pytest.mark.parametrize(("profile", "role"), [("api", API_ROLE), ("worker", WORKER_ROLE)])
def test_each_process_has_its_role(process: Process, profile: str, role: str):
    identity = process(profile).client("sts").get_caller_identity()
    assert f":assumed-role/{role}/" in identity["Arn"]


def test_the_api_can_seal_and_cannot_open(process: Process):
    kms = process("api").client("kms")
    sealed = kms.generate_data_key(KeyId=KEY, KeySpec="AES_256")["CiphertextBlob"]
    assert refused(lambda: kms.decrypt(CiphertextBlob=sealed))
    opened = process("worker").client("kms").decrypt(CiphertextBlob=sealed)
    assert len(opened["Plaintext"]) == 32


def test_the_api_cannot_read_a_secret_and_the_worker_reads_ours_only(aws: Aws, process: Process):
    ours, foreign = "threat-engine/account/1", "billing/password"
    vault = aws.platform.clients().secretsmanager
    for name in (ours, foreign):
        vault.create_secret(Name=name, SecretString="x")
    api, worker = (process(profile).client("secretsmanager") for profile in ("api", "worker"))
    assert refused(lambda: api.get_secret_value(SecretId=ours))
    assert refused(lambda: worker.get_secret_value(SecretId=foreign))
    assert worker.get_secret_value(SecretId=ours)["SecretString"] == "x"


def test_only_the_worker_can_assume_a_customers_role_and_only_one_named_like_ours(aws: Aws, process: Process):
    iam = aws.customer.session.client("iam", endpoint_url=aws.customer.endpoint)
    principal = f"arn:aws:iam::{aws.platform.number}:role/{WORKER_ROLE}"
    trust = policy([{"Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}])
    ours, foreign = (
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        for name in ("ThreatEngineTest", "Administrator")
    )
    api, worker = (process(profile).client("sts") for profile in ("api", "worker"))
    assert refused(lambda: api.assume_role(RoleArn=ours, RoleSessionName="test"))
    assert refused(lambda: worker.assume_role(RoleArn=foreign, RoleSessionName="test"))
    assert worker.assume_role(RoleArn=ours, RoleSessionName="test")["Credentials"]


def test_neither_can_touch_a_table_of_others_nor_make_one(process: Process):
    for profile in ("api", "worker"):
        dynamodb = process(profile).client("dynamodb")
        assert refused(lambda: dynamodb.get_item(TableName="billing", Key={"id": {"S": "1"}}))  # noqa: B023
        assert refused(lambda: dynamodb.delete_table(TableName="threat-engine-accounts"))  # noqa: B023


def test_the_profiles_are_private(aws: Aws):
    assert aws.profiles.stat().st_mode & 0o077 == 0
