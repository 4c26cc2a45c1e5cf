"""An emulated AWS with the identities of the embedded stack, once for the tests in here."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from boto3.session import Session

from commands.setup import set_up_aws
from config import default_buckets
from emulators.ministack import REGION, running_ministack
from local.identities import AwsAccount, acting_as, make_process_identities
from local.stack import CUSTOMER_NUMBER, PLATFORM_NUMBER
from stores.dynamodb.tables import TableNames


class Aws(NamedTuple):
    """The platform's account with its keys and tables, and the demo customer's."""

    platform: AwsAccount
    customer: AwsAccount
    profiles: Path


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    folder = tmp_path_factory.mktemp("aws")
    with running_ministack(folder / "ministack.log") as endpoint:
        platform = AwsAccount(PLATFORM_NUMBER, endpoint, "platform")
        user = make_process_identities(platform, folder / "profiles")
        set_up_aws(acting_as("setup", user, platform), TableNames(), default_buckets(PLATFORM_NUMBER, REGION))
        yield Aws(platform, AwsAccount(CUSTOMER_NUMBER, endpoint, "customer"), folder / "profiles")


@pytest.fixture
def process(aws: Aws, monkeypatch: pytest.MonkeyPatch):
    """A session of one of our processes, as its environment makes it."""

    def process(profile: str) -> Session:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(aws.profiles))
        monkeypatch.setenv("AWS_PROFILE", profile)
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.platform.endpoint)
        return Session(region_name="ap-south-1")

    return process
