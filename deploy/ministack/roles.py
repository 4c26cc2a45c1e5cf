"""The processes' roles in the emulated AWS, under the policies of `deploy/iam`: `python -m deploy.ministack.roles`.

MiniStack judges actions and resources as AWS does, and a few things in its own way (`as_ministack_reads_it`). Run as
the root user of the platform's account; safe to repeat.
"""

import json
from pathlib import Path
from typing import Any

from boto3.session import Session

IAM = Path(__file__).resolve().parents[1] / "iam"
POLICIES = {"threat-engine-api": "api", "threat-engine-onboarding": "worker", "threat-engine-setup": "setup"}
"""The file of each role."""


def main() -> None:
    make_roles(Session())


def make_roles(session: Session) -> None:
    """`session` finds the emulator's address and the root user by itself, as every boto3 session does."""
    iam = session.client("iam")
    account = session.client("sts").get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for role, file in POLICIES.items():
        policy = as_ministack_reads_it(json.loads((IAM / f"{file}.json").read_text(encoding="utf-8")))
        try:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
        iam.put_role_policy(RoleName=role, PolicyName="what-it-needs", PolicyDocument=json.dumps(policy))


def as_ministack_reads_it(policy: dict[str, Any]) -> dict[str, Any]:
    """Without conditions, most of which it does not know and so denies. It judges a transaction by an action of its
    own, a key by the alias in the request, and a new alias by nothing."""
    return {**policy, "Statement": [_adapted(statement) for statement in policy["Statement"]]}


def _adapted(statement: dict[str, Any]) -> dict[str, Any]:
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    if "dynamodb:EnclosingOperation" in json.dumps(statement):
        actions = [*actions, "dynamodb:TransactWriteItems"]
    keys = [resource for resource in resources if resource.endswith(":key/*")]
    resources = [*resources, *(key.replace(":key/*", ":alias/threat-engine-*") for key in keys)]
    if actions == ["kms:CreateAlias"]:
        resources = ["*"]
    return {"Effect": statement["Effect"], "Action": actions, "Resource": resources}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


if __name__ == "__main__":
    main()
