"""Starting an onboarding, looking at it and ending it."""

import re

import pytest

from domain.callers.tenants import TenantStatus
from tests.api.portal import Portal, codes
from tests.fakes_clouds import refused

ABSENT = "00000000-0000-4000-8000-000000000000"


async def test_init_answers_ids_and_the_deadline(portal: Portal) -> None:
    answer = await portal.init()
    body = answer.json()
    assert answer.status_code == 201
    assert body["account_id"] == body["onboarding_id"]
    assert re.fullmatch(r"te-[0-9a-f]{32}", body["external_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["expires_at"])
    assert (body["provider"], body["auth_method"], body["account_name"]) == ("aws", "iam_role", "Production")
    assert body["quick_create_url"] is None


async def test_the_first_method_is_the_default(portal: Portal) -> None:
    assert (await portal.init(auth_method=None)).json()["auth_method"] == "iam_role"


async def test_a_method_without_an_external_id_shows_none(portal: Portal) -> None:
    assert (await portal.init(auth_method="access_key")).json()["external_id"] is None


async def test_a_name_is_composed_and_trimmed(portal: Portal) -> None:
    answer = await portal.init(account_name="  Cafe\u0301 ")
    assert answer.json()["account_name"] == "Caf\u00e9"


@pytest.mark.parametrize("name", ["", "   ", "a" * 129, "a\nb", "a\u202eb", "a\u2066b", "a\x85b", None, 7])
async def test_a_name_that_nobody_can_read_is_refused(offline: Portal, name: object) -> None:
    answer = await offline.init(account_name=name)
    assert answer.status_code == 422
    assert answer.json()["detail"]["problems"][0]["pointer"] in ("/account_name", "")


@pytest.mark.parametrize("tenant_id", [ABSENT, "no-id", "tenant_id#x"])
async def test_init_needs_a_tenant(offline: Portal, tenant_id: str) -> None:
    answer = await offline.init(tenant_id=tenant_id)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "not_found")


async def test_init_is_refused_for_a_disabled_tenant(offline: Portal) -> None:
    await offline.http.patch(f"/tenants/{offline.rig.tenant_id}", json={"status": TenantStatus.DISABLED})
    assert (await offline.init()).status_code == 409


async def test_init_needs_a_cloud_on_offer(offline: Portal) -> None:
    body = {"tenant_id": offline.rig.tenant_id, "account_name": "Production"}
    assert (await offline.http.post("/onboarding/azure/init", json=body)).status_code == 404


async def test_init_names_the_methods_for_an_unknown_one(offline: Portal) -> None:
    answer = await offline.init(auth_method="password")
    assert (answer.status_code, codes(answer)) == (400, ["unknown_auth_method"])


async def test_nothing_is_promised_without_temporal(offline: Portal) -> None:
    answer = await offline.init()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_nothing_is_promised_without_a_worker(idle: Portal) -> None:
    first = await idle.hurried(accept_wait_seconds=0.3).init("key-1")
    assert (first.status_code, first.headers["Retry-After"]) == (503, "5")
    async with idle.rig.worker():
        second, third = await idle.init("key-1"), await idle.init("key-1")
    assert second.status_code == 201
    assert third.content == second.content


async def test_a_fresh_onboarding_waits_for_its_credential(portal: Portal) -> None:
    account_id = await portal.started()
    state = await portal.state(account_id)
    assert state["state"] == "waiting_for_credential"
    assert state["live"] is True
    assert (state["attempts"], state["max_attempts"], state["submissions"]) == (0, 10, [])


async def test_the_state_tells_every_submission(portal: Portal) -> None:
    portal.rig.script(refused())
    account_id = await portal.started()
    await portal.validate(account_id)
    state = await portal.state(account_id)
    assert [s["result"] for s in state["submissions"]] == ["refused"]
    assert [step["status"] for step in state["steps"]] == ["passed", "failed", "skipped"]
    assert state["attempts"] == 1


async def test_the_row_answers_when_no_worker_does(idle: Portal) -> None:
    async with idle.rig.worker():
        account_id = await idle.started()
    state = await idle.hurried(query_wait_seconds=0.2).state(account_id)
    assert (state["state"], state["live"]) == ("waiting_for_credential", False)


async def test_an_ended_onboarding_is_told_from_its_row(portal: Portal) -> None:
    account_id = await portal.started()
    await portal.validate(account_id)
    state = await portal.state(account_id)
    assert (state["state"], state["live"], state["account_number"]) == ("active", True, "222222222222")
    assert len(state["steps"]) == 5


@pytest.mark.parametrize("onboarding_id", [ABSENT, "x", "%00", "a" * 5000])
async def test_there_is_no_state_of_an_absent_onboarding(offline: Portal, onboarding_id: str) -> None:
    assert (await offline.http.get(f"/onboarding/{onboarding_id}")).status_code == 404


async def test_cancel_ends_the_onboarding(portal: Portal) -> None:
    account_id = await portal.started()
    answer = await portal.http.post(f"/onboarding/{account_id}/cancel", json={"reason": "Wrong account."})
    assert (answer.status_code, answer.json()["account_id"]) == (202, account_id)
    state = await portal.settled(account_id)
    assert (state["state"], state["reason"]) == ("cancelled", "cancelled")


async def test_cancel_needs_no_body(portal: Portal) -> None:
    account_id = await portal.started()
    assert (await portal.http.post(f"/onboarding/{account_id}/cancel")).status_code == 202


async def test_an_onboarding_is_cancelled_once(portal: Portal) -> None:
    account_id = await portal.started()
    await portal.http.post(f"/onboarding/{account_id}/cancel")
    answer = await portal.http.post(f"/onboarding/{account_id}/cancel")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "onboarding_closed")


async def test_an_active_account_cannot_be_cancelled(portal: Portal) -> None:
    account_id = await portal.started()
    await portal.validate(account_id)
    answer = await portal.http.post(f"/onboarding/{account_id}/cancel")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "onboarding_closed")


async def test_cancel_needs_an_onboarding(offline: Portal) -> None:
    assert (await offline.http.post(f"/onboarding/{ABSENT}/cancel")).status_code == 404


async def test_a_reason_is_short(offline: Portal) -> None:
    answer = await offline.http.post(f"/onboarding/{ABSENT}/cancel", json={"reason": "a" * 201})
    assert (answer.status_code, codes(answer)) == (422, ["too_long"])
