"""Who is who in the emulated AWS: the platform's account with a role for each of its processes, and the
demo customer's.

The emulator checks policies, so each process runs here with the permissions that it needs in AWS and no
more: the API can seal a credential but neither open it nor read a stored one, and the worker can assume the
customers' roles only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boto3.session import Session
from botocore.config import Config

from local.folder import write_private
from local.ministack import REGION
from stores.session import AwsClients

API_ROLE = "threat-engine-api"
WORKER_ROLE = "threat-engine-onboarding"
PROCESS_USER = "threat-engine-processes"

# AWS checks the actions inside a transaction one by one; the emulator asks for a permission of its own.
# The emulator knows no names of buckets as hosts.
PATHS = Config(signature_version="s3v4", s3={"addressing_style": "path"})

ROWS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "Query", "TransactWriteItems")
SECRETS = (
    *("CreateSecret", "DescribeSecret", "GetSecretValue", "PutSecretValue", "TagResource"),
    *("UpdateSecretVersionStage", "DeleteSecret", "RestoreSecret"),
)


@dataclass(frozen=True)
class AwsAccount:
    """An account of the emulated AWS, seen by its root: the emulator takes a 12-digit access key id for
    that."""

    number: str
    endpoint: str
    secret: str

    @property
    def session(self) -> Session:
        return Session(aws_access_key_id=self.number, aws_secret_access_key=self.secret, region_name=REGION)

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": self.number, "AWS_SECRET_ACCESS_KEY": self.secret}

    def clients(self) -> AwsClients:
        session = self.session
        return AwsClients(
            dynamodb=session.client("dynamodb", endpoint_url=self.endpoint),
            secretsmanager=session.client("secretsmanager", endpoint_url=self.endpoint),
            kms=session.client("kms", endpoint_url=self.endpoint),
            s3=session.client("s3", endpoint_url=self.endpoint, config=PATHS),
        )


def make_process_identities(platform: AwsAccount, config_file: Path) -> None:
    """Make the roles, and an AWS configuration file whose profiles `api` and `worker` assume them; boto3
    renews the sessions by itself."""
    iam = platform.session.client("iam", endpoint_url=platform.endpoint)
    iam.create_user(UserName=PROCESS_USER)
    roles = {"api": API_ROLE, "worker": WORKER_ROLE}
    arns = {profile: f"arn:aws:iam::{platform.number}:role/{role}" for profile, role in roles.items()}
    user = f"arn:aws:iam::{platform.number}:user/{PROCESS_USER}"
    policies = {"api": api_policy(platform.number), "worker": worker_policy(platform.number)}
    for profile, role in roles.items():
        trust = policy([{"Principal": {"AWS": user}, "Action": "sts:AssumeRole"}])
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=role, PolicyName="what-it-needs", PolicyDocument=policies[profile])
    may_assume = policy([{"Action": "sts:AssumeRole", "Resource": list(arns.values())}])
    iam.put_user_policy(UserName=PROCESS_USER, PolicyName="assume-its-role", PolicyDocument=may_assume)
    key = iam.create_access_key(UserName=PROCESS_USER)["AccessKey"]
    write_private(config_file, _profiles(key["AccessKeyId"], key["SecretAccessKey"], arns))


def api_policy(account: str) -> str:
    tenants = f"arn:aws:dynamodb:*:{account}:table/threat-engine-tenants"
    schedules = f"arn:aws:dynamodb:*:{account}:table/threat-engine-schedules"
    return policy(
        [
            {"Action": _of("dynamodb", ROWS), "Resource": _tables(account)},
            {"Action": "dynamodb:Scan", "Resource": [tenants, schedules]},
            {"Action": "s3:GetObject", "Resource": _results()},
            {
                "Action": _of("kms", ("GenerateDataKey", "GenerateMac", "DescribeKey", "GetPublicKey")),
                "Resource": _keys(account),
            },
            {"Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
        ]
    )


def worker_policy(account: str) -> str:
    secrets = f"arn:aws:secretsmanager:*:{account}:secret:threat-engine/*"
    table = f"arn:aws:dynamodb:*:{account}:table/threat-engine"
    return policy(
        [
            {"Action": _of("dynamodb", ROWS), "Resource": _tables(account)},
            {
                "Action": _of("kms", ("GenerateDataKey", "Decrypt", "DescribeKey", "GetPublicKey", "Sign")),
                "Resource": _keys(account),
            },
            {"Action": _of("secretsmanager", SECRETS), "Resource": secrets},
            {
                "Action": "dynamodb:Scan",
                "Resource": [f"{table}-accounts", f"{table}-schedules", f"{table}-audit-unsealed"],
            },
            {"Action": "s3:PutObject", "Resource": _results()},
            {"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/ThreatEngine*"},
            {"Action": "sns:Publish", "Resource": "*"},
        ]
    )


def policy(statements: Sequence[Mapping[str, object]]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    )


def _of(service: str, actions: Sequence[str]) -> list[str]:
    return [f"{service}:{action}" for action in actions]


def _tables(account: str) -> list[str]:
    table = f"arn:aws:dynamodb:*:{account}:table/threat-engine-*"
    return [table, f"{table}/index/*"]


def _results() -> str:
    return "arn:aws:s3:::threat-engine-results-*"


def _keys(account: str) -> list[str]:
    # AWS looks at the key behind an alias, the emulator at the alias.
    return [f"arn:aws:kms:*:{account}:key/*", f"arn:aws:kms:*:{account}:alias/threat-engine-*"]


def _profiles(key_id: str, secret: str, arns: Mapping[str, str]) -> str:
    user = f"[profile user]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
    roles = (
        f"[profile {name}]\nrole_arn = {arn}\nsource_profile = user\nrole_session_name = {name}\n"
        for name, arn in arns.items()
    )
    return "\n".join([user, *roles])
