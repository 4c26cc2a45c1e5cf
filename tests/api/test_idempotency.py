"""A POST with an Idempotency-Key: one effect and one answer, however often and however badly it goes."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from domain.errors import Unavailable
from domain.idempotency import Answer, IdempotencyRecord
from tests.api.portal import Portal, add_key, idempotent, open_portal
from tests.fakes import FakeIdempotencyStore
from tests.fakes_clouds import refused

REPLAYED = "Idempotency-Replayed"


class Forgetful(FakeIdempotencyStore):
    """Keeps the record and loses every answer: what a crash between the effect and the answer leaves."""

    def finish(self, record: IdempotencyRecord, answer: Answer) -> None:
        raise Unavailable


def actions(portal: Portal) -> Counter[str]:
    return Counter(event.action for event in portal.rig.stores.ledger.of(portal.rig.tenant_id))


async def test_a_repeat_gets_the_same_bytes(portal: Portal) -> None:
    first, second = await portal.init("key-1"), await portal.init("key-1")
    assert (second.status_code, second.content) == (201, first.content)
    assert (REPLAYED in first.headers, second.headers[REPLAYED]) == (False, "true")


async def test_without_a_key_each_request_is_its_own(portal: Portal) -> None:
    assert await portal.started() != await portal.started()


async def test_another_key_is_another_operation(portal: Portal) -> None:
    first, second = await portal.init("key-1"), await portal.init("key-2")
    assert first.json()["account_id"] != second.json()["account_id"]


async def test_the_order_of_a_bodys_fields_does_not_count(offline: Portal) -> None:
    sent = [{"tenant_name": "Acme", "description": "EU"}, {"description": "EU", "tenant_name": "Acme"}]
    answers = [await offline.http.post("/tenants", json=body, headers=idempotent("key-1")) for body in sent]
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_another_body_is_refused(portal: Portal) -> None:
    await portal.init("key-1")
    answer = await portal.init("key-1", account_name="Other")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "idempotency_mismatch")


async def test_a_key_is_of_its_route_and_its_caller(offline: Portal) -> None:
    body, headers = {"tenant_name": "Acme"}, idempotent("key-1")
    await offline.http.post("/tenants", json=body, headers=headers)
    other = {**headers, "Authorization": f"Bearer {add_key(offline.rig)}"}
    assert (await offline.http.post("/tenants", json=body, headers=other)).status_code == 409


async def test_ten_at_once_start_one_onboarding(portal: Portal) -> None:
    answers = await asyncio.gather(*[portal.init("key-1") for _ in range(10)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert actions(portal)["account.registered"] == 1


async def test_ten_at_once_make_one_tenant(offline: Portal) -> None:
    body, headers = {"tenant_name": "Acme"}, idempotent("key-1")
    answers = await asyncio.gather(*[offline.http.post("/tenants", json=body, headers=headers) for _ in range(10)])
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}


async def test_ten_at_once_hand_in_one_credential(portal: Portal) -> None:
    account_id = await portal.started()
    answers = await asyncio.gather(*[portal.validate(account_id, "key-1") for _ in range(10)])
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert len(portal.rig.provider.calls) == 1


async def test_a_refused_credential_is_not_proved_again(portal: Portal) -> None:
    portal.rig.script(refused())
    account_id = await portal.started()
    first, second = await portal.validate(account_id, "key-1"), await portal.validate(account_id, "key-1")
    assert (second.status_code, second.content) == (400, first.content)
    assert len(portal.rig.provider.calls) == 1


async def test_a_repeat_after_a_lost_answer_does_the_same_again(idle: Portal) -> None:
    portal = open_portal(idle.rig, idle.rig.client, idempotency=Forgetful())
    async with portal.rig.worker():
        first, second = await portal.init("key-1"), await portal.init("key-1")
        assert (second.status_code, second.content) == (201, first.content)
        account_id = first.json()["account_id"]
        # The first of these ends the onboarding; the workflow still knows what came of it.
        first, second = await portal.validate(account_id, "key-2"), await portal.validate(account_id, "key-2")
        assert (first.status_code, second.status_code, second.content) == (200, 200, first.content)
        assert (await portal.init("key-1")).json()["account_id"] == account_id
    expected = {"tenant.created": 1, "account.registered": 1, "credential.submitted": 1, "account.activated": 1}
    assert actions(portal) == expected


async def test_an_onboarding_that_has_ended_never_runs_again(idle: Portal) -> None:
    portal = open_portal(idle.rig, idle.rig.client, replace(idle.services.limits), idempotency=Forgetful())
    async with portal.rig.worker():
        account_id = (await portal.init("key-1")).json()["account_id"]
        await portal.http.post(f"/onboarding/{account_id}/cancel")
        await portal.settled(account_id)
        assert (await portal.init("key-1")).json()["account_id"] == account_id
        assert (await portal.state(account_id))["state"] == "cancelled"


async def test_a_promise_is_not_the_answer(idle: Portal) -> None:
    limits = replace(idle.services.limits, validate_wait_seconds=0.2)
    portal = open_portal(idle.rig, idle.rig.client, limits)
    cloud = portal.rig.hold("provider", "validate")
    async with portal.rig.worker():
        account_id = await portal.started()
        assert (await portal.validate(account_id, "key-1")).status_code == 202
        cloud.let_go()
        await portal.settled(account_id)
        answer = await portal.validate(account_id, "key-1")
        assert (answer.status_code, REPLAYED in answer.headers) == (200, False)


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "\u00e9", "a\tb"])
async def test_a_key_is_visible_ascii(offline: Portal, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    answer = await offline.http.post("/tenants", json={"tenant_name": "Acme"}, headers=headers)
    assert (answer.status_code, answer.json()["detail"]["problems"][0]["pointer"]) == (400, "/Idempotency-Key")


async def test_a_key_may_be_long(offline: Portal) -> None:
    answer = await offline.http.post("/tenants", json={"tenant_name": "Acme"}, headers=idempotent("~" * 255))
    assert answer.status_code == 201
