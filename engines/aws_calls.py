"""The AWS calls that the baseline makes, by the permission that each needs: all that its sessions may do.

Every one of them reads settings. They are published by `providers.aws_permissions` and granted by our template.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    service: str
    """As boto3 names it."""
    operation: str
    items: str = ""
    """The list inside the answer, for a call that lists."""
    absent: frozenset[str] = frozenset()
    """Error codes that say: there is no such setting. They come after the permission check."""


NO_PUBLIC_ACCESS_BLOCK = frozenset({"NoSuchPublicAccessBlockConfiguration"})

CALLS = {
    "access-analyzer:ListAnalyzers": Call("accessanalyzer", "list_analyzers", "analyzers"),
    "cloudtrail:DescribeTrails": Call("cloudtrail", "describe_trails", "trailList"),
    "cloudtrail:GetEventSelectors": Call("cloudtrail", "get_event_selectors"),
    "cloudtrail:GetTrailStatus": Call("cloudtrail", "get_trail_status"),
    "config:DescribeConfigurationRecorderStatus": Call(
        "config", "describe_configuration_recorder_status", "ConfigurationRecordersStatus"
    ),
    "config:DescribeConfigurationRecorders": Call(
        "config", "describe_configuration_recorders", "ConfigurationRecorders"
    ),
    "ec2:DescribeFlowLogs": Call("ec2", "describe_flow_logs", "FlowLogs"),
    "ec2:DescribeInstances": Call("ec2", "describe_instances", "Reservations"),
    "ec2:DescribeRegions": Call("ec2", "describe_regions", "Regions"),
    "ec2:DescribeSecurityGroups": Call("ec2", "describe_security_groups", "SecurityGroups"),
    "ec2:DescribeVpcs": Call("ec2", "describe_vpcs", "Vpcs"),
    "ec2:GetEbsEncryptionByDefault": Call("ec2", "get_ebs_encryption_by_default"),
    "elasticfilesystem:DescribeFileSystems": Call("efs", "describe_file_systems", "FileSystems"),
    "guardduty:GetDetector": Call("guardduty", "get_detector"),
    "guardduty:ListDetectors": Call("guardduty", "list_detectors", "DetectorIds"),
    "iam:GenerateCredentialReport": Call("iam", "generate_credential_report"),
    "iam:GetAccountPasswordPolicy": Call(
        "iam", "get_account_password_policy", absent=frozenset({"NoSuchEntity", "NoSuchEntityException"})
    ),
    "iam:GetAccountSummary": Call("iam", "get_account_summary"),
    "iam:GetCredentialReport": Call("iam", "get_credential_report"),
    "kms:DescribeKey": Call("kms", "describe_key"),
    "kms:GetKeyRotationStatus": Call("kms", "get_key_rotation_status"),
    "kms:ListKeys": Call("kms", "list_keys", "Keys"),
    "rds:DescribeDBInstances": Call("rds", "describe_db_instances", "DBInstances"),
    "s3:GetAccountPublicAccessBlock": Call("s3control", "get_public_access_block", absent=NO_PUBLIC_ACCESS_BLOCK),
    "s3:GetBucketPolicy": Call("s3", "get_bucket_policy", absent=frozenset({"NoSuchBucketPolicy"})),
    "s3:GetBucketPublicAccessBlock": Call("s3", "get_public_access_block", absent=NO_PUBLIC_ACCESS_BLOCK),
    "s3:ListAllMyBuckets": Call("s3", "list_buckets", "Buckets"),
    "securityhub:DescribeHub": Call(
        "securityhub", "describe_hub", absent=frozenset({"InvalidAccessException", "ResourceNotFoundException"})
    ),
}

# Within the 2,048 characters that AWS allows, and so without blanks.
SESSION_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(CALLS), "Resource": "*"}]},
    separators=(",", ":"),
)
