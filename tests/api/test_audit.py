"""The audit trail over HTTP: read with filters, and complete."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from domain.audit.events import AuditEvent
from domain.callers.access import Role
from domain.callers.tenants import PLATFORM
from tests.api.portal import Portal, add_key, codes
from tests.api.whole_portal import WholePortal, whole_portal
from tests.fakes_clouds import ROLE_ARN
from tests.stores.samples import new_event

ABSENT = "00000000-0000-4000-8000-000000000000"


def written(portal: Portal, tenant_id: str) -> list[AuditEvent]:
    """Nine events, oldest first."""
    events = []
    for number in range(9):
        event = replace(
            new_event(tenant_id, at=f"2026-03-{number + 1:02}T00:00:00.000Z"),
            action=("scan.started", "scan.ended")[number % 2],
            actor=f"key:{number % 3}",
            target=f"account:{number % 4}",
        )
        portal.rig.stores.audit.record(event)
        events.append(event)
    return events


@pytest.fixture
def tenant_id(offline: Portal) -> str:
    return offline.rig.tenant_id


async def listed(portal: Portal, **query: Any) -> list[dict[str, Any]]:
    answer = await portal.http.get("/audit-events", params=query)
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


async def test_an_event_says_who_did_what_when_and_to_what(offline: Portal, tenant_id: str):
    [event, *_] = written(offline, tenant_id)
    shown = (await listed(offline, tenant_id=tenant_id, target=event.target))[0]
    assert shown == {
        "event_id": event.event_id,
        "tenant_id": tenant_id,
        "at": "2026-03-01T00:00:00.000Z",
        "actor": "key:0",
        "request_id": "test",
        "action": "scan.started",
        "target": "account:0",
        "outcome": "ok",
        "details": {"code": "ok"},
    }


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({}, range(1, 10)),
        ({"action": "scan.ended"}, [2, 4, 6, 8]),
        ({"actor": "key:2"}, [3, 6, 9]),
        ({"target": "account:1"}, [2, 6]),
        ({"since": "2026-03-07T00:00:00Z"}, [7, 8, 9]),
        ({"until": "2026-03-03T00:00:00Z"}, [1, 2]),
        ({"since": "2026-03-07T03:30:00+05:30", "until": "2026-03-08T00:00:00.001Z"}, [7, 8]),
        ({"action": "scan.ended", "actor": "key:2"}, [6]),
        ({"action": "thing"}, []),
    ],
)
async def test_filters_are_exact_and_a_time_includes_its_beginning(
    offline: Portal, tenant_id: str, query: dict[str, str], days: Any
):
    written(offline, tenant_id)
    query = {"since": "2026-03-01T00:00:00Z", **query}
    shown = await listed(offline, tenant_id=tenant_id, **query)
    assert [event["at"] for event in shown] == [f"2026-03-{day:02}T00:00:00.000Z" for day in days]


async def test_pages_go_on_and_keep_their_filters(offline: Portal, tenant_id: str):
    events = [event.event_id for event in written(offline, tenant_id)]
    query: dict[str, Any] = {"tenant_id": tenant_id, "since": "2026-03-01T00:00:00Z", "limit": 4}
    found = list[str]()
    page = (await offline.http.get("/audit-events", params=query)).json()
    other = {**query, "cursor": page["next_cursor"], "action": "scan.ended"}
    assert codes(await offline.http.get("/audit-events", params=other)) == ["bad_cursor"]
    while True:
        found += [event["event_id"] for event in page["events"]]
        if page["next_cursor"] is None:
            break
        page = (await offline.http.get("/audit-events", params={**query, "cursor": page["next_cursor"]})).json()
    assert found == events


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "text", ["yesterday", "2026-03-07", "2026-03-07T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
async def test_a_moment_that_cannot_be_is_refused(offline: Portal, tenant_id: str, name: str, text: str):
    answer = await offline.http.get("/audit-events", params={"tenant_id": tenant_id, name: text})
    assert answer.status_code == 400
    assert [problem["pointer"] for problem in answer.json()["detail"]["problems"]] == [f"/{name}"]


async def test_a_range_that_ends_before_it_begins_is_refused(offline: Portal, tenant_id: str):
    query = {"tenant_id": tenant_id, "since": "2026-03-08T00:00:00Z", "until": "2026-03-07T00:00:00Z"}
    answer = await offline.http.get("/audit-events", params=query)
    assert (answer.status_code, answer.json()["detail"]["problems"][0]["pointer"]) == (400, "/until")


async def test_the_platforms_own_events_are_for_its_own_callers(offline: Portal, tenant_id: str):
    assert await listed(offline, tenant_id=PLATFORM)
    offline.http.headers["Authorization"] = f"Bearer {add_key(offline.rig, tenant_id=tenant_id)}"
    assert await listed(offline, tenant_id=tenant_id)
    foreign = await offline.http.get("/audit-events", params={"tenant_id": PLATFORM})
    absent = await offline.http.get("/audit-events", params={"tenant_id": ABSENT})
    assert (foreign.status_code, foreign.json()) == (404, absent.json())


async def test_it_takes_the_scope(offline: Portal, tenant_id: str):
    key = add_key(offline.rig, tenant_id=tenant_id, role=Role.OPERATOR)
    offline.http.headers["Authorization"] = f"Bearer {key}"
    answer = await offline.http.get("/audit-events", params={"tenant_id": tenant_id})
    assert answer.status_code == 403


# Complete: whatever was changed is on record by the time of the answer

CHANGE_NOTHING = {"POST /api/v1/schedules/preview", "POST /api/v1/schedules/{schedule_id}/preview"}


@dataclass
class Sender:
    """Sends every request that changes something, each with an id of its own."""

    whole: WholePortal
    sent: dict[str, list[tuple[str, httpx.Response]]] = field(default_factory=dict)
    """Request ids and answers, by method and path."""
    _numbers: Any = field(default_factory=count)

    async def send(self, operation: str, query: str = "", body: Any = None, **ids: str) -> httpx.Response:
        method, path = operation.split(" ")
        request_id = f"change-{next(self._numbers)}-{uuid4().hex[:8]}"
        url = path.removeprefix("/api/v1").format_map({**self.whole.ids, **ids}) + query
        headers = {"X-Request-Id": request_id}
        answer = await self.whole.portal.http.request(method, url, json=body, headers=headers)
        self.sent.setdefault(operation, []).append((request_id, answer))
        return answer

    async def everything(self) -> None:
        await self.tenants_and_keys()
        await self.onboardings()
        await self.schedules()

    async def tenants_and_keys(self) -> None:
        await self.send("POST /api/v1/tenants", body={"tenant_name": f"Acme {uuid4()}"})
        await self.send("PATCH /api/v1/tenants/{tenant_id}", body={"description": f"Customer {uuid4()}"})
        key = {"tenant_id": self.whole.ids["tenant_id"], "name": "CI", "role": "viewer"}
        await self.send("POST /api/v1/api-keys", body=key)
        await self.send("DELETE /api/v1/api-keys/{key_id}")

    async def onboardings(self) -> None:
        init, validate = "POST /api/v1/onboarding/{provider}/init", "POST /api/v1/onboarding/{provider}/validate"
        account_id = self.whole.ids["onboarding_id"]
        submission = {
            "account_id": account_id,
            "auth_method": "iam_role",
            "credentials": {"role_arn": ROLE_ARN},
        }
        await self.send(validate, query="?dry_run=true", body=submission)
        self.whole.portal.rig.provider.script.clear()
        await self.send(validate, body=submission)
        started = {"tenant_id": self.whole.ids["tenant_id"], "account_name": "Production", "auth_method": "iam_role"}
        first = await self.send(init, body=started)
        outputs = {"RoleArn": ROLE_ARN, "AccountId": ROLE_ARN.split(":")[4]}
        body = {"account_id": account_of(first, account_id), "onboarding_json": outputs}
        await self.send("POST /api/v1/onboarding/aws/validate-json", body=body)
        second = await self.send(init, body=started)
        other = account_of(second, account_id)
        await self.send("POST /api/v1/onboarding/{onboarding_id}/cancel", onboarding_id=other)

    async def schedules(self) -> None:
        ids = self.whole.ids
        body = {"tenant_id": ids["tenant_id"], "account_id": ids["account_id"], "name": "Nightly"}
        cadence = {"schedule_type": "cron", "cron_expression": "0 2 * * *"}
        await self.send("POST /api/v1/schedules", body={**body, **cadence})
        await self.send("PUT /api/v1/schedules/{schedule_id}", body={"description": "Every night"})
        run = await self.send("POST /api/v1/schedules/{schedule_id}/trigger")
        execution_id = run.json().get("scan_id", ids["execution_id"])
        await self.send("POST /api/v1/executions/{execution_id}/cancel", execution_id=execution_id)
        await self.send("DELETE /api/v1/schedules/{schedule_id}")


def account_of(answer: httpx.Response, otherwise: str) -> str:
    return str(answer.json().get("account_id", otherwise))


@pytest.fixture
async def sender(temporal: Client) -> AsyncIterator[Sender]:
    async with whole_portal(temporal) as whole:
        yield Sender(whole)


def recorded(sender: Sender) -> dict[str, list[str]]:
    """The actions of each request id."""
    found: dict[str, list[str]] = {}
    for event in sender.whole.portal.rig.stores.ledger.all():
        found.setdefault(event.request_id, []).append(event.action)
    return found


async def test_whatever_is_changed_is_on_record_when_the_answer_comes(sender: Sender):
    await sender.everything()
    on_record = recorded(sender)
    paths = sender.whole.portal.app.openapi()["paths"]
    changing = {f"{m.upper()} {path}" for path in paths for m in paths[path] if m != "get"} - CHANGE_NOTHING
    assert set(sender.sent) == changing
    for operation, sent in sender.sent.items():
        for request_id, answer in sent:
            # A scan may have ended by itself before it was stopped.
            assert answer.is_success or answer.status_code in (400, 409), f"{operation}: {answer.text}"
            if answer.is_success:
                assert on_record.get(request_id), f"{operation} left nothing"
    assert {action for actions in on_record.values() for action in actions} >= {
        *("credential.submitted", "credential.probed", "cancellation.requested", "account.registered"),
        *("scan.started", "schedule.created", "schedule.changed", "schedule.deleted", "tenant.changed"),
    }


async def test_a_repeated_request_is_on_record_once(sender: Sender):
    portal = sender.whole.portal
    account_id = await portal.started()
    for _ in range(3):
        await portal.validate(account_id, key="once")
    events = portal.rig.stores.ledger.all()
    about = [event.action for event in events if event.target == f"account:{account_id}"]
    assert about == ["account.registered", "credential.submitted", "account.activated"]


async def test_no_value_that_was_sent_is_on_record(sender: Sender):
    await sender.everything()
    text = repr(sender.whole.portal.rig.stores.ledger.all())
    assert ROLE_ARN not in text
    assert "Every night" not in text


async def test_while_nothing_can_be_recorded_every_change_is_refused_and_reading_goes_on(sender: Sender):
    portal = sender.whole.portal
    hurried = replace(portal.services.limits, accept_wait_seconds=1)
    portal.app.state.services = replace(portal.services, limits=hurried)
    ledger = portal.rig.stores.ledger
    before = ledger.all()
    ledger.down = True
    await sender.everything()
    statuses = {
        operation: {answer.status_code for _, answer in answers} - {409} for operation, answers in sender.sent.items()
    }
    assert {operation: status for operation, status in statuses.items() if status - {503}} == {}
    assert sum(answer.status_code == 503 for answers in sender.sent.values() for _, answer in answers) >= 15
    assert all("Retry-After" in a.headers for s in sender.sent.values() for _, a in s if a.status_code == 503)
    assert ledger.all() == before
    ids = sender.whole.ids
    for path in (
        f"/audit-events?tenant_id={ids['tenant_id']}",
        f"/tenants/{ids['tenant_id']}",
        f"/onboarding/accounts?tenant_id={ids['tenant_id']}",
        f"/onboarding/{ids['onboarding_id']}",
        f"/schedules/{ids['schedule_id']}",
        f"/executions/{ids['execution_id']}",
    ):
        assert (await portal.http.get(path)).status_code == 200
    ledger.down = False


async def test_what_a_workflow_could_not_record_is_done_when_it_can(portal: Portal):
    """The step is tried again until both are written."""
    ledger = portal.rig.stores.ledger
    hurried = portal.hurried(accept_wait_seconds=1)
    ledger.down = True
    refused = await hurried.init(key="later")
    assert refused.status_code == 503
    ledger.down = False
    answer = await portal.init(key="later")
    assert answer.status_code in (201, 503)
    again = await portal.init(key="later")
    assert again.status_code == 201
    actions = [event.action for event in ledger.of(portal.rig.tenant_id)]
    assert actions.count("account.registered") == 1
