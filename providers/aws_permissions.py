"""The AWS permissions that scanning uses: published, granted by our CloudFormation template, and checked one by one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.catalogue import Permission

SIMULATE = "iam:SimulatePrincipalPolicy"

REQUIRED = {
    "iam:GetAccountSummary": "Finds access keys of the root user and a root user without MFA.",
    "iam:GetAccountPasswordPolicy": "Checks the length and the reuse of passwords.",
    "iam:ListUsers": "Lists the users whose keys and passwords are checked.",
    "s3:ListAllMyBuckets": "Lists the buckets whose settings are checked.",
    "cloudtrail:DescribeTrails": "Finds an account whose activity is not recorded.",
    "ec2:DescribeRegions": "Lists the regions to scan.",
    "ec2:DescribeSecurityGroups": "Finds ports that are open to the internet.",
}

OPTIONAL = {
    SIMULATE: "Lets us tell in advance which checks cannot run.",
    "iam:GenerateCredentialReport": "Starts AWS's own report about passwords and keys.",
    "iam:GetCredentialReport": "Finds old keys and users without MFA.",
    "iam:ListAttachedUserPolicies": "Finds permissions given to users instead of groups.",
    "iam:ListUserPolicies": "Finds inline permissions of users.",
    "iam:ListPolicies": "Lists the policies that are checked for full administration.",
    "iam:GetPolicyVersion": "Finds policies that allow everything.",
    "iam:ListEntitiesForPolicy": "Finds out whether someone has AWS's support role.",
    "iam:ListVirtualMFADevices": "Tells a hardware MFA of the root user from a virtual one.",
    "iam:ListServerCertificates": "Finds expired certificates.",
    "access-analyzer:ListAnalyzers": "Finds regions without IAM Access Analyzer.",
    "account:GetContactInformation": "Checks that AWS can reach the account's owner.",
    "account:GetAlternateContact": "Checks that AWS can reach a security contact.",
    "account:ListRegions": "Tells which regions are switched on.",
    "cloudtrail:GetTrailStatus": "Finds trails that are switched off.",
    "cloudtrail:GetEventSelectors": "Finds trails that leave events out.",
    "s3:GetAccountPublicAccessBlock": "Checks the account's protection against public buckets.",
    "s3:GetBucketPublicAccessBlock": "Checks each bucket's protection against public access.",
    "s3:GetBucketPolicyStatus": "Finds public buckets.",
    "s3:GetBucketPolicy": "Finds buckets that accept unencrypted connections.",
    "s3:GetEncryptionConfiguration": "Finds buckets without encryption.",
    "s3:GetBucketVersioning": "Finds buckets whose objects can be deleted without MFA.",
    "s3:GetBucketLogging": "Finds trail buckets without access logs.",
    "ec2:DescribeInstances": "Finds instances that allow the old metadata service.",
    "ec2:DescribeVolumes": "Finds unencrypted volumes.",
    "ec2:GetEbsEncryptionByDefault": "Finds regions that make unencrypted volumes.",
    "ec2:DescribeVpcs": "Lists the networks that are checked.",
    "ec2:DescribeFlowLogs": "Finds networks whose traffic is not recorded.",
    "ec2:DescribeNetworkAcls": "Finds networks that are open to the internet.",
    "rds:DescribeDBInstances": "Finds databases that are public, unencrypted or not updated.",
    "elasticfilesystem:DescribeFileSystems": "Finds unencrypted file systems.",
    "kms:ListKeys": "Lists the keys that are checked.",
    "kms:DescribeKey": "Tells customer keys from AWS's own.",
    "kms:GetKeyRotationStatus": "Finds keys that are never rotated.",
    "config:DescribeConfigurationRecorders": "Finds regions where AWS Config does not record.",
    "config:DescribeConfigurationRecorderStatus": "Finds AWS Config recorders that are switched off.",
    "guardduty:ListDetectors": "Finds regions without GuardDuty.",
    "guardduty:GetDetector": "Finds GuardDuty detectors that are switched off.",
    "securityhub:DescribeHub": "Finds regions without Security Hub.",
    "macie2:GetMacieSession": "Finds regions without Macie.",
    "lambda:ListFunctions": "Finds functions on runtimes that AWS no longer updates.",
    "logs:DescribeLogGroups": "Finds logs that are kept for too short a time.",
    "logs:DescribeMetricFilters": "Finds security events that nobody counts.",
    "cloudwatch:DescribeAlarms": "Finds security events that raise no alarm.",
    "sns:ListSubscriptionsByTopic": "Finds alarms that nobody receives.",
}

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


PROBES = {
    "iam:GetAccountSummary": Probe("iam", "get_account_summary"),
    "iam:GetAccountPasswordPolicy": Probe("iam", "get_account_password_policy", granted_by=frozenset({"NoSuchEntity"})),
    "iam:ListUsers": Probe("iam", "list_users", {"MaxItems": 1}),
    "s3:ListAllMyBuckets": Probe("s3", "list_buckets", {"MaxBuckets": 1}),
    "cloudtrail:DescribeTrails": Probe("cloudtrail", "describe_trails"),
    "ec2:DescribeRegions": Probe("ec2", "describe_regions"),
    "ec2:DescribeSecurityGroups": Probe("ec2", "describe_security_groups", {"MaxResults": 5}),
}

# The session of a validation can do what validation does, whatever the role itself may do.
SESSION_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [SIMULATE, *PROBES], "Resource": "*"}],
    }
)
