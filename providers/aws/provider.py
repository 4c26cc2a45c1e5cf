"""AWS: what it asks for, and the proof that a credential works. The only file here that knows boto3.

Two kinds of session that never meet: ours, from the process's own credential chain, which assumes roles and nothing
else; and the customer's, which knows the credential it was given and cannot find another one, whatever is in the
environment, in configuration files or in the machine's metadata service.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ParamValidationError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NotConnected
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from domain.errors import InvalidInput, PlatformConfig
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from providers.aws.arns import parse_arn
from providers.aws.auth_methods import KeyProof, RoleProof
from providers.aws.checks import Proof, prove
from providers.aws.description import ACCESS_KEY, IAM_ROLE, described, iam_role
from providers.aws.errors import Failure, Kind, Signer, judge
from providers.aws.partitions import in_order
from providers.aws.permissions import PROBES, SESSION_POLICY
from providers.aws.role_names import ROLE_NAMES, RoleNames
from providers.aws.setup import TrustedRole, setup_of
from providers.checks import without_damage
from providers.error_rules import clock_differs, seconds
from transport.answers import bounded

SESSION_SECONDS = 900  # the shortest that AWS gives
SIMULATION_BATCH = 50

# What boto3 lets through when the answer is not AWS's: cut off, or a proxy's page.
GARBLED = (IncompleteReadError, ResponseParserError, UnicodeDecodeError, KeyError)


@dataclass(frozen=True)
class PlatformAws:
    """Our side of the relation to customers' accounts."""

    account_id: str
    """The AWS account that we run in, and that customers' roles trust."""
    role_name: str
    """The role that we run as; customers' roles trust no other one. Without a path."""
    region: str
    """Where we call STS and the regional services."""
    customer_endpoint_url: str | None = None
    """An emulator in place of the customers' AWS, in development; None is AWS itself."""
    template_url: str | None = None
    """The S3 address of our CloudFormation template; without it there is no quick-create link."""
    role_names: RoleNames = ROLE_NAMES
    """Which of the customers' roles we assume."""
    connect_seconds: float = 3
    read_seconds: float = 10
    answer_seconds: float = 20
    """For the whole of an answer; the others are for a connection and between two parts."""


class AwsProvider:
    """The `CloudProvider` of AWS. `own` is the session that we call STS with; `models` are AWS's descriptions of its
    services, which several sessions may share."""

    def __init__(
        self,
        platform: PlatformAws,
        *,
        own: boto3.session.Session,
        models: Loader | None = None,
        engine_permissions: Sequence[str] = (),
    ) -> None:
        self._platform = platform
        self._partition = own.get_partition_for_region(platform.region)
        self._sts = bounded(
            own.client(
                "sts",
                region_name=platform.region,
                endpoint_url=platform.customer_endpoint_url,
                config=config_of(platform),
            ),
            seconds=platform.answer_seconds,
        )
        self._models = models or Loader()
        self._description = described(iam_role(platform.role_names)).with_permissions(engine_permissions)

    @property
    def description(self) -> ProviderDescription:
        return self._description

    def setup(self, request: SetupRequest) -> Setup:
        platform = self._platform
        trusted = TrustedRole(platform.account_id, platform.role_name, platform.region)
        return setup_of(
            request,
            [permission.name for permission in self._description.permissions],
            trusted=trusted,
            names=platform.role_names,
            template_url=platform.template_url,
        )

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        if credential.credential_type not in PROOFS:
            raise InvalidInput("This is not a credential for AWS.")
        credential = without_damage(self._description.methods, credential)
        with ExitStack() as opened:
            access = Access(self._platform, self._partition, self._sts, self._models, opened)
            proof = PROOFS[credential.credential_type](access, credential, expectation)
            return prove(proof, credential, expectation, self._description.permissions)


@dataclass(frozen=True)
class Access:
    """The way into the customer's account, for one validation."""

    platform: PlatformAws
    partition: str
    sts: Any
    """Ours."""
    models: Loader
    """Keeps AWS's service descriptions, which take longer to read than a validation, between validations."""
    opened: ExitStack
    """Closes the customer's connections at the end."""

    @property
    def role_names(self) -> RoleNames:
        return self.platform.role_names

    def assume(self, role_arn: str, *, external_id: str | None, session_name: str) -> "CustomerAws":
        given = {} if external_id is None else {"ExternalId": external_id}
        with judged(Signer.PLATFORM):
            keys = self.sts.assume_role(
                RoleArn=role_arn,
                RoleSessionName=session_name,
                DurationSeconds=SESSION_SECONDS,
                Policy=SESSION_POLICY,
                **given,
            )["Credentials"]
        return self._open(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def use_key(self, access_key_id: str, secret_access_key: str) -> "CustomerAws":
        return self._open(access_key_id, secret_access_key, None)

    def check_own_role(self) -> None:
        with judged(Signer.PLATFORM):
            caller = parse_arn(self.sts.get_caller_identity()["Arn"])
        runs_as = caller.resource.removeprefix("assumed-role/").split("/")[0]
        if (caller.account_number, runs_as) != (self.platform.account_id, self.platform.role_name):
            raise PlatformConfig(
                "The platform does not run as the role that customers trust; the operators have been told. "
                "Your credential is not at fault."
            )

    def _open(self, access_key_id: str, secret_access_key: str, token: str | None) -> "CustomerAws":
        session = isolated_session(self.models)
        session.set_credentials(access_key_id, secret_access_key, token)
        return self.opened.enter_context(closing(CustomerAws(self.platform, session)))


class CustomerAws:
    """Calls signed by the customer's credential, and by nothing else."""

    def __init__(self, platform: PlatformAws, session: botocore.session.Session) -> None:
        self._platform = platform
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}

    def caller(self) -> str:
        with judged(Signer.CUSTOMER):
            return str(self._client("sts").get_caller_identity()["Arn"])

    @property
    def home(self) -> str:
        return self._platform.region

    def elsewhere(self) -> Iterator[str]:
        partition = self._session.get_partition_for_region(self.home)
        known = self._session.get_available_regions("ec2", partition_name=partition)
        yield from in_order(set(known) - {self.home}, partition=partition)

    def denied(self, principal_arn: str, actions: Sequence[str], *, region: str) -> frozenset[str]:
        # Organisations close regions by this key; without it their policies would seem to deny everything.
        asked = {
            "ContextKeyName": "aws:RequestedRegion",
            "ContextKeyType": "string",
            "ContextKeyValues": [region],
        }
        found = set()
        with judged(Signer.CUSTOMER):
            pages = self._client("iam").get_paginator("simulate_principal_policy")
            for start in range(0, len(actions), SIMULATION_BATCH):
                batch = list(actions[start : start + SIMULATION_BATCH])
                for page in pages.paginate(PolicySourceArn=principal_arn, ActionNames=batch, ContextEntries=[asked]):
                    results = page["EvaluationResults"]
                    found |= {r["EvalActionName"] for r in results if r["EvalDecision"] != "allowed"}
        return frozenset(found)

    def probe(self, action: str, *, region: str) -> None:
        probe = PROBES[action]
        with judged(Signer.CUSTOMER, granted_by=probe.granted_by):
            getattr(self._client(probe.service, region), probe.operation)(**probe.arguments)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _client(self, service: str, region: str | None = None) -> Any:
        key = (service, region or self.home)
        if key not in self._clients:
            client = self._session.create_client(
                service,
                region_name=key[1],
                endpoint_url=self._platform.customer_endpoint_url,
                config=config_of(self._platform),
            )
            self._clients[key] = bounded(client, seconds=self._platform.answer_seconds)
        return self._clients[key]


PROOFS: Mapping[str, Callable[[Access, Credential, Expectation], Proof]] = {
    IAM_ROLE.credential_type: RoleProof,
    ACCESS_KEY.credential_type: KeyProof,
}


def isolated_session(models: Loader) -> botocore.session.Session:
    """A session that has no credentials, and no place to look for any."""
    nothing, no_file = (None, None, None, None), (None, None, os.devnull, None)
    session = botocore.session.Session(
        session_vars={"profile": nothing, "config_file": no_file, "credentials_file": no_file}
    )
    session.register_component("credential_provider", CredentialResolver([]))
    session.register_component("data_loader", models)
    return session


def config_of(platform: PlatformAws) -> Config:
    """One attempt, because the workflow owns retries; and never an endpoint from the environment."""
    return Config(
        connect_timeout=platform.connect_seconds,
        read_timeout=platform.read_seconds,
        retries={"mode": "standard", "total_max_attempts": 1},
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # missing in the stubs
    )


@contextmanager
def judged(signer: Signer, *, granted_by: frozenset[str] = frozenset()) -> Iterator[list[str]]:
    """Turn what boto3 raises into Refused or Trouble, without the cause, whose text may hold values. An error of
    `granted_by` ends the block, and its code is in the list that the block was given."""
    granted: list[str] = []
    try:
        yield granted
    except ClientError as error:
        failure = _answered(error, signer)
        if failure.code not in granted_by:
            raise judge(failure) from None
        granted.append(failure.code)
    except SSLError:
        raise judge(Failure(Kind.TLS, signer)) from None
    except (NotConnected, HTTPClientError, *GARBLED):
        raise judge(Failure(Kind.NETWORK, signer)) from None
    except ParamValidationError:
        raise judge(Failure(Kind.PARAMETERS, signer)) from None
    except BotoCoreError:
        raise judge(Failure(Kind.SDK, signer)) from None


def _answered(error: ClientError, signer: Signer) -> Failure:
    # A proxy's page in place of AWS's answer has no Error.
    code = error.response.get("Error", {}).get("Code", "")
    answer = error.response["ResponseMetadata"]
    headers = answer["HTTPHeaders"]
    return Failure(
        Kind.RESPONSE,
        signer,
        code=code,
        status=answer["HTTPStatusCode"],
        clock_differs=clock_differs(headers.get("date", "")),
        retry_after=seconds(headers.get("retry-after", "")),
    )
