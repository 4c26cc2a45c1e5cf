"""AWS twice: the emulator, which checks signatures and policies, and a server with canned answers."""

from collections.abc import Iterator
from itertools import count

import pytest

from emulators.ministack import running_ministack
from providers.aws.provider import AwsProvider
from tests.providers.aws_accounts import (
    PLATFORM_ACCOUNT,
    PLATFORM_ROLE,
    EmulatedAccount,
    allow,
    provider_running_as,
    trust,
)
from tests.providers.canned_aws import CannedAws, canned_provider, running_canned_aws

numbers = count(200_000_000_001)


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
def provider(platform: EmulatedAccount) -> AwsProvider:
    return provider_running_as(platform, PLATFORM_ROLE)


@pytest.fixture
def customer(emulator: str) -> Iterator[EmulatedAccount]:
    """An empty account of its own for each test."""
    account = EmulatedAccount(emulator, str(next(numbers)))
    yield account
    account.close()


@pytest.fixture(scope="session")
def canned_server() -> Iterator[CannedAws]:
    with running_canned_aws() as aws:
        yield aws


@pytest.fixture
def canned(canned_server: CannedAws) -> CannedAws:
    canned_server.forget()
    return canned_server


@pytest.fixture(scope="session")
def canned_aws(canned_server: CannedAws) -> AwsProvider:
    return canned_provider(canned_server.url)
