"""The same cells for AWS, whose stand-in is the emulator with its own signatures and policies."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import boto3.session
import httpx
import pytest
from temporalio.client import Client

from emulators.ministack import REGION
from providers.aws.provider import AwsProvider, PlatformAws
from tests.api.conftest import quiet, temporal
from tests.api.portal import Portal, open_portal
from tests.clouds.test_every_cloud import LIMITS, shown
from tests.e2e.customer_cloud import CustomerCloud, customer_cloud
from tests.providers.aws_accounts import (
    PLATFORM_ACCOUNT,
    PLATFORM_ROLE,
    EmulatedAccount,
    published_without,
    trust_on,
)
from tests.providers.conftest import customer, emulator, platform
from tests.rig import Rig

__all__ = ["customer", "emulator", "platform", "quiet", "temporal"]

pytestmark = pytest.mark.stack
THROTTLED = (400, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>")
DOWN = (503, b"<html>Service Unavailable</html>")
METHODS = {"aws, IAM role": "iam_role", "aws, access key": "access_key"}


@pytest.fixture(scope="module")
def proxy(emulator: str) -> Iterator[CustomerCloud]:
    with customer_cloud() as found:
        found.endpoint = emulator
        yield found


@pytest.fixture
async def portal(proxy: CustomerCloud, platform: EmulatedAccount, temporal: Client) -> AsyncIterator[Portal]:
    own = boto3.session.Session(**cast(Any, platform.session_of(PLATFORM_ROLE)))
    provider = AwsProvider(PlatformAws(PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION, proxy.url), own=own)
    portal = open_portal(Rig(temporal, provider=provider), temporal, LIMITS)
    async with portal.http, portal.rig.worker():
        yield portal


class AwsCustomer:
    """An AWS account, and the ways that its owner gets it wrong."""

    def __init__(self, portal: Portal, account: EmulatedAccount, method: str) -> None:
        self.portal, self.account, self.method = portal, account, method

    async def onboard(self, *missing: str, **wrong: str) -> tuple[httpx.Response, dict[str, str]]:
        """With a credential that is made for the account and lacks the permissions named."""
        wanted = {"tenant_id": self.portal.rig.tenant_id, "account_name": "Ours", "auth_method": self.method}
        started = (await self.portal.http.post("/onboarding/aws/init", json=wanted)).json()
        fields = {**self._made(started["external_id"], *missing), **wrong}
        body = {"account_id": started["account_id"], "auth_method": self.method, "credentials": fields}
        return await self.portal.http.post("/onboarding/aws/validate", json=body), fields

    def _made(self, external_id: str, *missing: str) -> dict[str, str]:
        if self.method == "iam_role":
            return {"role_arn": self.account.role(trust_on(external_id), published_without(*missing))}
        key_id, secret = self.account.access_key(published_without(*missing))
        return {"access_key_id": key_id, "secret_access_key": secret}

    @property
    def wrong_secret(self) -> dict[str, str]:
        if self.method == "iam_role":
            return {"role_arn": f"arn:aws:iam::{self.account.number}:role/ThreatEngineOther"}
        return {"secret_access_key": "x" * 40}


@pytest.fixture(params=METHODS)
def aws(request: pytest.FixtureRequest, portal: Portal, customer: EmulatedAccount) -> AwsCustomer:
    return AwsCustomer(portal, customer, METHODS[request.param])


@pytest.fixture
def tell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    return lambda column, text: record_property("cell", [request.node.callspec.params["aws"], column, text])


async def test_a_good_credential_makes_the_account_active(aws: AwsCustomer, tell: Callable[[str, str], None]):
    answer, _ = await aws.onboard()
    assert (answer.status_code, answer.json().get("status")) == (200, "active"), answer.text
    tell("good", "active")


async def test_a_wrong_one_is_refused_without_its_values(aws: AwsCustomer, tell: Callable[[str, str], None]):
    answer, fields = await aws.onboard(**aws.wrong_secret)
    assert answer.status_code == 400, answer.text
    [problem] = answer.json()["detail"]["problems"]
    assert problem["step"] == "identify"
    assert shown(fields, answer.text) == []
    tell("wrong secret", f"{problem['step']}: {problem['code']}")


async def test_another_account_than_the_one_named_is_refused(aws: AwsCustomer, tell: Callable[[str, str], None]):
    answer, _ = await aws.onboard(account_number="999999999999")
    [problem] = answer.json()["detail"]["problems"]
    assert (answer.status_code, problem["step"]) == (400, "ownership")
    tell("other account", f"{problem['step']}: {problem['code']}")


async def test_missing_permissions_are_named(aws: AwsCustomer, tell: Callable[[str, str], None]):
    missing = ("iam:GetAccountSummary", "ec2:DescribeRegions", "securityhub:DescribeHub")
    answer, _ = await aws.onboard(*missing)
    [problem] = answer.json()["detail"]["problems"]
    assert (answer.status_code, problem["code"]) == (400, "missing_permissions")
    assert set(problem["missing_permissions"]) == set(missing)
    tell("no permissions", f"{len(missing)} named")


@pytest.mark.parametrize(("column", "fault"), [("throttled", THROTTLED), ("down", DOWN)], ids=["throttled", "down"])
async def test_a_cloud_in_trouble_is_waited_for(
    aws: AwsCustomer, proxy: CustomerCloud, column: str, fault: tuple[int, bytes], tell: Callable[[str, str], None]
):
    proxy.faults.append(fault)
    answer, _ = await aws.onboard()
    assert (answer.status_code, answer.json().get("status")) == (200, "active"), answer.text
    assert not proxy.faults
    tell(column, "active")
