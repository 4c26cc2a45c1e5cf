"""The whole engine on the emulator, which checks signatures, trust policies, external ids and policies.

What the emulator does not know is judged in test_checks.py alone: root keys and root MFA, users in the credential
report, EBS encryption by default, the account's public access block, Access Analyzer, Security Hub and GuardDuty.
"""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from domain.accounts import ProviderType
from domain.errors import CredentialRefused, InvalidInput, PlatformConfig
from domain.onboarding.catalogue import SetupRequest
from domain.onboarding.credentials import Credential
from domain.scans.scan import CheckStatus, Finding, ScanOrder
from domain.schedules.schedule import ScanScope
from engines.aws.baseline import CHECKS, AwsBaseline
from engines.aws.reader import Limits
from engines.aws.session import AwsSessions
from providers.aws.role_names import ROLE_NAMES
from providers.aws.setup import TrustedRole, setup_of
from tests.engines.conftest import may_write, sessions_running_as, with_session
from tests.providers.aws_accounts import (
    EXTERNAL_ID,
    PLATFORM_ACCOUNT,
    PLATFORM_ROLE,
    REGION,
    EmulatedAccount,
    allow,
    deny,
    key_credential,
    published_without,
    role_credential,
    root_session,
    trust,
    trust_on,
)

pytestmark = pytest.mark.stack

HERE = ScanScope(regions=(REGION,))
UNKNOWN_TO_THE_EMULATOR = {
    *("fsbp-s3.1", "fsbp-guardduty.1"),
    *(f"cis-aws-3.0.0-{number}" for number in ("1.19", "1.20", "2.2.1", "4.16")),
}
OPEN_SSH = {"IpProtocol": "tcp", "FromPort": 20, "ToPort": 30}
EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture
def baseline(sessions: AwsSessions) -> AwsBaseline:
    return AwsBaseline(sessions)


@pytest.fixture
def role(customer: EmulatedAccount) -> Credential:
    """A role in the customer's account with the permissions that we publish."""
    return role_credential(customer.role(trust_on(EXTERNAL_ID), published_without()))


def scan(
    baseline: AwsBaseline,
    customer: EmulatedAccount,
    credential: Credential,
    *,
    scope: ScanScope = HERE,
    max_seconds: float = 60,
) -> Sequence[Finding]:
    order = ScanOrder("scan/of:today", "t1", "a1", ProviderType.AWS, customer.number, scope)
    return baseline.scan(
        order, credential, external_id=EXTERNAL_ID, max_seconds=max_seconds, alive=lambda percent: None
    )


def statuses(findings: Sequence[Finding]) -> dict[tuple[str, str], str]:
    """By number in the benchmark, and the last part of the resource's name."""
    return {(f.check_id.rpartition("-")[2], f.resource.rpartition(":")[2]): f.status.value for f in findings}


# Good and bad resources, side by side


def plant_buckets(customer: EmulatedAccount) -> None:
    s3 = customer.client("s3")
    for name in ("good", "bad"):
        s3.create_bucket(Bucket=f"{name}-{customer.number}", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.delete_public_access_block(Bucket=f"bad-{customer.number}")
    statement = {
        **deny("s3:*"),
        "Principal": "*",
        "Resource": f"arn:aws:s3:::good-{customer.number}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=f"good-{customer.number}", Policy=document)


def test_buckets(baseline: AwsBaseline, customer: EmulatedAccount, role: Credential):
    plant_buckets(customer)
    found = statuses(scan(baseline, customer, role, scope=ScanScope(regions=(REGION,), services=("s3",))))
    assert found[("2.1.1", f"good-{customer.number}")] == "pass"
    assert found[("2.1.1", f"bad-{customer.number}")] == "fail"
    assert found[("2.1.4", f"good-{customer.number}")] == "pass"
    # Whether the account protects the bad one cannot be read here.
    assert found[("2.1.4", f"bad-{customer.number}")] == "error"


def test_security_groups(baseline: AwsBaseline, customer: EmulatedAccount, role: Credential):
    ec2 = customer.client("ec2")
    ids = {
        name: ec2.create_security_group(GroupName=name, Description=name)["GroupId"] for name in ("good", "v4", "v6")
    }
    default = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]
    ranges = {"v4": {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, "v6": {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}}
    for name, given in ranges.items():
        ec2.authorize_security_group_ingress(GroupId=ids[name], IpPermissions=[OPEN_SSH | given])
    network = ScanScope(regions=(REGION,), services=("ec2",))
    found = statuses(scan(baseline, customer, role, scope=network))
    for number, bad in (("5.2", "v4"), ("5.3", "v6")):
        for name, group in ids.items():
            assert found[(number, f"security-group/{group}")] == ("fail" if name == bad else "pass")
    assert found[("5.4", f"security-group/{default}")] == "fail"
    ec2.revoke_security_group_egress(GroupId=default, IpPermissions=[EVERYTHING])
    assert statuses(scan(baseline, customer, role, scope=network))[("5.4", f"security-group/{default}")] == "pass"


def test_flow_logs(baseline: AwsBaseline, customer: EmulatedAccount, role: Credential):
    ec2 = customer.client("ec2")
    good, bad = (ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
    to = {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::logs"}
    ec2.create_flow_logs(ResourceIds=[good], ResourceType="VPC", TrafficType="ALL", **to)
    found = statuses(scan(baseline, customer, role, scope=ScanScope(regions=(REGION,), services=("ec2",))))
    assert (found[("3.7", f"vpc/{good}")], found[("3.7", f"vpc/{bad}")]) == ("pass", "fail")


def test_trails(baseline: AwsBaseline, customer: EmulatedAccount, role: Credential):
    everywhere = ScanScope(services=("cloudtrail",))
    assert statuses(scan(baseline, customer, role, scope=everywhere)) == {("3.1", "root"): "fail"}
    cloudtrail = customer.client("cloudtrail")
    key = f"arn:aws:kms:{REGION}:{customer.number}:key/k1"
    safe = {"IsMultiRegionTrail": True, "EnableLogFileValidation": True, "KmsKeyId": key}
    cloudtrail.create_trail(Name="good", S3BucketName="logs", **safe)
    cloudtrail.create_trail(Name="bad", S3BucketName="logs")
    found = statuses(scan(baseline, customer, role, scope=everywhere))
    assert found[("3.1", "root")] == "fail"
    for number in ("3.2", "3.5"):
        assert (found[(number, "trail/good")], found[(number, "trail/bad")]) == ("pass", "fail")
    cloudtrail.start_logging(Name="good")
    assert statuses(scan(baseline, customer, role, scope=everywhere))[("3.1", "root")] == "pass"


def test_databases_file_systems_and_keys(baseline: AwsBaseline, customer: EmulatedAccount, role: Credential):
    shape = {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20}
    login = {"MasterUsername": "owner", "MasterUserPassword": "not-a-real-one"}
    for name, good in (("good", True), ("bad", False)):
        settings = {"StorageEncrypted": good, "AutoMinorVersionUpgrade": good, "PubliclyAccessible": not good}
        customer.client("rds").create_db_instance(DBInstanceIdentifier=name, **shape, **login, **settings)
        customer.client("efs").create_file_system(CreationToken=name, Encrypted=good)
    kms = customer.client("kms")
    keys = [kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    kms.enable_key_rotation(KeyId=keys[0])
    services = ("rds", "elasticfilesystem", "kms")
    found = statuses(scan(baseline, customer, role, scope=ScanScope(regions=(REGION,), services=services)))
    for number in ("2.3.1", "2.3.2", "2.3.3"):
        assert (found[(number, "good")], found[(number, "bad")]) == ("pass", "fail")
    assert (found[("3.6", f"key/{keys[0]}")], found[("3.6", f"key/{keys[1]}")]) == ("pass", "fail")
    assert sorted(status for (number, _), status in found.items() if number == "2.4.1") == ["fail", "pass"]


def test_the_password_policy_and_the_recorder(baseline: AwsBaseline, customer: EmulatedAccount, role: Credential):
    scope = ScanScope(regions=(REGION,), services=("iam", "config"))
    numbers = {("1.8", "root"), ("1.9", "root"), ("3.3", "configuration-recorder")}
    before = statuses(scan(baseline, customer, role, scope=scope))
    assert {before[number] for number in numbers} == {"fail"}
    customer.client("iam").update_account_password_policy(MinimumPasswordLength=14, PasswordReusePrevention=24)
    group = {"allSupported": True, "includeGlobalResourceTypes": True}
    recorder = {"name": "default", "roleARN": f"arn:aws:iam::{customer.number}:role/config", "recordingGroup": group}
    config = customer.client("config")
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    channel = {"name": "default", "s3BucketName": "logs"}
    config.put_delivery_channel(DeliveryChannel=channel)
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    after = statuses(scan(baseline, customer, role, scope=scope))
    assert {after[number] for number in numbers} == {"pass"}


# The whole account


def test_an_account_with_nothing_but_the_role_of_our_template(baseline: AwsBaseline, customer: EmulatedAccount):
    trusted = TrustedRole(PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION)
    template = setup_of(SetupRequest(EXTERNAL_ID), (), trusted=trusted, names=ROLE_NAMES, template_url=None).template
    found = scan(baseline, customer, role_credential(customer.deploy(template or "")["RoleArn"]))
    assert {f.check_id for f in found if f.status is CheckStatus.ERROR} == UNKNOWN_TO_THE_EMULATOR
    assert {f.check_id for f in found} <= {check.check_id for check in CHECKS}
    failed = {f.check_id.rpartition("-")[2] for f in found if f.status is CheckStatus.FAIL}
    assert failed == {"1.5", "1.6", "1.8", "1.9", "1.17", "3.1", "3.3", "3.7", "5.1", "5.4"}


def test_two_regions(baseline: AwsBaseline, customer: EmulatedAccount, role: Credential):
    abroad = root_session().client(
        "s3",
        region_name="eu-west-1",
        endpoint_url=customer.endpoint_url,
        aws_access_key_id=customer.number,
        aws_secret_access_key="test",
    )
    abroad.create_bucket(
        Bucket=f"abroad-{customer.number}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    scope = ScanScope(regions=("eu-west-1", REGION, "moon-1"), services=("s3", "ec2"))
    found = scan(baseline, customer, role, scope=scope)
    (bucket,) = [f for f in found if f.check_id.endswith("2.1.1")]
    assert bucket.region == "eu-west-1"
    assert {f.region for f in found if f.check_id.endswith("5.4")} == {"eu-west-1", REGION}
    assert [f.region for f in found if f.check_id == "not-scanned"] == ["moon-1"]


# The credential


class Watched(AwsSessions):
    """Remembers the keys that clients were opened with."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.keys: list[Credential] = []

    def open(self, key: Credential) -> Any:
        self.keys.append(key)
        return super().open(key)


def test_the_scans_session_may_do_what_the_checks_do_whatever_the_role_may_do(
    platform: EmulatedAccount, customer: EmulatedAccount
):
    customer.client("secretsmanager").create_secret(Name="password", SecretString="s")
    sessions = sessions_running_as(platform, PLATFORM_ROLE, kind=Watched)
    role = role_credential(customer.role(trust_on(EXTERNAL_ID), allow("*")))
    scan(AwsBaseline(sessions), customer, role, scope=ScanScope(regions=(REGION,), services=("kms",)))
    assert isinstance(sessions, Watched)
    (session,) = sessions.keys
    assert with_session(customer, "ec2", session).describe_vpcs()["Vpcs"]
    assert not may_write(customer, session)
    with pytest.raises(ClientError, match="AccessDenied"):
        with_session(customer, "secretsmanager", session).get_secret_value(SecretId="password")


def test_an_access_key_scans_as_well(baseline: AwsBaseline, customer: EmulatedAccount):
    key = key_credential(*customer.access_key(published_without()))
    found = scan(baseline, customer, key, scope=ScanScope(regions=(REGION,), services=("ec2", "iam")))
    assert {f.status for f in found if f.check_id.endswith(("1.8", "5.4"))} == {CheckStatus.FAIL}


def test_a_permission_that_was_taken_away_is_an_error(baseline: AwsBaseline, customer: EmulatedAccount):
    key = key_credential(*customer.access_key(published_without("kms:ListKeys", "ec2:DescribeVpcs")))
    found = scan(baseline, customer, key)
    denied = {f.check_id.rpartition("-")[2]: f.message for f in found if "denies" in f.message}
    assert set(denied) == {"3.6", "3.7"}
    assert "kms:ListKeys" in denied["3.6"]


def test_the_smaller_limit_ends_a_scan_which_says_what_it_did_not_reach(
    baseline: AwsBaseline, sessions: AwsSessions, customer: EmulatedAccount
):
    key = key_credential(*customer.access_key(published_without()))
    hasty = AwsBaseline(sessions, limits=Limits(max_seconds=0))
    for found in (scan(baseline, customer, key, max_seconds=0), scan(hasty, customer, key)):
        assert {finding.status for finding in found} == {CheckStatus.ERROR}
        assert {check.check_id for check in CHECKS} <= {finding.check_id for finding in found}
        assert all("time was over" in finding.message for finding in found)


@pytest.mark.parametrize("external_id", ["te-another", ""])
def test_a_role_that_cannot_be_assumed_is_refused(baseline: AwsBaseline, customer: EmulatedAccount, external_id: str):
    arn = customer.role(trust_on(EXTERNAL_ID), published_without())
    order = ScanOrder("e1", "t1", "a1", ProviderType.AWS, customer.number, HERE)
    with pytest.raises(CredentialRefused) as refusal:
        baseline.scan(order, role_credential(arn), external_id=external_id, max_seconds=60, alive=lambda percent: None)
    assert [problem.code for problem in refusal.value.problems] == ["role_not_assumable"]


def test_a_key_that_was_deleted_is_refused(baseline: AwsBaseline, customer: EmulatedAccount):
    key_id, secret = customer.access_key(published_without())
    customer.client("iam").delete_access_key(UserName="scanner", AccessKeyId=key_id)
    with pytest.raises(CredentialRefused) as refusal:
        scan(baseline, customer, key_credential(key_id, secret))
    assert [problem.code for problem in refusal.value.problems] == ["unknown_key"]


def test_a_credential_of_another_account_is_refused(
    baseline: AwsBaseline, customer: EmulatedAccount, platform: EmulatedAccount
):
    key = key_credential(*customer.access_key(published_without()))
    with pytest.raises(CredentialRefused) as refusal:
        scan(baseline, platform, key)
    assert [problem.code for problem in refusal.value.problems] == ["account_changed"]


def test_it_is_our_fault_when_we_run_as_another_role(platform: EmulatedAccount, customer: EmulatedAccount):
    platform.role(trust({}), allow("sts:AssumeRole"), name="NotTheWorker")
    arn = customer.role(trust_on("te-another"), published_without())
    with pytest.raises(PlatformConfig):
        scan(AwsBaseline(sessions_running_as(platform, "NotTheWorker")), customer, role_credential(arn))


def test_a_credential_of_another_cloud_makes_no_sense(baseline: AwsBaseline, customer: EmulatedAccount):
    with pytest.raises(InvalidInput):
        scan(baseline, customer, Credential("gcp_service_account", {}))
