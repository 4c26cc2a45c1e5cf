"""Checks of EC2: encrypted disks, recorded traffic, the safer metadata service."""

from collections.abc import Iterator

from domain.scans import Severity
from engines.aws_reader import AwsReader
from engines.checks import Judgement, cis_check, fsbp, judgement


def disk_encryption(aws: AwsReader, region: str) -> Iterator[Judgement]:
    default = aws.setting("ec2:GetEbsEncryptionByDefault", region)["EbsEncryptionByDefault"]
    good, bad = "New disks are encrypted.", "New disks are not encrypted unless somebody asks for it."
    yield judgement(aws.account.arn("ec2", region, "ebs-encryption"), default, good=good, bad=bad)


def flow_logs(aws: AwsReader, region: str) -> Iterator[Judgement]:
    recorded = {
        log["ResourceId"]
        for log in aws.items("ec2:DescribeFlowLogs", region)
        if log.get("FlowLogStatus") == "ACTIVE" and log.get("TrafficType") in ("ALL", "REJECT")
    }
    for vpc in aws.items("ec2:DescribeVpcs", region):
        good, bad = "Rejected traffic of the VPC is recorded.", "Rejected traffic of the VPC is not recorded."
        resource = aws.account.arn("ec2", region, f"vpc/{vpc['VpcId']}")
        yield judgement(resource, vpc["VpcId"] in recorded, good=good, bad=bad)


def metadata_service(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for reservation in aws.items("ec2:DescribeInstances", region):
        for instance in reservation["Instances"]:
            if instance["State"]["Name"] in ("shutting-down", "terminated"):
                continue
            options = instance["MetadataOptions"]
            safe = options.get("HttpTokens") == "required" or options.get("HttpEndpoint") == "disabled"
            good, bad = "Metadata is read with a token only.", "Metadata can be read without a token (IMDSv1)."
            resource = aws.account.arn("ec2", region, f"instance/{instance['InstanceId']}")
            yield judgement(resource, safe, good=good, bad=bad)


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
