"""Who is who in the emulated AWS: the platform's account with a role for each of its processes, and the
demo customer's.

The emulator checks policies, so each process runs here with the permissions that `deploy/iam` gives it in AWS and no
more (`deploy/ministack/policies.py` has the exceptions): the API can seal a credential but neither open it nor read a
stored one, and the worker can assume the customers' roles only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boto3.session import Session
from botocore.config import Config
from botocore.loaders import Loader

from deploy.ministack.roles import ROLES, make_roles
from emulators.ministack import REGION
from local.folder import write_private
from stores.session import AwsClients, session_with

API_ROLE, WORKER_ROLE = ROLES["api"], ROLES["worker"]
PROCESS_USER = "threat-engine-processes"

# The emulator knows no names of buckets as hosts.
PATHS = Config(signature_version="s3v4", s3={"addressing_style": "path"})

MODELS = Loader()
"""Of all sessions here: each copy of AWS's descriptions takes 8 MB and more."""


@dataclass(frozen=True)
class AwsAccount:
    """An account of the emulated AWS, seen by its root: the emulator takes a 12-digit access key id for
    that."""

    number: str
    endpoint: str
    secret: str

    @property
    def session(self) -> Session:
        return session_of(self.number, self.secret)

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": self.number, "AWS_SECRET_ACCESS_KEY": self.secret}

    def clients(self) -> AwsClients:
        return clients_of(self.session, self.endpoint)


def clients_of(session: Session, endpoint: str) -> AwsClients:
    return AwsClients(
        session=session,
        models=MODELS,
        dynamodb=session.client("dynamodb", endpoint_url=endpoint),
        secretsmanager=session.client("secretsmanager", endpoint_url=endpoint),
        kms=session.client("kms", endpoint_url=endpoint),
        s3=session.client("s3", endpoint_url=endpoint, config=PATHS),
    )


def make_process_identities(platform: AwsAccount, config_file: Path) -> Session:
    """Make the roles, a user who may assume them and nothing else, and an AWS configuration file with a profile for
    each role; boto3 renews the sessions by itself. Returns the user's session."""
    iam = platform.session.client("iam", endpoint_url=platform.endpoint)
    iam.create_user(UserName=PROCESS_USER)
    user = f"arn:aws:iam::{platform.number}:user/{PROCESS_USER}"
    make_roles(iam, platform.number, REGION, trusted=user)
    arns = {process: role_arn(platform, process) for process in ROLES}
    may_assume = policy([{"Action": "sts:AssumeRole", "Resource": list(arns.values())}])
    iam.put_user_policy(UserName=PROCESS_USER, PolicyName="assume-its-role", PolicyDocument=may_assume)
    key = iam.create_access_key(UserName=PROCESS_USER)["AccessKey"]
    key_id, secret = key["AccessKeyId"], key["SecretAccessKey"]
    write_private(config_file, _profiles(key_id, secret, arns))
    return session_of(key_id, secret)


def acting_as(process: str, user: Session, platform: AwsAccount) -> AwsClients:
    """Clients under the role of a process, for an hour. They find nothing in this machine's own AWS configuration."""
    sts = user.client("sts", endpoint_url=platform.endpoint)
    given = sts.assume_role(RoleArn=role_arn(platform, process), RoleSessionName=process)["Credentials"]
    return clients_of(
        session_of(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]), platform.endpoint
    )


def session_of(key_id: str, secret: str, token: str | None = None) -> Session:
    return session_with(MODELS, REGION, aws_access_key_id=key_id, aws_secret_access_key=secret, aws_session_token=token)


def role_arn(platform: AwsAccount, process: str) -> str:
    return f"arn:aws:iam::{platform.number}:role/{ROLES[process]}"


def policy(statements: Sequence[Mapping[str, object]]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    )


def _profiles(key_id: str, secret: str, arns: Mapping[str, str]) -> str:
    user = f"[profile user]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
    roles = (
        f"[profile {name}]\nrole_arn = {arn}\nsource_profile = user\nrole_session_name = {name}\n"
        for name, arn in arns.items()
    )
    return "\n".join([user, *roles])
