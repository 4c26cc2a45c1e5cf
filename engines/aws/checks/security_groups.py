"""Checks of security groups: no database and nothing that administers a server is open to the world."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader
from engines.checks import Check, Judgement, Verdict, by_resource, cis_check, fsbp

ADMINISTRATION_PORTS = (22, 3389)
# SQL Server, Oracle, MySQL, PostgreSQL, Redis, Cassandra, Elasticsearch, memcached and MongoDB.
DATABASE_PORTS = (
    1433,
    1434,
    1521,
    2483,
    2484,
    3306,
    5432,
    6379,
    7000,
    7001,
    9042,
    9160,
    9200,
    9300,
    11211,
    27017,
    27018,
)
IPV4, IPV6 = ("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")
NO_ADMINISTRATION = "No administration port is open to the world."
PORT_PROTOCOLS = frozenset({"tcp", "6", "udp", "17"})
EVERY_PROTOCOL = "-1"


def open_to_ipv4(aws: AwsReader, region: str) -> Iterator[Judgement]:
    return _closed(aws, region, ADMINISTRATION_PORTS, IPV4, good=NO_ADMINISTRATION)


def open_to_ipv6(aws: AwsReader, region: str) -> Iterator[Judgement]:
    return _closed(aws, region, ADMINISTRATION_PORTS, IPV6, good=NO_ADMINISTRATION)


def open_databases(aws: AwsReader, region: str) -> Iterator[Judgement]:
    return _closed(aws, region, DATABASE_PORTS, IPV4, IPV6, good="No database port is open to the world.")


def default_closed(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def is_closed(group: dict[str, Any]) -> Verdict:
        if group["GroupName"] != "default":
            return None
        return not group.get("IpPermissions") and not group.get("IpPermissionsEgress")

    good, bad = "The default group lets nothing in or out.", "The default group lets traffic through."
    yield from by_resource(aws, _groups(aws, region), partial(_arn, aws, region), is_closed, good=good, bad=bad)


def _closed(
    aws: AwsReader, region: str, ports: tuple[int, ...], *families: tuple[str, str], good: str
) -> Iterator[Judgement]:
    def is_closed(group: dict[str, Any]) -> Verdict:
        rules = group.get("IpPermissions", [])
        reached = [rule for rule in rules if any(_reaches_everybody(rule, *family) for family in families)]
        is_open = ", ".join(str(port) for port in ports if any(_covers(rule, port) for rule in reached))
        return f"Open to the world: {is_open}." if is_open else True

    return by_resource(aws, _groups(aws, region), partial(_arn, aws, region), is_closed, good=good)


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
    Check(
        "fsbp-ec2.19",
        "No security group opens a database port to the world",
        "ec2",
        Severity.HIGH,
        (fsbp("EC2.19"),),
        "Limit the rule to the addresses or security groups of those that use the database.",
        open_databases,
    ),
)
