"""The AWS permissions that scanning uses: published, granted by our CloudFormation template, and checked one by one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.onboarding.catalogue import Permission

SIMULATE = "iam:SimulatePrincipalPolicy"

REQUIRED = {
    "iam:GetAccountSummary": "Finds access keys of the root user and a root user without MFA.",
    "iam:GetAccountPasswordPolicy": "Checks the length and the reuse of passwords.",
    "s3:ListAllMyBuckets": "Lists the buckets whose settings are checked.",
    "cloudtrail:DescribeTrails": "Finds an account whose activity is not recorded.",
    "ec2:DescribeRegions": "Lists the regions to scan.",
    "ec2:DescribeSecurityGroups": "Finds administration and database ports that are open to the internet.",
}

OPTIONAL = {
    SIMULATE: "Lets us tell in advance which checks cannot run.",
    "iam:GenerateCredentialReport": "Starts AWS's own report about passwords and keys.",
    "iam:GetCredentialReport": "Finds old keys and users without MFA.",
    "iam:GetAccountAuthorizationDetails": "Finds users, groups and roles that may do everything.",
    "iam:ListEntitiesForPolicy": "Finds out whether a role has AWS's support policy.",
    "iam:ListVirtualMFADevices": "Tells a hardware MFA of the root user from a virtual one.",
    "iam:ListServerCertificates": "Finds expired certificates.",
    "access-analyzer:ListAnalyzers": "Finds regions without IAM Access Analyzer.",
    "cloudtrail:GetTrailStatus": "Finds trails that are switched off.",
    "cloudtrail:GetEventSelectors": "Finds trails that leave events out.",
    "s3:GetAccountPublicAccessBlock": "Checks the account's protection against public buckets.",
    "s3:GetBucketPublicAccessBlock": "Checks each bucket's protection against public access.",
    "s3:GetBucketPolicyStatus": "Finds buckets that their policy makes public.",
    "s3:GetBucketAcl": "Finds buckets that their ACL makes public.",
    "s3:GetBucketPolicy": "Finds buckets that accept unencrypted connections.",
    "ec2:DescribeInstances": "Finds instances that allow the old metadata service.",
    "ec2:DescribeVolumes": "Finds unencrypted volumes.",
    "ec2:DescribeSnapshots": "Finds snapshots of volumes that are public or unencrypted.",
    "ec2:GetEbsEncryptionByDefault": "Finds regions that make unencrypted volumes.",
    "ec2:DescribeVpcs": "Lists the networks that are checked.",
    "ec2:DescribeFlowLogs": "Finds networks whose traffic is not recorded.",
    "ec2:DescribeNetworkAcls": "Finds networks whose administration ports are open to the internet.",
    "rds:DescribeDBInstances": "Finds databases that are public, unencrypted or not updated.",
    "rds:DescribeDBSnapshots": "Finds unencrypted snapshots of databases.",
    "rds:DescribeDBSnapshotAttributes": "Finds public snapshots of databases.",
    "rds:DescribeDBClusterSnapshots": "Finds unencrypted snapshots of database clusters.",
    "rds:DescribeDBClusterSnapshotAttributes": "Finds public snapshots of database clusters.",
    "elasticfilesystem:DescribeFileSystems": "Finds unencrypted file systems.",
    "kms:ListKeys": "Lists the keys that are checked.",
    "kms:DescribeKey": "Tells customer keys from AWS's own.",
    "kms:GetKeyRotationStatus": "Finds keys that are never rotated.",
    "config:DescribeConfigurationRecorders": "Finds regions where AWS Config does not record.",
    "config:DescribeConfigurationRecorderStatus": "Finds AWS Config recorders that are switched off.",
    "guardduty:ListDetectors": "Finds regions without GuardDuty.",
    "guardduty:GetDetector": "Finds GuardDuty detectors that are switched off.",
    "securityhub:DescribeHub": "Finds regions without Security Hub.",
    "lambda:ListFunctions": (
        "Finds functions on runtimes that AWS no longer updates. AWS sends the functions' environment variables along, "
        "which are dropped unread; it keeps back those that are encrypted with a KMS key of your own."
    ),
}

DROPPED = frozenset({"lambda:ListFunctions"})
"""Permissions whose answers hold more than settings. The built-in engine drops that before anything sees it; an engine
elsewhere could not be held to it, so its session goes without them."""

READS_DATA = (
    "amplify:GetApp",
    "apigateway:GET",
    "appconfig:GetConfiguration",
    "appconfig:GetLatestConfiguration",
    "apprunner:DescribeService",
    "appsync:ListApiKeys",
    "athena:GetQueryResults*",
    "autoscaling:DescribeLaunchConfigurations",
    "batch:DescribeJobDefinitions",
    "cloudformation:GetTemplate",
    "codebuild:BatchGetProjects",
    "codecommit:GetBlob",
    "codecommit:GetFile",
    "cognito-idp:AdminGetUser",
    "cognito-idp:DescribeUserPoolClient",
    "cognito-idp:ListUsers",
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ebs:GetSnapshotBlock",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetConsoleOutput",
    "ec2:GetConsoleScreenshot",
    "ec2:GetLaunchTemplateData",
    "ec2:GetPasswordData",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecs:DescribeTaskDefinition",
    "elasticbeanstalk:DescribeConfigurationSettings",
    "glue:GetConnection*",
    "glue:GetJob*",
    "iot:GetTopicRule",
    "kinesis:GetRecords",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:GetLayerVersion",
    "lambda:InvokeFunction",
    "lambda:ListVersionsByFunction",
    "lightsail:GetInstanceAccessDetails",
    "lightsail:GetRelationalDatabaseMasterUserPassword",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetQueryResults",
    "logs:StartQuery",
    "rds:DownloadCompleteDBLogFile",
    "rds:DownloadDBLogFilePortion",
    "redshift-data:GetStatementResult*",
    "redshift:GetClusterCredentials*",
    "s3-object-lambda:GetObject",
    "s3:GetObject",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "sagemaker:DescribeTrainingJob",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetDocument",
    "ssm:GetParameter*",
    "states:DescribeExecution",
    "states:GetExecutionHistory",
)
"""Actions that read what a customer keeps, or secrets among settings: our template denies them, so that the role reads
none even when somebody makes it an administrator, and no engine can be given them."""

MAX_POLICY_CHARACTERS = 2_048
"""Of a session's policy."""

PERMISSIONS = (
    *(Permission(name, required=True, purpose=purpose) for name, purpose in REQUIRED.items()),
    *(Permission(name, required=False, purpose=purpose) for name, purpose in OPTIONAL.items()),
)


@dataclass(frozen=True)
class Probe:
    """A cheap call that needs one permission. `granted_by` are errors that come after the permission check."""

    service: str
    operation: str
    arguments: Mapping[str, int] = field(default_factory=dict)
    granted_by: frozenset[str] = frozenset()

    @property
    def regional(self) -> bool:
        """Whether it is of a service that each region has one of, and that a region's policy closes."""
        return self.service not in ("iam", "s3")


PROBES = {
    "iam:GetAccountSummary": Probe("iam", "get_account_summary"),
    "iam:GetAccountPasswordPolicy": Probe("iam", "get_account_password_policy", granted_by=frozenset({"NoSuchEntity"})),
    "s3:ListAllMyBuckets": Probe("s3", "list_buckets", {"MaxBuckets": 1}),
    "cloudtrail:DescribeTrails": Probe("cloudtrail", "describe_trails"),
    "ec2:DescribeRegions": Probe("ec2", "describe_regions"),
    "ec2:DescribeSecurityGroups": Probe("ec2", "describe_security_groups", {"MaxResults": 5}),
}


def session_policy(engine_permissions: Sequence[str] = ()) -> str:
    """The policy of a session for an engine elsewhere: what we publish, but for what reads more than settings, and what
    the operator says that the engine needs."""
    published = [permission.name for permission in PERMISSIONS if permission.name not in DROPPED]
    actions = list(dict.fromkeys([*published, *engine_permissions]))
    # Within the 2,048 characters that AWS allows, and so without blanks.
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]},
        separators=(",", ":"),
    )


CHANGING = (
    *("iam:CreateUser", "iam:CreateAccessKey", "iam:AttachRolePolicy", "sts:AssumeRole", "s3:DeleteBucket"),
    *("ec2:TerminateInstances", "lambda:UpdateFunctionCode"),
)
"""Asked of the simulation beside the permissions: whoever may do one of these everywhere may do far more than look.
With the permissions they are as many as one call asks for."""

# The session of a validation can do what validation does, whatever the role itself may do.
SESSION_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [SIMULATE, *PROBES], "Resource": "*"}],
    }
)
