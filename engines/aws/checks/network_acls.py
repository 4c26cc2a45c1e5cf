"""The check of network ACLs: no port that administers a server is open to the world."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader
from engines.checks import Judgement, Verdict, by_resource, cis_check, fsbp

ADMINISTRATION_PORTS = (22, 3389)
TCP, UDP, EVERY_PROTOCOL = "6", "17", "-1"
EVERYBODY = {"CidrBlock": "0.0.0.0/0", "Ipv6CidrBlock": "::/0"}


def open_to_the_world(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good = "No administration port is open to the world."
    acls = aws.items("ec2:DescribeNetworkAcls", region)
    yield from by_resource(aws, acls, partial(_arn, aws, region), _is_closed, good=good)


def _is_closed(acl: dict[str, Any]) -> Verdict:
    ingress = sorted((e for e in acl["Entries"] if not e["Egress"]), key=lambda entry: int(entry["RuleNumber"]))
    ways = [(protocol, family) for protocol in (TCP, UDP) for family in EVERYBODY]
    is_open = [str(port) for port in ADMINISTRATION_PORTS if any(_lets_in(ingress, port, *way) for way in ways)]
    return f"Open to the world: {', '.join(is_open)}." if is_open else True


def _lets_in(ingress: list[dict[str, Any]], port: int, protocol: str, family: str) -> bool:
    """The first rule that holds for everybody and the port decides, as in AWS."""
    for entry in ingress:
        if entry.get(family) == EVERYBODY[family] and _covers(entry, port, protocol):
            return bool(entry["RuleAction"] == "allow")
    return False


def _covers(entry: dict[str, Any], port: int, protocol: str) -> bool:
    if entry["Protocol"] == EVERY_PROTOCOL:
        return True
    ports = entry.get("PortRange", {})
    return entry["Protocol"] == protocol and bool(ports.get("From", 0) <= port <= ports.get("To", 65_535))


def _arn(aws: AwsReader, region: str, acl: dict[str, Any]) -> str:
    return aws.account.arn("ec2", region, f"network-acl/{acl['NetworkAclId']}")


CHECKS = (
    cis_check(
        "5.1",
        "No network ACL opens ports 22 and 3389 to the world",
        service="ec2",
        severity=Severity.MEDIUM,
        remedy="Let only the addresses that administer the servers in, and deny the ports to everybody else.",
        judge=open_to_the_world,
        also=(fsbp("EC2.21"),),
    ),
)
