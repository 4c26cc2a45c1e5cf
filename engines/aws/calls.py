"""The AWS calls that the baseline makes, by the permission that each needs: all that its sessions may do.

Every one of them reads settings. They are published by `providers.aws.permissions` and granted by our template.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    service: str
    """As boto3 names it."""
    operation: str
    items: str = ""
    """The list inside the answer, for a call that lists."""
    more_items: tuple[str, ...] = ()
    """Further lists in the same answer."""
    keeps: frozenset[str] = frozenset()
    """The fields of an item that are kept; empty for all. The others are dropped before anything sees them."""
    absent: frozenset[str] = frozenset()
    """Error codes that say: there is no such setting. They come after the permission check."""
    gone: frozenset[str] = frozenset()
    """Error codes that say: there is no such resource. It was deleted after it was listed."""

    def items_in(self, page: Mapping[str, Any]) -> list[Any]:
        found = [item for name in (self.items, *self.more_items) for item in page.get(name) or []]
        return [{name: item[name] for name in self.keeps if name in item} for item in found] if self.keeps else found


NO_BUCKET = frozenset({"NoSuchBucket"})
NO_KEY = frozenset({"NotFoundException"})
NO_TRAIL = frozenset({"TrailNotFoundException"})
NO_SUCH_ENTITY = frozenset({"NoSuchEntity", "NoSuchEntityException"})
NO_BUCKET_POLICY = frozenset({"NoSuchBucketPolicy"})
NO_PUBLIC_ACCESS_BLOCK = frozenset({"NoSuchPublicAccessBlockConfiguration"})

CALLS = {
    "access-analyzer:ListAnalyzers": Call("accessanalyzer", "list_analyzers", "analyzers"),
    "cloudtrail:DescribeTrails": Call("cloudtrail", "describe_trails", "trailList"),
    "cloudtrail:GetEventSelectors": Call("cloudtrail", "get_event_selectors", gone=NO_TRAIL),
    "cloudtrail:GetTrailStatus": Call("cloudtrail", "get_trail_status", gone=NO_TRAIL),
    "config:DescribeConfigurationRecorderStatus": Call(
        "config", "describe_configuration_recorder_status", "ConfigurationRecordersStatus"
    ),
    "config:DescribeConfigurationRecorders": Call(
        "config", "describe_configuration_recorders", "ConfigurationRecorders"
    ),
    "ec2:DescribeFlowLogs": Call("ec2", "describe_flow_logs", "FlowLogs"),
    "ec2:DescribeInstances": Call("ec2", "describe_instances", "Reservations"),
    "ec2:DescribeNetworkAcls": Call("ec2", "describe_network_acls", "NetworkAcls"),
    "ec2:DescribeRegions": Call("ec2", "describe_regions", "Regions"),
    "ec2:DescribeSecurityGroups": Call("ec2", "describe_security_groups", "SecurityGroups"),
    "ec2:DescribeSnapshots": Call("ec2", "describe_snapshots", "Snapshots"),
    "ec2:DescribeVolumes": Call("ec2", "describe_volumes", "Volumes"),
    "ec2:DescribeVpcs": Call("ec2", "describe_vpcs", "Vpcs"),
    "ec2:GetEbsEncryptionByDefault": Call("ec2", "get_ebs_encryption_by_default"),
    "elasticfilesystem:DescribeFileSystems": Call("efs", "describe_file_systems", "FileSystems"),
    "guardduty:GetDetector": Call("guardduty", "get_detector"),
    "guardduty:ListDetectors": Call("guardduty", "list_detectors", "DetectorIds"),
    "iam:GenerateCredentialReport": Call("iam", "generate_credential_report"),
    "iam:GetAccountAuthorizationDetails": Call(
        "iam",
        "get_account_authorization_details",
        "UserDetailList",
        more_items=("GroupDetailList", "RoleDetailList", "Policies"),
    ),
    "iam:GetAccountPasswordPolicy": Call("iam", "get_account_password_policy", absent=NO_SUCH_ENTITY),
    "iam:GetAccountSummary": Call("iam", "get_account_summary"),
    "iam:GetCredentialReport": Call("iam", "get_credential_report"),
    "iam:ListEntitiesForPolicy": Call("iam", "list_entities_for_policy", "PolicyRoles", absent=NO_SUCH_ENTITY),
    "iam:ListServerCertificates": Call("iam", "list_server_certificates", "ServerCertificateMetadataList"),
    "iam:ListVirtualMFADevices": Call("iam", "list_virtual_mfa_devices", "VirtualMFADevices"),
    "kms:DescribeKey": Call("kms", "describe_key", gone=NO_KEY),
    "kms:GetKeyRotationStatus": Call("kms", "get_key_rotation_status", gone=NO_KEY),
    "kms:ListKeys": Call("kms", "list_keys", "Keys"),
    # AWS sends the functions' environment variables along.
    "lambda:ListFunctions": Call(
        "lambda", "list_functions", "Functions", keeps=frozenset({"FunctionArn", "PackageType", "Runtime"})
    ),
    "rds:DescribeDBClusterSnapshotAttributes": Call(
        "rds", "describe_db_cluster_snapshot_attributes", gone=frozenset({"DBClusterSnapshotNotFoundFault"})
    ),
    "rds:DescribeDBClusterSnapshots": Call("rds", "describe_db_cluster_snapshots", "DBClusterSnapshots"),
    "rds:DescribeDBInstances": Call("rds", "describe_db_instances", "DBInstances"),
    "rds:DescribeDBSnapshotAttributes": Call(
        "rds", "describe_db_snapshot_attributes", gone=frozenset({"DBSnapshotNotFound"})
    ),
    "rds:DescribeDBSnapshots": Call("rds", "describe_db_snapshots", "DBSnapshots"),
    "s3:GetAccountPublicAccessBlock": Call("s3control", "get_public_access_block", absent=NO_PUBLIC_ACCESS_BLOCK),
    "s3:GetBucketAcl": Call("s3", "get_bucket_acl", gone=NO_BUCKET),
    "s3:GetBucketPolicy": Call("s3", "get_bucket_policy", absent=NO_BUCKET_POLICY, gone=NO_BUCKET),
    "s3:GetBucketPolicyStatus": Call("s3", "get_bucket_policy_status", absent=NO_BUCKET_POLICY, gone=NO_BUCKET),
    "s3:GetBucketPublicAccessBlock": Call(
        "s3", "get_public_access_block", absent=NO_PUBLIC_ACCESS_BLOCK, gone=NO_BUCKET
    ),
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
