"""Small runs of what `make security` counts: every figure is met, and each program sees what it looks for."""

import logging
from collections.abc import Iterator
from random import Random

import httpx
import pytest
import structlog

from domain.callers.api_keys import new_key_text
from tests.api.portal import add_key
from tests.api.routes import Call
from tests.api.test_isolation import furnished
from tests.providers.canned_aws import Request
from tests.security import confused_deputy, cross_tenant, random_keys
from tests.security.__main__ import PROGRAMS, Program
from tests.security.customer_roles import VICTIMS, legitimate
from tests.security.offline import offline

OWN = "te-00000000000000000000000000000000"
PROBE = f"te-probe-{'0' * 32}"


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """The programs silence the process that they run in."""
    configured, disabled = structlog.get_config(), logging.root.manager.disable
    yield
    structlog.configure(**configured)
    logging.disable(disabled)


@pytest.mark.parametrize("name", ["cross-tenant", "forged-tokens", "random-keys"])
async def test_what_needs_no_server_meets_its_figures(name: str):
    await meets_its_figures(PROGRAMS[name])


@pytest.mark.stack
async def test_no_confused_deputy_gets_anywhere():
    await meets_its_figures(confused_deputy.run)


async def meets_its_figures(program: Program) -> None:
    figures = await program(quick=True)
    assert [figure.name for figure in figures if not figure.met] == []


async def test_a_caller_who_does_reach_another_tenant_is_seen():
    async with offline() as portal:
        own = cross_tenant.with_filters(furnished(portal))
        found = await cross_tenant.attack(portal, own, [add_key(portal.rig)], count=1)
    assert any(name.startswith("GET /api/v1/schedules/{schedule_id} ") for name in found.allowed)
    assert any(name.startswith("GET /api/v1/schedules/{schedule_id} ") for name in found.told_apart)
    assert found.changed == 1


def test_answers_are_compared_without_the_requests_own_id():
    def answered(request_id: str, text: str) -> httpx.Response:
        return httpx.Response(404, headers={"X-Request-Id": request_id}, text=text)

    attempt = cross_tenant.Attempt(Call("GET", "/", {}), ("tenant_id",), {})
    for second, apart in (("missing b", 0), ("other b", 1)):
        found = cross_tenant.Found()
        found.note(attempt, answered("a", "missing a"), answered("b", second))
        assert len(found.told_apart) == apart


@pytest.mark.parametrize("way", random_keys.WAYS)
def test_each_way_makes_keys_that_differ_from_the_good_one(way: str):
    good = new_key_text()
    assert random_keys.WAYS[way](good, Random(1)) != good


@pytest.mark.parametrize(
    ("external_id", "session", "right"),
    [
        (OWN, "te-validation", True),
        (VICTIMS, "te-validation", False),
        (OWN.upper(), "te-validation", False),
        ("", "te-validation", False),
        (None, "te-validation", False),
        (PROBE, "te-validation", False),
        (None, "te-trust-probe", True),
        (PROBE, "te-trust-probe", True),
        (VICTIMS, "te-trust-probe", False),
    ],
)
def test_a_role_is_tried_with_its_own_id_or_to_see_that_it_stays_shut(
    external_id: str | None, session: str, right: bool
):
    given = {} if external_id is None else {"ExternalId": external_id}
    request = Request("AssumeRole", "ours", {"RoleSessionName": session, **given})
    assert legitimate(request, OWN) is right
