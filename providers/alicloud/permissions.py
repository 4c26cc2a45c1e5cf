"""The RAM actions that are published, granted by our scripts, and tried one by one, because RAM has no call that tells
what a user may do. Only validation uses any: no engine for AliCloud is built in. What an engine of the operator's needs
is added from the settings; of that only what has a probe here can be tried, and the engine tells the rest.

Actions are named after the operations that need them (www.alibabacloud.com, "RAM authorization" of each service);
products, versions and endpoints are those of the OpenAPI portal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.onboarding.catalogue import Permission

REGION = "ap-southeast-1"
"""Where the regional services are asked: accounts of the Chinese and of the international site may use it alike."""
ELSEWHERE = ("cn-hangzhou", "eu-central-1", "us-west-1", "cn-shanghai", "us-east-1", "ap-northeast-1", "me-east-1")
"""Where they are asked when a control policy of the customer's resource directory closes that one."""

REQUIRED = {"ecs:DescribeRegions": "Proves that the policy is attached and that nothing denies what it allows."}

PERMISSIONS = tuple(Permission(name, required=True, purpose=purpose) for name, purpose in REQUIRED.items())


@dataclass(frozen=True)
class Service:
    host: str
    version: str


SERVICES = {
    "sts": Service(f"sts.{REGION}.aliyuncs.com", "2015-04-01"),
    "ram": Service("ram.aliyuncs.com", "2015-05-01"),
    "ecs": Service(f"ecs.{REGION}.aliyuncs.com", "2014-05-26"),
    "vpc": Service(f"vpc.{REGION}.aliyuncs.com", "2016-04-28"),
    "actiontrail": Service(f"actiontrail.{REGION}.aliyuncs.com", "2020-07-06"),
    "rds": Service(f"rds.{REGION}.aliyuncs.com", "2014-08-15"),
    "slb": Service(f"slb.{REGION}.aliyuncs.com", "2014-05-15"),
}

HOSTS = frozenset(
    service.host.replace(REGION, region)
    for name, service in SERVICES.items()
    for region in (REGION, *ELSEWHERE)
    if name != "sts" or region == REGION
)


def is_alicloud_host(name: str) -> bool:
    return name in HOSTS


@dataclass(frozen=True)
class Call:
    """One operation. Its name after the colon is that of the RAM action that it needs."""

    action: str
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    region: str = REGION

    @property
    def service(self) -> Service:
        found = SERVICES[self.action.split(":")[0]]
        return replace(found, host=found.host.replace(REGION, self.region))

    @property
    def regional(self) -> bool:
        return REGION in SERVICES[self.action.split(":")[0]].host

    def moved_to(self, region: str) -> "Call":
        """The same call to the service of another region."""
        parameters = {name: region if name == "RegionId" else value for name, value in self.parameters.items()}
        return replace(self, region=region, parameters=parameters)

    @property
    def operation(self) -> str:
        return self.action.split(":")[1]


_HERE, _ONE_OF_RAM = {"RegionId": REGION}, {"MaxItems": "1"}
_PARAMETERS = {
    "ram:GetPasswordPolicy": {},
    "ram:ListUsers": _ONE_OF_RAM,
    "ram:ListPolicies": _ONE_OF_RAM,
    "ecs:DescribeRegions": {},
    "ecs:DescribeInstances": {**_HERE, "PageSize": "1"},
    "ecs:DescribeSecurityGroups": {**_HERE, "PageSize": "1"},
    "vpc:DescribeVpcs": {**_HERE, "PageSize": "1"},
    "actiontrail:DescribeTrails": {},
    "ram:ListRoles": _ONE_OF_RAM,
    "ram:ListVirtualMFADevices": {},
    "ram:GetSecurityPreference": {},
    "ecs:DescribeDisks": {**_HERE, "PageSize": "1"},
    "vpc:DescribeFlowLogs": {**_HERE, "PageSize": "1"},
    "rds:DescribeDBInstances": {**_HERE, "PageSize": "30"},  # the smallest page that RDS gives
    "slb:DescribeLoadBalancers": {**_HERE, "PageSize": "1"},
}
PROBES = {action: Call(action, parameters) for action, parameters in _PARAMETERS.items()}


def policy(permissions: Sequence[str]) -> str:
    """The RAM policy that grants exactly these."""
    statement = {"Effect": "Allow", "Action": list(permissions), "Resource": "*"}
    return json.dumps({"Version": "1", "Statement": [statement]}, separators=(",", ":"))
