"""The way into a customer's AWS account for scanning. The only file of the engines that knows boto3.

As in `providers.aws.provider`, our own session assumes roles and nothing else, and the customer's session knows the
credential that it was given and cannot find another one.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from domain.errors import CredentialRefused, Problem
from domain.onboarding.credentials import Credential
from domain.timestamps import stamp
from providers.aws.auth_methods import ROLE_CHECKLIST
from providers.aws.checks import SENTENCES
from providers.aws.errors import Signer
from providers.aws.provider import Access, PlatformAws, config_of, isolated_session, judged
from providers.checks import Refused
from transport.answers import bounded

ROLE = "aws_iam_role"
ACCESS_KEY = "aws_access_key"
SESSION = "aws_session"
"""A short-lived key: access_key_id, secret_access_key, session_token and expires_at, a stamp."""

SESSION_SECONDS = 3_600  # a role that was assumed from another role gets no longer one


class AwsSessions:
    """`own` is the session that we call STS with; `models` are AWS's descriptions of its services, which several
    sessions may share."""

    def __init__(self, platform: PlatformAws, *, own: boto3.session.Session, models: Loader | None = None) -> None:
        self.partition = own.get_partition_for_region(platform.region)
        self.region = platform.region
        self.regions = frozenset(own.get_available_regions("ec2", self.partition))
        self._platform = platform
        self._models = models or Loader()
        self._sts = bounded(
            own.client(
                "sts",
                region_name=platform.region,
                endpoint_url=platform.customer_endpoint_url,
                config=config_of(platform),
            ),
            seconds=platform.answer_seconds,
        )

    def assume(self, role: Credential, *, external_id: str, session_name: str, **policy: Any) -> Credential:
        """A session of the role that may do no more than the policy says. Raises CredentialRefused, Trouble."""
        try:
            with judged(Signer.PLATFORM):
                answer = self._sts.assume_role(
                    RoleArn=role.reveal("role_arn"),
                    RoleSessionName=re.sub(r"[^\w+=,.@-]", "-", session_name, flags=re.ASCII)[:64],
                    ExternalId=external_id,
                    DurationSeconds=SESSION_SECONDS,
                    **policy,
                )
        except Refused:
            self._check_own_role()
            raise refused("role_not_assumable", "The role cannot be assumed.", ROLE_CHECKLIST) from None
        return session_of(answer["Credentials"])

    @contextmanager
    def open(self, key: Credential) -> "Iterator[AwsClients]":
        """Clients that sign with the key, closed at the end. Raises nothing: no call is made."""
        session = isolated_session(self._models)
        session.set_credentials(
            key.reveal("access_key_id"), key.reveal("secret_access_key"), key.reveal("session_token") or None
        )
        clients = AwsClients(self._platform, session)
        try:
            yield clients
        finally:
            clients.close_all()

    def _check_own_role(self) -> None:
        with ExitStack() as opened:
            Access(self._platform, self.partition, self._sts, self._models, opened).check_own_role()


class AwsClients:
    def __init__(self, platform: PlatformAws, session: botocore.session.Session) -> None:
        self._platform = platform
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            client = self._session.create_client(
                service,
                region_name=region,
                endpoint_url=self._platform.customer_endpoint_url,
                config=patient(self._platform),
            )
            if self._platform.customer_endpoint_url:
                client.meta.events.register("before-call.s3-control", _without_account_host)
            self._clients[service, region] = bounded(client, seconds=self._platform.answer_seconds)
        return self._clients[service, region]

    def caller(self, region: str) -> str:
        """The ARN that AWS knows the key under. Raises CredentialRefused, Trouble."""
        try:
            with judged(Signer.CUSTOMER):
                return str(self.client("sts", region).get_caller_identity()["Arn"])
        except Refused as refusal:
            raise refused(refusal.reason.value, *SENTENCES[refusal.reason]) from None

    def close(self, region: str) -> None:
        for key in [key for key in self._clients if key[1] == region]:
            self._clients.pop(key).close()

    def close_all(self) -> None:
        for region in {region for _, region in self._clients}:
            self.close(region)


def patient(platform: PlatformAws) -> Config:
    """A scan makes hundreds of calls, so each one is tried twice, and a throttled client slows itself down."""
    return config_of(platform).merge(Config(retries={"mode": "adaptive", "total_max_attempts": 2}))


def session_of(keys: Mapping[str, Any]) -> Credential:
    """From the Credentials of an answer of STS."""
    return Credential(
        SESSION,
        {
            "access_key_id": keys["AccessKeyId"],
            "secret_access_key": keys["SecretAccessKey"],
            "session_token": keys["SessionToken"],
            "expires_at": stamp(keys["Expiration"]),
        },
    )


def refused(code: str, message: str, remedy: str) -> CredentialRefused:
    return CredentialRefused(problems=[Problem(code, message, step="identify", remedy=remedy)])


def _without_account_host(params: dict[str, Any], **_: object) -> None:
    """The SDK puts the account before the host's name, which an emulator at an IP address does not have."""
    account = params["headers"]["x-amz-account-id"]
    params["url"] = params["url"].replace(f"//{account}.", "//", 1)
