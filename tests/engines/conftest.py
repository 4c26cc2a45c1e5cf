"""AWS twice: the emulator, which checks signatures and policies, and clients with canned answers."""

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import boto3.session
import pytest
from botocore.exceptions import ClientError

from domain.onboarding.credentials import Credential
from emulators.ministack import running_ministack
from engines.aws.session import AwsSessions
from providers.aws.provider import PlatformAws
from tests.engines.canned import CannedClients
from tests.providers.aws_accounts import (
    PLATFORM_ACCOUNT,
    PLATFORM_ROLE,
    REGION,
    EmulatedAccount,
    allow,
    trust,
)

numbers = count(300_000_000_001)


@pytest.fixture(scope="session")
def canned() -> Iterator[CannedClients]:
    clients = CannedClients()
    yield clients
    clients.close_all()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_ministack(tmp_path_factory.mktemp("ministack") / "ministack.log") as endpoint_url:
        yield endpoint_url


@pytest.fixture(scope="session")
def platform(emulator: str) -> Iterator[EmulatedAccount]:
    """Our account, with the role that we run as."""
    account = EmulatedAccount(emulator, PLATFORM_ACCOUNT)
    account.role(trust({}), allow("sts:AssumeRole"), name=PLATFORM_ROLE)
    yield account
    account.close()


@pytest.fixture(scope="session")
def sessions(platform: EmulatedAccount) -> AwsSessions:
    return sessions_running_as(platform, PLATFORM_ROLE)


@pytest.fixture
def customer(emulator: str) -> Iterator[EmulatedAccount]:
    """An empty account of its own for each test."""
    account = EmulatedAccount(emulator, str(next(numbers)))
    yield account
    account.close()


def sessions_running_as(
    platform: EmulatedAccount, role_name: str, *, kind: type[AwsSessions] = AwsSessions
) -> AwsSessions:
    own = boto3.session.Session(**cast(Any, platform.session_of(role_name)))
    return kind(PlatformAws(PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION, platform.endpoint_url), own=own)


def with_session(customer: EmulatedAccount, service: str, session: Credential) -> Any:
    return customer.client(
        service,
        aws_access_key_id=session.reveal("access_key_id"),
        aws_secret_access_key=session.reveal("secret_access_key"),
        aws_session_token=session.reveal("session_token"),
    )


def may_write(customer: EmulatedAccount, session: Credential) -> bool:
    try:
        with_session(customer, "ec2", session).create_vpc(CidrBlock="10.0.0.0/16")
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("AccessDenied", "UnauthorizedOperation")  # noqa: PT017
        return False
    return True
