"""For each check, answers of AWS that must pass and answers that must fail."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.engines.canned import HOME, Answers


@dataclass(frozen=True)
class Case:
    passing: tuple[Answers, ...]
    failing: tuple[Answers, ...]


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


COLUMNS = (
    *("user", "arn", "password_enabled", "password_last_used", "password_last_changed", "mfa_active"),
    *("access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date"),
    *("access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date"),
)
ROOT_ROW = {"user": "<root_account>", "arn": "arn:aws:iam::222222222222:root", "password_enabled": "not_supported"}


def report(**user: str) -> Answers:
    """A credential report with the root user and one user, who has nothing but what is given."""
    nothing = dict.fromkeys(COLUMNS, "N/A") | {"password_enabled": "false", "mfa_active": "false"}
    nothing |= {"access_key_1_active": "false", "access_key_2_active": "false"}
    nobody = nothing | {"user": "ann", "arn": "arn:aws:iam::222222222222:user/ann"}
    rows = [COLUMNS, *([(nobody | given)[name] for name in COLUMNS] for given in (nothing | ROOT_ROW, nobody | user))]
    content = "\n".join(",".join(row) for row in rows).encode()
    return {"iam:GenerateCredentialReport": {"State": "COMPLETE"}, "iam:GetCredentialReport": {"Content": content}}


def key(number: int, *, age: float, used: float | None) -> dict[str, str]:
    name = f"access_key_{number}"
    last_used = "N/A" if used is None else days_ago(used)
    return {f"{name}_active": "true", f"{name}_last_rotated": days_ago(age), f"{name}_last_used_date": last_used}


def password(*, used: float | None, changed: float, mfa: bool = True) -> dict[str, str]:
    return {
        "password_enabled": "true",
        "password_last_used": "no_information" if used is None else days_ago(used),
        "password_last_changed": days_ago(changed),
        "mfa_active": str(mfa).lower(),
    }


def summary(**numbers: int) -> Answers:
    return {"iam:GetAccountSummary": {"SummaryMap": numbers}}


def password_policy(**policy: Any) -> Answers:
    complete = {"ExpirePasswords": False} | policy
    return {"iam:GetAccountPasswordPolicy": {"PasswordPolicy": complete}}


NO_PASSWORD_POLICY: Answers = {"iam:GetAccountPasswordPolicy": "NoSuchEntity"}

BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
BUCKET: Answers = {"s3:ListAllMyBuckets": {"Buckets": [{"Name": "photos", "BucketRegion": HOME}]}}
NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"


def account_block(**settings: bool) -> Answers:
    return {"s3:GetAccountPublicAccessBlock": {"PublicAccessBlockConfiguration": settings}}


def bucket_block(**settings: bool) -> Answers:
    return BUCKET | {"s3:GetBucketPublicAccessBlock": {"PublicAccessBlockConfiguration": settings}}


UNBLOCKED_BUCKET = BUCKET | {"s3:GetBucketPublicAccessBlock": NO_BLOCK}


def bucket_policy(**statement: Any) -> Answers:
    clear = {"Bool": {"aws:SecureTransport": "false"}}
    complete = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": clear} | statement
    return BUCKET | {"s3:GetBucketPolicy": {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [complete]})}}


TRAIL = f"arn:aws:cloudtrail:{HOME}:222222222222:trail/all"
ALL_EVENTS = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}


def by_fields(*more: dict[str, Any]) -> dict[str, Any]:
    selectors = [{"Field": "eventCategory", "Equals": ["Management"]}, *more]
    return {"AdvancedEventSelectors": [{"FieldSelectors": selectors}]}


def trail(*, logging: bool = True, selectors: dict[str, Any] | None = None, **settings: Any) -> Answers:
    complete = {"TrailARN": TRAIL, "HomeRegion": HOME, "IsMultiRegionTrail": True} | settings
    return {
        "cloudtrail:DescribeTrails": {"trailList": [complete]},
        "cloudtrail:GetTrailStatus": {"IsLogging": logging},
        "cloudtrail:GetEventSelectors": ALL_EVENTS if selectors is None else selectors,
    }


def analyzer(*, kind: str = "ACCOUNT", status: str = "ACTIVE") -> Answers:
    arn = f"arn:aws:access-analyzer:{HOME}:222222222222:analyzer/one"
    found = {"arn": arn, "name": "one", "type": kind, "createdAt": datetime.now(UTC), "status": status}
    return {"access-analyzer:ListAnalyzers": {"analyzers": [found]}}


def recorder(*, recording: bool = True, last: str = "Success", everything: bool = True) -> Answers:
    status = {"name": "default", "recording": recording, "lastStatus": last}
    recorders = [{"name": "default", "recordingGroup": {"allSupported": everything}}]
    return {
        "config:DescribeConfigurationRecorderStatus": {"ConfigurationRecordersStatus": [status]},
        "config:DescribeConfigurationRecorders": {"ConfigurationRecorders": recorders},
    }


NO_RECORDER: Answers = {
    "config:DescribeConfigurationRecorderStatus": {"ConfigurationRecordersStatus": []},
    "config:DescribeConfigurationRecorders": {"ConfigurationRecorders": []},
}


def detector(status: str) -> Answers:
    return {
        "guardduty:ListDetectors": {"DetectorIds": ["d1"]},
        "guardduty:GetDetector": {"ServiceRole": "arn:aws:iam::222222222222:role/guardduty", "Status": status},
    }


def vpc(**log: str) -> Answers:
    logs = [{"ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL"} | log] if log else []
    return {"ec2:DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-1"}]}, "ec2:DescribeFlowLogs": {"FlowLogs": logs}}


def instance(**options: str) -> Answers:
    found = {"InstanceId": "i-1", "State": {"Name": "running"}, "MetadataOptions": options}
    return {"ec2:DescribeInstances": {"Reservations": [{"Instances": [found]}]}}


def group(*rules: dict[str, Any], egress: tuple[dict[str, Any], ...] = (), name: str = "default") -> Answers:
    found = {"GroupId": "sg-1", "GroupName": name, "IpPermissions": list(rules), "IpPermissionsEgress": list(egress)}
    return {"ec2:DescribeSecurityGroups": {"SecurityGroups": [found]}}


def ipv4(
    protocol: str, first: int | None = None, last: int | None = None, *, cidr: str = "0.0.0.0/0"
) -> dict[str, Any]:
    return _ports(protocol, first, last) | {"IpRanges": [{"CidrIp": cidr}]}


def ipv6(protocol: str, first: int | None = None, last: int | None = None, *, cidr: str = "::/0") -> dict[str, Any]:
    return _ports(protocol, first, last) | {"Ipv6Ranges": [{"CidrIpv6": cidr}]}


def _ports(protocol: str, first: int | None, last: int | None) -> dict[str, Any]:
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports}


def database(**settings: bool) -> Answers:
    arn = f"arn:aws:rds:{HOME}:222222222222:db:orders"
    complete = {"StorageEncrypted": True, "AutoMinorVersionUpgrade": True, "PubliclyAccessible": False} | settings
    return {"rds:DescribeDBInstances": {"DBInstances": [{"DBInstanceArn": arn, **complete}]}}


def file_system(*, encrypted: bool) -> Answers:
    found = {
        "OwnerId": "222222222222",
        "CreationToken": "t",
        "FileSystemId": "fs-1",
        "CreationTime": datetime.now(UTC),
        "LifeCycleState": "available",
        "NumberOfMountTargets": 0,
        "SizeInBytes": {"Value": 0},
        "PerformanceMode": "generalPurpose",
        "Tags": [],
        "Encrypted": encrypted,
    }
    return {"elasticfilesystem:DescribeFileSystems": {"FileSystems": [found]}}


def kms_key(*, rotates: bool, **metadata: Any) -> Answers:
    arn = f"arn:aws:kms:{HOME}:222222222222:key/k1"
    usual = {"KeyManager": "CUSTOMER", "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS"}
    return {
        "kms:ListKeys": {"Keys": [{"KeyId": "k1"}]},
        "kms:DescribeKey": {"KeyMetadata": {"KeyId": "k1", "Arn": arn, **usual, **metadata}},
        "kms:GetKeyRotationStatus": {"KeyRotationEnabled": rotates},
    }


CASES = {
    "cis-aws-3.0.0-1.4": Case((summary(AccountAccessKeysPresent=0),), (summary(AccountAccessKeysPresent=1),)),
    "cis-aws-3.0.0-1.5": Case((summary(AccountMFAEnabled=1),), (summary(AccountMFAEnabled=0),)),
    "cis-aws-3.0.0-1.8": Case(
        (password_policy(MinimumPasswordLength=14),), (password_policy(MinimumPasswordLength=13), NO_PASSWORD_POLICY)
    ),
    "cis-aws-3.0.0-1.9": Case(
        (password_policy(PasswordReusePrevention=24),),
        (password_policy(PasswordReusePrevention=23), password_policy(), NO_PASSWORD_POLICY),
    ),
    "cis-aws-3.0.0-1.10": Case(
        (report(**password(used=1, changed=1)),), (report(**password(used=1, changed=1, mfa=False)),)
    ),
    "cis-aws-3.0.0-1.12": Case(
        (
            report(),
            report(**password(used=44, changed=400), **key(1, age=400, used=44)),
            report(**password(used=None, changed=44), **key(2, age=44, used=None)),
        ),
        (
            report(**password(used=46, changed=1)),
            report(**password(used=None, changed=46)),
            report(**key(1, age=400, used=46)),
            report(**key(2, age=46, used=None)),
        ),
    ),
    "cis-aws-3.0.0-1.13": Case(
        (report(**key(2, age=1, used=1)),), (report(**key(1, age=1, used=1), **key(2, age=1, used=1)),)
    ),
    "cis-aws-3.0.0-1.14": Case((report(**key(1, age=89, used=1)),), (report(**key(2, age=91, used=1)),)),
    "fsbp-s3.1": Case(
        (account_block(**BLOCKED),),
        (
            account_block(**BLOCKED | {"RestrictPublicBuckets": False}),
            {"s3:GetAccountPublicAccessBlock": NO_BLOCK},
        ),
    ),
    "cis-aws-3.0.0-2.1.1": Case(
        (
            bucket_policy(),
            bucket_policy(Principal={"AWS": "*"}, Action=["s3:*"], Condition={"Bool": {"aws:SecureTransport": False}}),
        ),
        (
            BUCKET | {"s3:GetBucketPolicy": "NoSuchBucketPolicy"},
            bucket_policy(Effect="Allow"),
            bucket_policy(Action="s3:PutObject"),
            bucket_policy(Principal={"AWS": "arn:aws:iam::222222222222:user/ann"}),
            bucket_policy(Condition={"Bool": {"aws:SecureTransport": "true"}}),
            bucket_policy(Condition={}),
        ),
    ),
    "cis-aws-3.0.0-2.1.4": Case(
        (
            bucket_block(**BLOCKED),
            UNBLOCKED_BUCKET | account_block(**BLOCKED),
            bucket_block(BlockPublicAcls=True, IgnorePublicAcls=True)
            | account_block(BlockPublicPolicy=True, RestrictPublicBuckets=True),
        ),
        (
            UNBLOCKED_BUCKET | {"s3:GetAccountPublicAccessBlock": NO_BLOCK},
            bucket_block(BlockPublicAcls=True) | account_block(BlockPublicPolicy=True),
        ),
    ),
    "cis-aws-3.0.0-3.1": Case(
        (trail(), trail(selectors=by_fields())),
        (
            {"cloudtrail:DescribeTrails": {"trailList": []}},
            trail(logging=False),
            trail(IsMultiRegionTrail=False),
            trail(selectors={"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}),
            trail(selectors={"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}]}),
            trail(selectors=by_fields({"Field": "readOnly", "Equals": ["false"]})),
        ),
    ),
    "cis-aws-3.0.0-3.2": Case(
        (trail(LogFileValidationEnabled=True),), (trail(LogFileValidationEnabled=False), trail())
    ),
    "cis-aws-3.0.0-3.5": Case((trail(KmsKeyId="k1"),), (trail(),)),
    "cis-aws-3.0.0-1.20": Case(
        (analyzer(), analyzer(kind="ORGANIZATION")),
        (
            {"access-analyzer:ListAnalyzers": {"analyzers": []}},
            analyzer(kind="ACCOUNT_UNUSED_ACCESS"),
            analyzer(status="DISABLED"),
        ),
    ),
    "cis-aws-3.0.0-3.3": Case(
        (recorder(),), (NO_RECORDER, recorder(recording=False), recorder(last="Failure"), recorder(everything=False))
    ),
    "cis-aws-3.0.0-4.16": Case(
        ({"securityhub:DescribeHub": {"HubArn": "arn:aws:securityhub:eu-west-1:222222222222:hub/default"}},),
        ({"securityhub:DescribeHub": "InvalidAccessException"},),
    ),
    "fsbp-guardduty.1": Case(
        (detector("ENABLED"),), (detector("DISABLED"), {"guardduty:ListDetectors": {"DetectorIds": []}})
    ),
    "cis-aws-3.0.0-2.2.1": Case(
        ({"ec2:GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": True}},),
        ({"ec2:GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": False}},),
    ),
    "cis-aws-3.0.0-3.7": Case(
        (vpc(TrafficType="ALL"), vpc(TrafficType="REJECT")),
        (vpc(), vpc(TrafficType="ACCEPT"), vpc(FlowLogStatus="FAILED"), vpc(ResourceId="vpc-2")),
    ),
    "cis-aws-3.0.0-5.6": Case(
        (instance(HttpTokens="required"), instance(HttpTokens="optional", HttpEndpoint="disabled")),
        (instance(HttpTokens="optional", HttpEndpoint="enabled"),),
    ),
    "cis-aws-3.0.0-5.2": Case(
        (
            group(ipv4("tcp", 443, 443)),
            group(ipv4("tcp", 22, 22, cidr="10.0.0.0/8")),
            group(ipv4("icmp", -1, -1)),
            group(ipv6("tcp", 22, 22)),
        ),
        (
            group(ipv4("tcp", 22, 22)),
            group(ipv4("tcp", 3389, 3389)),
            group(ipv4("tcp", 20, 30)),
            group(ipv4("udp", 0, 65535)),
            group(ipv4("-1")),
            group(ipv4("6")),
            group(ipv4("tcp", 443, 443), ipv4("17", 3000, 4000)),
        ),
    ),
    "cis-aws-3.0.0-5.3": Case(
        (group(ipv6("tcp", 443, 443)), group(ipv6("tcp", 22, 22, cidr="2001:db8::/32")), group(ipv4("tcp", 22, 22))),
        (group(ipv6("tcp", 22, 22)), group(ipv6("-1")), group(ipv6("tcp", 3000, 4000))),
    ),
    "cis-aws-3.0.0-5.4": Case(
        (group(),),
        (
            group(egress=(ipv4("-1"),)),
            group({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}),
        ),
    ),
    "cis-aws-3.0.0-2.3.1": Case((database(),), (database(StorageEncrypted=False),)),
    "cis-aws-3.0.0-2.3.2": Case((database(),), (database(AutoMinorVersionUpgrade=False),)),
    "cis-aws-3.0.0-2.3.3": Case((database(),), (database(PubliclyAccessible=True),)),
    "cis-aws-3.0.0-2.4.1": Case((file_system(encrypted=True),), (file_system(encrypted=False),)),
    "cis-aws-3.0.0-3.6": Case((kms_key(rotates=True),), (kms_key(rotates=False),)),
}
