"""Checks of security groups: nothing that administers a server is open to the world."""

from collections.abc import Iterator
from typing import Any

from domain.scans import Severity
from engines.aws_reader import AwsReader
from engines.checks import Judgement, cis_check, fsbp, judgement

ADMINISTRATION_PORTS = (22, 3389)
PORT_PROTOCOLS = frozenset({"tcp", "6", "udp", "17"})
EVERY_PROTOCOL = "-1"


def open_to_ipv4(aws: AwsReader, region: str) -> Iterator[Judgement]:
    return _open_to(aws, region, "IpRanges", "CidrIp")


def open_to_ipv6(aws: AwsReader, region: str) -> Iterator[Judgement]:
    return _open_to(aws, region, "Ipv6Ranges", "CidrIpv6")


def default_closed(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for group in _groups(aws, region):
        if group["GroupName"] == "default":
            closed = not group.get("IpPermissions") and not group.get("IpPermissionsEgress")
            good, bad = "The default group lets nothing in or out.", "The default group lets traffic through."
            yield judgement(_arn(aws, region, group), closed, good=good, bad=bad)


def _open_to(aws: AwsReader, region: str, ranges: str, cidr: str) -> Iterator[Judgement]:
    for group in _groups(aws, region):
        reached = [rule for rule in group.get("IpPermissions", []) if _reaches_everybody(rule, ranges, cidr)]
        ports = ", ".join(str(port) for port in ADMINISTRATION_PORTS if any(_covers(rule, port) for rule in reached))
        good, bad = "No administration port is open to the world.", f"Open to the world: {ports}."
        yield judgement(_arn(aws, region, group), not ports, good=good, bad=bad)


def _reaches_everybody(rule: dict[str, Any], ranges: str, cidr: str) -> bool:
    return any(given[cidr].endswith("/0") for given in rule.get(ranges, []))


def _covers(rule: dict[str, Any], port: int) -> bool:
    protocol = rule["IpProtocol"]
    if protocol == EVERY_PROTOCOL:
        return True
    # AWS leaves the ports out, or says -1, when a rule holds for all of them.
    first, last = rule.get("FromPort", -1), rule.get("ToPort", -1)
    return protocol in PORT_PROTOCOLS and (-1 in (first, last) or first <= port <= last)


def _groups(aws: AwsReader, region: str) -> Iterator[dict[str, Any]]:
    return aws.items("ec2:DescribeSecurityGroups", region)


def _arn(aws: AwsReader, region: str, group: dict[str, Any]) -> str:
    return aws.account.arn("ec2", region, f"security-group/{group['GroupId']}")


CHECKS = (
    cis_check(
        "5.2",
        "No security group opens ports 22 and 3389 to every IPv4 address",
        service="ec2",
        severity=Severity.HIGH,
        remedy="Limit the rule to the addresses that administer the servers, or use Session Manager.",
        judge=open_to_ipv4,
        also=(fsbp("EC2.19"),),
    ),
    cis_check(
        "5.3",
        "No security group opens ports 22 and 3389 to every IPv6 address",
        service="ec2",
        severity=Severity.HIGH,
        remedy="Limit the rule to the addresses that administer the servers, or use Session Manager.",
        judge=open_to_ipv6,
        also=(fsbp("EC2.19"),),
    ),
    cis_check(
        "5.4",
        "The default security group of each VPC is closed",
        service="ec2",
        severity=Severity.MEDIUM,
        remedy="Give each resource a group of its own, then remove all rules of the default group.",
        judge=default_closed,
        also=(fsbp("EC2.2"),),
    ),
)
