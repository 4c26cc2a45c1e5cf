"""Every cloud and method through the REST API, on the real Temporal server and the real clients, against clouds that
check what is signed. The table at the end of the run has a line for each."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from api.services import Limits
from emulators.clouds.faults import Fault
from emulators.clouds.server import StandIn, running_stand_in
from tests.api.conftest import quiet, temporal
from tests.api.portal import Portal, open_portal
from tests.clouds.cases import CASES, Case
from tests.rig import Rig
from transport.client import GuardedClient

__all__ = ["quiet", "temporal"]

pytestmark = pytest.mark.stack
LIMITS = Limits(validate_wait_seconds=30, provider_patience_seconds=60)
SECRET_FIELDS = 12
"""What is as long as this, or longer, must not come back."""


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("clouds"), []) as found:
        yield found


class Customer:
    """One customer of one cloud, with a portal in front."""

    def __init__(self, portal: Portal, stand_in: StandIn, case: Case) -> None:
        self.portal, self.stand_in, self.case = portal, stand_in, case
        self.provider = portal.rig.provider.description.provider_type.value

    async def onboard(self, fields: Any) -> httpx.Response:
        wanted = {"tenant_id": self.portal.rig.tenant_id, "account_name": "Ours", "auth_method": self.case.method}
        started = (await self.portal.http.post(f"/onboarding/{self.provider}/init", json=wanted)).json()
        self.case.prepare(started["external_id"])
        body = {"account_id": started["account_id"], "auth_method": self.case.method, "credentials": fields}
        return await self.portal.http.post(f"/onboarding/{self.provider}/validate", json=body)


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Callable[[], Case]:
    return CASES[request.param]


@pytest.fixture
async def customer(
    case: Callable[[], Case], stand_in: StandIn, temporal: Client, request: pytest.FixtureRequest
) -> AsyncIterator[Customer]:
    made = case()
    stand_in.faults.clear()
    stand_in.clouds = [made.cloud]
    client = GuardedClient(stand_in.backend(), is_allowed=made.is_allowed, ca_file=stand_in.ca_file, keep_alive=True)
    rig = Rig(temporal, provider=made.make(client))
    portal = open_portal(rig, temporal, LIMITS)
    async with portal.http, rig.worker():
        yield Customer(portal, stand_in, made)
    client.close()


@pytest.fixture
def tell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Fill in a cell of the table."""

    def fill(column: str, text: str) -> None:
        record_property("cell", [request.node.callspec.params["case"], column, text])

    return fill


async def test_a_good_credential_makes_the_account_active(customer: Customer, tell: Callable[..., None]):
    answer = await customer.onboard(customer.case.good)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "active", body
    assert {step["status"] for step in body["steps"]} == {"passed"}
    tell("good", body["status"])


@pytest.mark.parametrize(
    ("wrong", "steps"),
    [("wrong_secret", {"shape", "identify"}), ("other_account", {"identify", "ownership"})],
    ids=["wrong secret", "other account"],
)
async def test_a_wrong_one_is_refused_without_its_values(
    customer: Customer, wrong: str, steps: set[str], tell: Callable[..., None]
):
    fields = getattr(customer.case, wrong)
    answer = await customer.onboard(fields)
    assert answer.status_code == 400, answer.text
    problem = answer.json()["detail"]["problems"][-1]
    assert problem["step"] in steps, problem
    assert problem["remedy"]
    assert shown(fields, answer.text) == []
    tell(wrong.replace("_", " "), f"{problem['step']}: {problem['code']}")


async def test_a_missing_permission_is_named_with_its_remedy(customer: Customer, tell: Callable[..., None]):
    customer.case.take_permissions_away()
    answer = await customer.onboard(customer.case.good)
    if answer.status_code == 200:
        # What identity and ownership are proved by is still granted, and nothing of what an engine needs.
        assert answer.json()["status"] == "active_limited"
        told = answer.json()["steps"][-1]
        assert (told["name"], told["code"]) == ("permissions", "limited_permissions")
    else:
        [told] = answer.json()["detail"]["problems"]
        assert (told["step"], told["code"]) == ("permissions", "missing_permissions")
    assert told["remedy"]
    assert len(told["missing_permissions"]) > 1
    tell("no permissions", f"{len(told['missing_permissions'])} named")


async def test_a_cloud_that_throttles_and_then_answers_costs_no_attempt(customer: Customer, tell: Callable[..., None]):
    customer.stand_in.faults.add(Fault(".", status=429, headers={"Retry-After": "1"}))
    answer = await customer.onboard(customer.case.good)
    assert (answer.status_code, answer.json()["status"]) == (200, "active")
    tell("throttled", answer.json()["status"])


async def test_a_cloud_that_is_down_for_a_while_is_waited_for(customer: Customer, tell: Callable[..., None]):
    customer.stand_in.faults.add(Fault(".", status=503))
    answer = await customer.onboard(customer.case.good)
    assert (answer.status_code, answer.json()["status"]) == (200, "active"), answer.text
    tell("down", answer.json()["status"])


def shown(fields: Any, text: str) -> list[str]:
    """The names of fields whose values are in a text."""
    values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    long = {name: value for name, value in values.items() if len(value) >= SECRET_FIELDS}
    return [name for name, value in long.items() if value in text or value[:60] in text]
