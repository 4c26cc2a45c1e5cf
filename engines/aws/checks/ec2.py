"""Checks of EC2: disks and their snapshots, recorded traffic, the safer metadata service."""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader
from engines.checks import Check, Judgement, Verdict, by_resource, cis_check, fsbp, judgement, nist

OWN = {"OwnerIds": ("self",)}
OF_EVERYBODY = {"RestorableByUserIds": ("all",)}


def disk_encryption(aws: AwsReader, region: str) -> Iterator[Judgement]:
    default = aws.setting("ec2:GetEbsEncryptionByDefault", region)["EbsEncryptionByDefault"]
    good, bad = "New disks are encrypted.", "New disks are not encrypted unless somebody asks for it."
    yield judgement(aws.account.arn("ec2", region, "ebs-encryption"), default, good=good, bad=bad)


def flow_logs(aws: AwsReader, region: str) -> Iterator[Judgement]:
    recorded = {
        log.get("ResourceId")
        for log in aws.items("ec2:DescribeFlowLogs", region)
        if log.get("FlowLogStatus") == "ACTIVE" and log.get("TrafficType") in ("ALL", "REJECT")
    }
    vpcs, name = aws.items("ec2:DescribeVpcs", region), _named(aws, region, "vpc", "VpcId")
    good, bad = "Rejected traffic of the VPC is recorded.", "Rejected traffic of the VPC is not recorded."
    yield from by_resource(aws, vpcs, name, lambda vpc: vpc["VpcId"] in recorded, good=good, bad=bad)


def metadata_service(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def is_safe(instance: dict[str, Any]) -> Verdict:
        if instance["State"]["Name"] in ("shutting-down", "terminated"):
            return None
        options = instance["MetadataOptions"]
        return bool(options.get("HttpTokens") == "required" or options.get("HttpEndpoint") == "disabled")

    reservations = aws.items("ec2:DescribeInstances", region)
    instances = (instance for reservation in reservations for instance in reservation.get("Instances", [{}]))
    name = _named(aws, region, "instance", "InstanceId")
    good, bad = "Metadata is read with a token only.", "Metadata can be read without a token (IMDSv1)."
    yield from by_resource(aws, instances, name, is_safe, good=good, bad=bad)


def encrypted_volumes(aws: AwsReader, region: str) -> Iterator[Judgement]:
    volumes, name = aws.items("ec2:DescribeVolumes", region), _named(aws, region, "volume", "VolumeId")
    good, bad = "The volume is encrypted.", "The volume is not encrypted."
    yield from by_resource(aws, volumes, name, itemgetter("Encrypted"), good=good, bad=bad)


def encrypted_snapshots(aws: AwsReader, region: str) -> Iterator[Judgement]:
    snapshots = aws.items("ec2:DescribeSnapshots", region, **OWN)
    name = _named(aws, region, "snapshot", "SnapshotId")
    good, bad = "The snapshot is encrypted.", "The snapshot is not encrypted."
    yield from by_resource(aws, snapshots, name, itemgetter("Encrypted"), good=good, bad=bad)


def private_snapshots(aws: AwsReader, region: str) -> Iterator[Judgement]:
    public = {each.get("SnapshotId") for each in aws.items("ec2:DescribeSnapshots", region, **OWN, **OF_EVERYBODY)}
    snapshots = aws.items("ec2:DescribeSnapshots", region, **OWN)
    name = _named(aws, region, "snapshot", "SnapshotId")
    good, bad = "The snapshot is not public.", "Every AWS account may copy the snapshot."
    yield from by_resource(aws, snapshots, name, lambda each: each["SnapshotId"] not in public, good=good, bad=bad)


def _named(aws: AwsReader, region: str, kind: str, field: str) -> Callable[[dict[str, Any]], str]:
    return lambda resource: aws.account.arn("ec2", region, f"{kind}/{resource[field]}")


CHECKS = (
    cis_check(
        "2.2.1",
        "New EBS volumes are encrypted",
        service="ec2",
        severity=Severity.MEDIUM,
        remedy="Switch on EBS encryption by default in the EC2 settings of the region.",
        judge=disk_encryption,
        also=(fsbp("EC2.7"),),
    ),
    Check(
        "fsbp-ec2.3",
        "EBS volumes are encrypted",
        "ec2",
        Severity.MEDIUM,
        (fsbp("EC2.3"),),
        "Make an encrypted copy of a snapshot of the volume, and replace the volume by one made from it.",
        encrypted_volumes,
    ),
    Check(
        "nist-800-53-r5-sc-28",
        "EBS snapshots are encrypted",
        "ec2",
        Severity.MEDIUM,
        (nist("SC-28"),),
        "Make an encrypted copy of the snapshot, and delete the snapshot.",
        encrypted_snapshots,
    ),
    Check(
        "fsbp-ec2.1",
        "EBS snapshots are not public",
        "ec2",
        Severity.CRITICAL,
        (fsbp("EC2.1"),),
        "Make the snapshot private, and block public access to snapshots for the region.",
        private_snapshots,
    ),
    cis_check(
        "3.7",
        "VPCs record their rejected traffic",
        service="ec2",
        severity=Severity.MEDIUM,
        remedy="Make a flow log for the VPC that records rejected traffic, or all of it.",
        judge=flow_logs,
        also=(fsbp("EC2.6"),),
    ),
    cis_check(
        "5.6",
        "Instances use version 2 of the metadata service",
        service="ec2",
        severity=Severity.HIGH,
        remedy="Set HttpTokens to required in the instance's metadata options.",
        judge=metadata_service,
        also=(fsbp("EC2.8"),),
    ),
)
