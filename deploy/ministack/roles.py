"""The roles in the emulated AWS, under the policies of `commands/policies`: `python -m deploy.ministack.roles`.

Run as the root user of the platform's account; safe to repeat.
"""

import json
from typing import TYPE_CHECKING

from boto3.session import Session

from deploy.ministack.policies import as_ministack_judges

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

ROLES = {
    "api": "threat-engine-api",
    "worker": "threat-engine-onboarding",
    "setup": "threat-engine-setup",
    "auditor": "threat-engine-auditor",
}
"""The role of each process."""
POLICY = "what-it-needs"


def main() -> None:
    """The session finds the emulator's address, the region and the root user, as every boto3 session does."""
    session = Session()
    sts = session.client("sts")
    account = sts.get_caller_identity()["Account"]
    make_roles(session.client("iam"), account, sts.meta.region_name, trusted=f"arn:aws:iam::{account}:root")


def make_roles(iam: "IAMClient", account: str, region: str, *, trusted: str) -> None:
    """`trusted` is the ARN of who may assume them."""
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for process, role in ROLES.items():
        try:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
        policy = as_ministack_judges(process, account, region)
        iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=policy)


if __name__ == "__main__":
    main()
