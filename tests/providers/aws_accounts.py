"""AWS accounts inside the emulator, and what a customer or an operator sets up in them."""

import json
from functools import cache
from typing import Any, cast

import boto3.session

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step, Verdict
from providers.aws.permissions import PERMISSIONS
from providers.aws.provider import AwsProvider, PlatformAws

REGION = "ap-south-1"
EXTERNAL_ID = "te-3f2b1c649f0e4a428a6b0d3b5c7d9e1f"
PLATFORM_ACCOUNT = "111111111111"
PLATFORM_ROLE = "ThreatEnginePlatform"
PUBLISHED = tuple(permission.name for permission in PERMISSIONS)

Document = dict[str, Any]


def allow(*actions: str, **more: Any) -> Document:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str) -> Document:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"}


def policy(*statements: Document) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trust(condition: Document, *, principal: str = PLATFORM_ACCOUNT) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{principal}:root"}, "Action": "sts:AssumeRole"}
    return policy({**statement, "Condition": condition})


def trust_on(external_id: str) -> str:
    return trust({"StringEquals": {"sts:ExternalId": external_id}})


def published_without(*names: str) -> Document:
    return allow(*(name for name in PUBLISHED if name not in names))


@cache
def root_session() -> boto3.session.Session:
    """One for all accounts, because it keeps the service descriptions that it has read."""
    return boto3.session.Session(region_name=REGION)


class EmulatedAccount:
    """One account, acted on as its root. Its clients are closed at the end of the test."""

    def __init__(self, endpoint_url: str, number: str) -> None:
        self.endpoint_url = endpoint_url
        self.number = number
        self._clients: dict[str, Any] = {}

    def client(self, service: str, **keys: str) -> Any:
        given = keys or {"aws_access_key_id": self.number, "aws_secret_access_key": "test"}
        name = f"{service} {given['aws_access_key_id']}"
        if name not in self._clients:
            self._clients[name] = root_session().client(service, endpoint_url=self.endpoint_url, **given)  # type: ignore[call-overload]
        return self._clients[name]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def role(self, trusted: str, *statements: Document, name: str = "ThreatEngineTest") -> str:
        """Make a role with one inline policy; returns its ARN."""
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*statements))
        return str(arn)

    def access_key(self, *statements: Document, user: str = "scanner") -> tuple[str, str]:
        """Make a user with a key; returns the key's id and secret."""
        iam = self.client("iam")
        iam.create_user(UserName=user)
        if statements:
            iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def deploy(self, template: str) -> dict[str, str]:
        """Create the stack and return its outputs."""
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName="ThreatEngine", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName="ThreatEngine", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
        stack = cloudformation.describe_stacks(StackName="ThreatEngine")["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def session_of(self, role_name: str) -> dict[str, str]:
        """Keys of a session of one of the account's own roles."""
        return session_keys(self.client("sts"), RoleArn=f"arn:aws:iam::{self.number}:role/{role_name}")


def session_keys(sts: Any, **request: str) -> dict[str, str]:
    """Keys of a session that `sts` may open, as boto3 takes them."""
    keys = sts.assume_role(RoleSessionName="test", **request)["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }


def provider_running_as(platform: EmulatedAccount, role_name: str) -> AwsProvider:
    """A provider that trusts itself to be the platform role, and runs as the role named."""
    own = boto3.session.Session(**cast(Any, platform.session_of(role_name)))
    return AwsProvider(PlatformAws(PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION, platform.endpoint_url), own=own)


def role_credential(role_arn: str, **more: str) -> Credential:
    return Credential("aws_iam_role", {"role_arn": role_arn, **more})


def key_credential(access_key_id: str, secret_access_key: str, **more: str) -> Credential:
    fields = {"access_key_id": access_key_id, "secret_access_key": secret_access_key, **more}
    return Credential("aws_access_key", fields)


EXPECTED = Expectation(external_id=EXTERNAL_ID)


def last_checked(verdict: Verdict) -> Step:
    """The step that decided: the failed one, or the last."""
    return [step for step in verdict.steps if step.status != "skipped"][-1]


def finding(verdict: Verdict) -> tuple[str, str]:
    step = last_checked(verdict)
    return step.name, step.code
