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


NO_ACCOUNT_BLOCK: Answers = {"s3:GetAccountPublicAccessBlock": NO_BLOCK}


def bucket_access(*grantees: str, policy: bool | None = None) -> Answers:
    """A bucket with these grantees in its ACL; `policy` tells whether AWS calls its policy public."""
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": "owner"}, "Permission": "FULL_CONTROL"}]
    for name in grantees:
        uri = f"http://acs.amazonaws.com/groups/global/{name}"
        grants.append({"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"})
    status = "NoSuchBucketPolicy" if policy is None else {"PolicyStatus": {"IsPublic": policy}}
    return BUCKET | {"s3:GetBucketAcl": {"Grants": grants}, "s3:GetBucketPolicyStatus": status}


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


def virtual_mfa(*owners: str, name: str = "telephone") -> Answers:
    devices = [
        {"SerialNumber": f"arn:aws:iam::222222222222:mfa/{name}", "User": user(arn, "o")}
        if arn
        else {"SerialNumber": name}
        for arn in owners
    ]
    return {"iam:ListVirtualMFADevices": {"VirtualMFADevices": devices}}


def user(arn: str, name: str) -> dict[str, Any]:
    return {"Path": "/", "UserName": name, "UserId": "AIDA12345678901234", "Arn": arn, "CreateDate": datetime.now(UTC)}


ROOT = "arn:aws:iam::222222222222:root"
ANN = "arn:aws:iam::222222222222:user/ann"
WITH_MFA = summary(AccountMFAEnabled=1)


def support(*roles: str) -> Answers:
    return {"iam:ListEntitiesForPolicy": {"PolicyRoles": [{"RoleName": role} for role in roles]}}


def certificate(*, days: float) -> Answers:
    found = {
        "Path": "/",
        "ServerCertificateName": "shop",
        "ServerCertificateId": "ASCA1234567890123456",
        "Arn": "arn:aws:iam::222222222222:server-certificate/shop",
        "Expiration": datetime.now(UTC) + timedelta(days=days),
    }
    return {"iam:ListServerCertificates": {"ServerCertificateMetadataList": [found]}}


def allowing(action: Any = "*", resource: Any = "*", effect: str = "Allow", **more: Any) -> Any:
    """A policy's document, as AWS describes it and botocore hands it out."""
    return json.dumps({"Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]})


OURS, ADMINISTRATOR = "arn:aws:iam::222222222222:policy/own", "arn:aws:iam::aws:policy/AdministratorAccess"


def managed(document: Any, *, arn: str = OURS) -> dict[str, Any]:
    old = {"VersionId": "v1", "IsDefaultVersion": False, "Document": allowing()}
    return {
        "Arn": arn,
        "PolicyName": "own",
        "PolicyVersionList": [old, {**old, "IsDefaultVersion": True, "Document": document}],
    }


def principals(*details: dict[str, Any], kind: str = "User", policies: tuple[dict[str, Any], ...] = ()) -> Answers:
    return {"iam:GetAccountAuthorizationDetails": {f"{kind}DetailList": list(details), "Policies": list(policies)}}


def principal(name: str = "ann", *, kind: str = "User", inline: Any = None, attached: str = "", path: str = "/") -> Any:
    given = {f"{kind}PolicyList": [{"PolicyName": "inline", "PolicyDocument": inline}]} if inline else {}
    policies = [{"PolicyName": attached.rpartition("/")[2], "PolicyArn": attached}] if attached else []
    arn = f"arn:aws:iam::222222222222:{kind.lower()}{path}{name}"
    return {"Path": path, f"{kind}Name": name, "Arn": arn, "AttachedManagedPolicies": policies, **given}


def volume(*, encrypted: bool) -> Answers:
    return {"ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": encrypted}]}}


def snapshot(*, encrypted: bool = True, public: bool = False) -> Answers:
    def listed(**arguments: Any) -> Any:
        assert arguments["OwnerIds"] == ("self",)
        return {"Snapshots": [found] if public or "RestorableByUserIds" not in arguments else []}

    found = {"SnapshotId": "snap-1", "Encrypted": encrypted}
    return {"ec2:DescribeSnapshots": listed}


def database_snapshot(*restorers: str, encrypted: bool = False, kind: str = "manual", cluster: bool = False) -> Answers:
    """One snapshot, of a database or of a cluster, and none of the other kind."""
    name, flag = ("DBClusterSnapshot", "StorageEncrypted") if cluster else ("DBSnapshot", "Encrypted")
    found = {
        f"{name}Identifier": "monday",
        f"{name}Arn": f"arn:aws:rds:{HOME}:222222222222:snapshot:monday",
        flag: encrypted,
        "SnapshotType": kind,
    }
    attributes = [{"AttributeName": "restore", "AttributeValues": list(restorers)}]
    none: Answers = {
        "rds:DescribeDBSnapshots": {"DBSnapshots": []},
        "rds:DescribeDBClusterSnapshots": {"DBClusterSnapshots": []},
    }
    return none | {
        f"rds:Describe{name}s": {f"{name}s": [found]},
        f"rds:Describe{name}Attributes": {f"{name}AttributesResult": {f"{name}Attributes": attributes}},
    }


def function(runtime: str) -> Answers:
    arn = f"arn:aws:lambda:{HOME}:222222222222:function:orders"
    found = {"FunctionArn": arn, "Runtime": runtime, "Environment": {"Variables": {"PASSWORD": "kanarienvogel"}}}
    return {"lambda:ListFunctions": {"Functions": [found]}}


def network_acl(*entries: dict[str, Any]) -> Answers:
    last = {"RuleNumber": 32767, "Protocol": "-1", "RuleAction": "deny", "Egress": False, "CidrBlock": "0.0.0.0/0"}
    out = {**last, "RuleNumber": 1, "RuleAction": "allow", "Egress": True}
    return {"ec2:DescribeNetworkAcls": {"NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [out, *entries, last]}]}}


def entry(
    number: int = 100, protocol: str = "6", ports: tuple[int, int] | None = None, *, action: str = "allow", **cidr: str
) -> dict[str, Any]:
    given = {"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}
    world = cidr or {"CidrBlock": "0.0.0.0/0"}
    return {"RuleNumber": number, "Protocol": protocol, "RuleAction": action, "Egress": False, **world, **given}


CASES = {
    "cis-aws-3.0.0-1.4": Case((summary(AccountAccessKeysPresent=0),), (summary(AccountAccessKeysPresent=1),)),
    "cis-aws-3.0.0-1.5": Case((summary(AccountMFAEnabled=1),), (summary(AccountMFAEnabled=0),)),
    "cis-aws-3.0.0-1.6": Case(
        (WITH_MFA | virtual_mfa(), WITH_MFA | virtual_mfa(ANN), WITH_MFA | virtual_mfa("")),
        (
            summary(AccountMFAEnabled=0),
            WITH_MFA | virtual_mfa(ANN, ROOT),
            WITH_MFA | virtual_mfa("", name="arn:aws:iam::222222222222:mfa/root-account-mfa-device"),
        ),
    ),
    "cis-aws-3.0.0-1.16": Case(
        (
            principals(principal(inline=allowing("s3:*"))),
            principals(principal(inline=allowing("*", "arn:aws:s3:::photos"))),
            principals(principal(inline=allowing(effect="Deny"))),
            principals(principal(attached=OURS), policies=(managed(allowing(["s3:*", "ec2:*"])),)),
            principals(principal(attached="arn:aws:iam::aws:policy/ReadOnlyAccess")),
            principals(principal("deployer", kind="Role"), kind="Role", policies=(managed(allowing()),)),
        ),
        (
            principals(principal(inline=allowing())),
            principals(principal(inline=allowing(["s3:*", "*:*"], ["*"]))),
            principals(principal(inline=allowing(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))),
            principals(principal(inline=json.dumps({"Statement": json.loads(allowing())["Statement"][0]}))),
            principals(principal("admins", kind="Group", inline=allowing()), kind="Group"),
            principals(principal("deployer", kind="Role", attached=ADMINISTRATOR), kind="Role"),
            principals(principal("deployer", kind="Role", attached=OURS), kind="Role", policies=(managed(allowing()),)),
        ),
    ),
    "cis-aws-3.0.0-1.17": Case((support("incidents"),), (support(), {"iam:ListEntitiesForPolicy": "NoSuchEntity"})),
    "cis-aws-3.0.0-1.19": Case((certificate(days=1),), (certificate(days=-1),)),
    "fsbp-s3.2": Case(
        (
            bucket_access(),
            bucket_access(policy=False),
            bucket_access("AllUsers", policy=True) | bucket_block(**BLOCKED),
            bucket_access("AllUsers") | UNBLOCKED_BUCKET | account_block(IgnorePublicAcls=True),
            bucket_access(policy=True) | bucket_block(RestrictPublicBuckets=True),
        ),
        (
            bucket_access("AllUsers") | UNBLOCKED_BUCKET | NO_ACCOUNT_BLOCK,
            bucket_access("AuthenticatedUsers") | bucket_block(BlockPublicAcls=True) | NO_ACCOUNT_BLOCK,
            bucket_access(policy=True) | bucket_block(BlockPublicPolicy=True) | account_block(IgnorePublicAcls=True),
        ),
    ),
    "fsbp-ec2.3": Case((volume(encrypted=True),), (volume(encrypted=False),)),
    "nist-800-53-r5-sc-28": Case((snapshot(),), (snapshot(encrypted=False),)),
    "fsbp-ec2.1": Case((snapshot(),), (snapshot(public=True),)),
    "fsbp-rds.4": Case(
        (database_snapshot(encrypted=True), database_snapshot(encrypted=True, cluster=True)),
        (database_snapshot(), database_snapshot(cluster=True)),
    ),
    "fsbp-rds.1": Case(
        (
            database_snapshot(),
            database_snapshot("333333333333", cluster=True),
            database_snapshot(encrypted=True),
            database_snapshot(kind="automated"),
        ),
        (database_snapshot("all"), database_snapshot("333333333333", "all", cluster=True)),
    ),
    "fsbp-lambda.2": Case(
        (function("nodejs24.x"), function("java17")), (function("python2.7"), function("nodejs18.x"))
    ),
    "cis-aws-3.0.0-5.1": Case(
        (
            network_acl(),
            network_acl(entry(ports=(443, 443))),
            network_acl(entry(ports=(22, 22), CidrBlock="10.0.0.0/8")),
            network_acl(entry(100, "-1"), entry(50, "-1", action="deny")),
            network_acl(entry(1, "1")),
        ),
        (
            network_acl(entry(ports=(22, 22))),
            network_acl(entry(ports=(3000, 4000))),
            network_acl(entry(100, "-1")),
            network_acl(entry(100, "17")),
            network_acl(entry(100, "-1", Ipv6CidrBlock="::/0")),
            network_acl(entry(100, "-1"), entry(200, "-1", action="deny")),
            network_acl(entry(100, "-1"), entry(50, "6", (22, 22), action="deny")),
        ),
    ),
    "fsbp-ec2.19": Case(
        (group(ipv4("tcp", 443, 443)), group(ipv4("tcp", 5432, 5432, cidr="10.0.0.0/8"))),
        (
            group(ipv4("tcp", 5432, 5432)),
            group(ipv6("tcp", 3306, 3306)),
            group(ipv4("-1")),
            group(ipv4("tcp", 27000, 28000)),
        ),
    ),
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
