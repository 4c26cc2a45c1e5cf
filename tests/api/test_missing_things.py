"""A 404 says which thing the request named, and where; the same for what is missing and what is another tenant's."""

import pytest

from api.auth.permissions import Tenancy
from tests.api.portal import Portal, add_key
from tests.api.test_isolation import ABSENT, Houses, houses, with_tenancy

__all__ = ["houses"]

THINGS = {
    "tenant_id": "tenant",
    "account_id": "account",
    "onboarding_id": "onboarding",
    "schedule_id": "schedule",
    "execution_id": "execution",
    "scan_id": "scan result",
    "key_id": "API key",
}


async def test_every_404_names_the_thing_and_where_it_was_named(houses: Houses) -> None:
    """Both for what is another tenant's and for what nobody has."""
    named: set[str] = set()
    for call in with_tenancy(houses.portal, Tenancy.OWNED, Tenancy.NAMED):
        for names in (houses.foreign, ABSENT):
            answer, _ = await houses.call(call, names)
            [problem] = answer.json()["detail"]["problems"]
            name = problem["pointer"].removeprefix("/")
            assert problem["code"] == "not_found"
            assert problem["message"].startswith(f"There is no such {THINGS[name]} here; its id is "), call.path
            assert f"{{{name}}}" in call.path or name not in str(call.path)
            named.add(name)
    assert named == set(THINGS)


async def test_the_account_of_a_new_schedule_is_named_apart_from_its_tenant(offline: Portal) -> None:
    """Ones own tenant, and an account that is not in it."""
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=offline.rig.tenant_id)}"
    body = {
        "tenant_id": offline.rig.tenant_id,
        "account_id": ABSENT["account_id"],
        "name": "Nightly",
        "schedule_type": "cron",
        "cron_expression": "0 2 * * *",
    }
    answer = await offline.http.post("/schedules", json=body)
    assert (answer.status_code, answer.json()["detail"]["problems"][0]["pointer"]) == (404, "/account_id")


@pytest.mark.parametrize("path", ["/onboarding/accounts/Prod", "/schedules/1", "/executions/1", "/scan-results/1"])
async def test_what_cannot_be_an_id_is_told_what_an_id_is(offline: Portal, path: str) -> None:
    answer = await offline.http.get(path)
    assert answer.status_code == 404
    assert "UUID in lower case" in answer.json()["detail"]["message"]
    assert "Prod" not in answer.text
