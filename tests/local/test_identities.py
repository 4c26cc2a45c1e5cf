"""The emulator holds each process to its own permissions, so that a step which needs more fails here and not in AWS."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from boto3.session import Session
from botocore.exceptions import ClientError

from deploy.ministack.policies import ADJUSTMENTS, Adjustment, adjusted, published
from deploy.ministack.roles import POLICY, ROLES
from emulators.ministack import REGION
from local.identities import WORKER_ROLE, clients_of, policy, session_of
from stores.session import AwsClients
from tests.local.conftest import Aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

pytestmark = pytest.mark.stack

Process = Callable[[str], Session]
KEY = "alias/threat-engine-secrets"


def refused(call: Callable[[], object]) -> bool:
    with pytest.raises(ClientError) as failure:
        call()
    return failure.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.mark.parametrize("profile", list(ROLES))
def test_each_profile_has_its_role_under_its_published_policy(aws: Aws, process: Process, profile: str):
    identity = process(profile).client("sts").get_caller_identity()
    assert f":assumed-role/{ROLES[profile]}/" in identity["Arn"]
    iam = aws.platform.session.client("iam", endpoint_url=aws.platform.endpoint)
    names = iam.list_role_policies(RoleName=ROLES[profile])["PolicyNames"]
    found = iam.get_role_policy(RoleName=ROLES[profile], PolicyName=POLICY)["PolicyDocument"]
    assert (names, found) == ([POLICY], adjusted(published(profile, aws.platform.number, REGION)))


def test_the_api_can_seal_and_the_worker_opens(process: Process):
    """That the API opens nothing but addresses of webhooks hangs on a condition, which the emulator drops: the judge of
    tests/deploy/test_kms.py knows it."""
    kms = process("api").client("kms")
    sealed = kms.generate_data_key(KeyId=KEY, KeySpec="AES_256")["CiphertextBlob"]
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


def test_nobody_can_touch_a_table_of_others_nor_remove_ours_nor_make_a_user(process: Process):
    for profile in ROLES:
        dynamodb, iam = process(profile).client("dynamodb"), process(profile).client("iam")
        assert refused(lambda: dynamodb.get_item(TableName="billing", Key={"id": {"S": "1"}}))  # noqa: B023
        assert refused(lambda: dynamodb.delete_table(TableName="threat-engine-accounts"))  # noqa: B023
        assert refused(lambda: iam.create_user(UserName="mallory"))  # noqa: B023


def test_the_api_makes_a_tenant_only_in_a_transaction(process: Process):
    dynamodb = process("api").client("dynamodb")
    table = "threat-engine-tenants"
    row: dict[str, AttributeValueTypeDef] = {"tenant_id": {"S": "t-1"}}
    assert refused(lambda: dynamodb.put_item(TableName=table, Item=row))
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": row}}])
    assert "Item" in dynamodb.get_item(TableName=table, Key=row)


def test_only_the_worker_removes_what_is_sealed_from_the_waiting(process: Process):
    key: dict[str, AttributeValueTypeDef] = {"tenant_id": {"S": "t-1"}, "event_key": {"S": "e-1"}}
    delete: TransactWriteItemTypeDef = {"Delete": {"TableName": "threat-engine-audit-unsealed", "Key": key}}
    for profile in ("api", "setup", "auditor"):
        dynamodb = process(profile).client("dynamodb")
        assert refused(lambda: dynamodb.transact_write_items(TransactItems=[delete]))  # noqa: B023
    process("worker").client("dynamodb").transact_write_items(TransactItems=[delete])


def test_the_worker_tells_topics_of_customers_that_let_it_and_none_of_ours(aws: Aws, process: Process):
    allowed = {"Principal": {"AWS": f"arn:aws:iam::{aws.platform.number}:role/{WORKER_ROLE}"}, "Action": "sns:Publish"}
    ours, theirs = (
        account.session.client("sns", endpoint_url=account.endpoint).create_topic(Name="alarms", Attributes=attributes)
        for account, attributes in (
            (aws.platform, {}),
            (aws.customer, {"Policy": policy([{**allowed, "Resource": "*"}])}),
        )
    )
    sns = process("worker").client("sns")
    assert refused(lambda: sns.publish(TopicArn=ours["TopicArn"], Message="x"))
    assert sns.publish(TopicArn=theirs["TopicArn"], Message="x")["MessageId"]


def test_the_auditor_reads_the_trail_and_nothing_of_a_tenants_accounts(process: Process):
    dynamodb = process("auditor").client("dynamodb")
    found = dynamodb.query(
        TableName="threat-engine-audit-digests",
        KeyConditionExpression="tenant_id = :tenant",
        ExpressionAttributeValues={":tenant": {"S": "t-1"}},
    )
    assert found["Items"] == []
    assert process("auditor").client("kms").get_public_key(KeyId="alias/threat-engine-audit")["PublicKey"]
    assert refused(lambda: dynamodb.scan(TableName="threat-engine-accounts"))


CALLS_THAT_NEED_IT: Sequence[tuple[str, Callable[[AwsClients], object]]] = [
    ("api", lambda clients: clients.kms.describe_key(KeyId=KEY)),
    ("api", lambda clients: clients.kms.generate_data_key(KeyId=KEY, KeySpec="AES_256")),
    ("setup", lambda clients: clients.kms.create_alias(AliasName="alias/threat-engine-x", TargetKeyId=key_of(clients))),
]


def key_of(clients: AwsClients) -> str:
    return clients.kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyId"]


@pytest.mark.parametrize("row", range(len(ADJUSTMENTS)))
def test_without_an_adjustment_the_emulator_refuses_what_is_right(aws: Aws, row: int):
    process, call = CALLS_THAT_NEED_IT[row]
    assert refused(lambda: call(under(aws, process, [*ADJUSTMENTS[:row], *ADJUSTMENTS[row + 1 :]])))
    call(under(aws, process, ADJUSTMENTS))


def under(aws: Aws, process: str, adjustments: Sequence[Adjustment]) -> AwsClients:
    """Clients of a role with the policy of a process, so adjusted."""
    platform, document = aws.platform, adjusted(published(process, aws.platform.number, REGION), adjustments)
    iam = platform.session.client("iam", endpoint_url=platform.endpoint)
    sts = platform.session.client("sts", endpoint_url=platform.endpoint)
    root = f"arn:aws:iam::{platform.number}:root"
    name = f"{process}-{len(iam.list_roles()['Roles'])}"
    trust = policy([{"Principal": {"AWS": root}, "Action": "sts:AssumeRole"}])
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
    iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=json.dumps(document))
    given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    session = session_of(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return clients_of(session, platform.endpoint)


def test_the_profiles_are_private(aws: Aws):
    assert aws.profiles.stat().st_mode & 0o077 == 0
