"""One event for one change: which one each operation leaves, and that a thousand mixed requests leave as many as they
change things."""

from collections import Counter
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from domain.audit.events import AuditEvent
from domain.callers.access import Role
from domain.callers.tenants import PLATFORM
from tests.api.portal import Portal, add_key, idempotent
from tests.api.test_audit import Sender, sender
from tests.rig import eventually

__all__ = ["sender"]

ABSENT = "00000000-0000-4000-8000-000000000000"
MIXED = 5_000

REQUESTED = {
    "POST /api/v1/tenants": ("tenant.created", "tenant:", "ok"),
    "PATCH /api/v1/tenants/{tenant_id}": ("tenant.changed", "tenant:", "ok"),
    "POST /api/v1/api-keys": ("api_key.created", "api_key:", "ok"),
    "DELETE /api/v1/api-keys/{key_id}": ("api_key.revoked", "api_key:", "ok"),
    "POST /api/v1/onboarding/{provider}/init": ("account.registered", "account:", "ok"),
    "POST /api/v1/onboarding/{provider}/validate": ("credential.submitted", "account:", "requested"),
    "POST /api/v1/onboarding/aws/validate-json": ("credential.submitted", "account:", "requested"),
    "POST /api/v1/onboarding/{onboarding_id}/cancel": ("cancellation.requested", "account:", "requested"),
    "POST /api/v1/schedules": ("schedule.created", "schedule:", "ok"),
    "PUT /api/v1/schedules/{schedule_id}": ("schedule.changed", "schedule:", "ok"),
    "DELETE /api/v1/schedules/{schedule_id}": ("schedule.deleted", "schedule:", "ok"),
    "POST /api/v1/schedules/{schedule_id}/trigger": ("scan.started", "execution:", "ok"),
    "POST /api/v1/executions/{execution_id}/cancel": ("cancellation.requested", "execution:", "requested"),
}
"""What the request itself leaves, before or with its answer."""

DECIDED = {"account.activated", "credential.refused", "onboarding.ended", "scan.ended"}
"""What workflows decide because of it, each once."""


def _is_the_platforms_copy(event: AuditEvent) -> bool:
    """The platform's trail names each tenant that is made, too."""
    return (event.tenant_id, event.action) == (PLATFORM, "tenant.created")


async def test_each_change_is_one_event_that_says_who_did_what_to_what(sender: Sender):
    await sender.everything()
    portal = sender.whole.portal
    actor = f"key:{portal.http.headers['Authorization'].split('_')[1]}"
    changed = {operation for operation, sent in sender.sent.items() if any(a.is_success for _, a in sent)}
    assert set(sender.sent) == set(REQUESTED)
    for operation in changed:
        action, target, outcome = REQUESTED[operation]
        for request_id, answer in sender.sent[operation]:
            events = [event for event in portal.rig.stores.ledger.all() if event.request_id == request_id]
            events = [event for event in events if not _is_the_platforms_copy(event)]
            own = [event for event in events if event.action not in DECIDED]
            assert len(own) == 1 if answer.is_success else len(own) <= 1, (operation, own)
            for event in own:
                assert event.action in (action, "credential.probed"), operation
                assert (event.outcome, event.actor) in ((outcome, actor), ("requested", actor)), operation
                assert event.target.startswith(target)
                assert event.at
                assert event.tenant_id
            assert max(Counter(event.action for event in events).values(), default=1) == 1, (operation, events)


async def test_what_the_workflows_decide_has_the_request_that_caused_it(sender: Sender):
    await sender.everything()
    ledger = sender.whole.portal.rig.stores.ledger
    submitted = {event.request_id for event in ledger.all() if event.action == "credential.submitted"}
    cancelled = {
        event.request_id
        for event in ledger.all()
        if event.action == "cancellation.requested" and event.target.startswith("account:")
    }

    async def decided() -> bool:
        done = {action: {e.request_id for e in ledger.all() if e.action == action} for action in DECIDED}
        return submitted <= done["account.activated"] | done["credential.refused"] and (
            cancelled <= done["onboarding.ended"]
        )

    assert submitted
    assert cancelled
    await eventually(decided)


class Mixed:
    """Requests of every kind that need no workflow, many of which change nothing."""

    def __init__(self, portal: Portal, random: Random) -> None:
        self.portal, self.random = portal, random
        self.tenants, self.keys = [portal.rig.tenant_id], list[str]()
        self.changes = Counter[str]()
        self.viewer = add_key(portal.rig, tenant_id=portal.rig.tenant_id, role=Role.VIEWER)

    async def one(self) -> None:
        await self.random.choice(
            [self.tenant, self.change, self.key, self.revoke, self.read, self.refused, self.repeat]
        )()

    async def tenant(self) -> httpx.Response:
        answer = await self._post("/tenants", {"tenant_name": f"T {uuid4()}"})
        self.tenants.append(answer.json()["tenant_id"])
        self.changes["tenant.created"] += 1
        return answer

    async def change(self) -> None:
        path = f"/tenants/{self.random.choice(self.tenants)}"
        answer = await self.portal.http.patch(path, json={"description": f"D {uuid4()}"})
        self.changes["tenant.changed"] += answer.is_success

    async def key(self) -> None:
        answer = await self._post("/api-keys", self._key())
        self.keys.append(answer.json()["key_id"])
        self.changes["api_key.created"] += 1

    async def revoke(self) -> None:
        """A second time it changes nothing."""
        if self.keys:
            key_id = self.random.choice(self.keys)
            for _ in range(2):
                assert (await self.portal.http.delete(f"/api-keys/{key_id}")).is_success
            self.keys.remove(key_id)
            self.changes["api_key.revoked"] += 1

    async def repeat(self) -> None:
        body, key = self._key(), uuid4().hex
        answers = [await self._post("/api-keys", body, key) for _ in range(2)]
        assert answers[0].json()["key_id"] == answers[1].json()["key_id"]
        self.keys.append(answers[0].json()["key_id"])
        self.changes["api_key.created"] += 1

    async def read(self) -> None:
        assert (await self.portal.http.get(f"/tenants/{self.random.choice(self.tenants)}")).is_success

    async def refused(self) -> None:
        """Without the scope, malformed, or of what is not there."""
        as_viewer = {"Authorization": f"Bearer {self.viewer}"}
        answers = [
            await self.portal.http.post("/api-keys", json=self._key(), headers=as_viewer),
            await self._post("/api-keys", {**self._key(), "role": "emperor"}),
            await self._post("/api-keys", {**self._key(), "tenant_id": ABSENT}),
            await self.portal.http.patch(f"/tenants/{ABSENT}", json={"description": "x"}),
            await self.portal.http.delete(f"/api-keys/{'0' * 16}"),
        ]
        assert {answer.status_code for answer in answers} == {403, 404, 422}

    def _key(self) -> dict[str, Any]:
        return {"tenant_id": self.random.choice(self.tenants), "name": "CI", "role": "viewer"}

    async def _post(self, path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
        return await self.portal.http.post(path, json=body, headers=idempotent(key))


async def test_thousands_of_mixed_requests_leave_one_event_for_each_change(offline: Portal):
    before = Counter(event.action for event in offline.rig.stores.ledger.all() if not _is_the_platforms_copy(event))
    mixed = Mixed(offline, Random(26))
    before["key.created"] += 1  # the viewer's
    for _ in range(MIXED // 2):  # the half of them send two requests, or five
        await mixed.one()
    of_tenants = [event for event in offline.rig.stores.ledger.all() if not _is_the_platforms_copy(event)]
    found = Counter(event.action for event in of_tenants)
    assert found - before == mixed.changes
    assert mixed.changes.total() > MIXED // 5
