"""A customer's hands in its own AWS account: a role for each account that is onboarded, as our template makes it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from local.identities import WORKER_ROLE, AwsAccount, policy
from local.stack import PLATFORM_NUMBER
from providers.aws.permissions import PERMISSIONS

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

PLATFORM_ROLE = f"arn:aws:iam::{PLATFORM_NUMBER}:role/{WORKER_ROLE}"


@dataclass(frozen=True)
class Customer:
    account: AwsAccount

    def make_role(self, external_id: str) -> str:
        """The ARN of a role that only we can assume, and only with this external id."""
        name = f"ThreatEngine-{external_id}"
        trust = {
            "Principal": {"AWS": PLATFORM_ROLE},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
        self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy([trust]))
        allowed = policy([{"Action": [permission.name for permission in PERMISSIONS], "Resource": "*"}])
        self._iam.put_role_policy(RoleName=name, PolicyName="scan", PolicyDocument=allowed)
        return self.role_arn(external_id)

    def role_arn(self, external_id: str) -> str:
        """Of the role for this external id, also before it is made."""
        return f"arn:aws:iam::{self.account.number}:role/ThreatEngine-{external_id}"

    @cached_property
    def _iam(self) -> "IAMClient":
        return self.account.session.client("iam", endpoint_url=self.account.endpoint)
