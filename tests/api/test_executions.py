"""Scans triggered, followed and stopped."""

import asyncio
import threading
from dataclasses import replace

import pytest
from temporalio.client import Client

from domain.callers.tenants import TenantStatus
from domain.errors import CredentialRefused, OnboardingError, Problem
from domain.scans.scan import EngineProgress, ExecutionStatus
from tests.api.conftest import NOWHERE
from tests.api.portal import idempotent
from tests.api.scan_portal import HOOK, LIMITS, ScanPortal, open_scan_portal
from tests.api.test_idempotency import REPLAYED, Forgetful
from tests.api.test_schedules import ABSENT
from tests.fakes_scans import DeafEngine, FakeEngines, ScriptedEngine
from tests.rig import eventually, until_set
from tests.scan_rig import ScanRig
from workflows.ids import scan_id

GONE = Problem("role_not_assumable", "The role cannot be assumed.", step="identify", remedy="Look at its trust policy.")


@pytest.fixture
def hold(scans: ScanPortal) -> threading.Event:
    """The engine works until this is set."""
    scans.engine.hold = threading.Event()
    return scans.engine.hold


def starts(scans: ScanPortal) -> int:
    return [event.action for event in scans.rig.stores.ledger.of(scans.rig.tenant_id)].count("scan.started")


async def is_told_to_stop(scans: ScanPortal, execution_id: str) -> bool:
    run = scans.rig.client.get_workflow_handle(scan_id(scans.rig.tenant_id, execution_id))
    events = (await run.fetch_history()).events
    accepted = [e.workflow_execution_update_accepted_event_attributes.accepted_request.input.name for e in events]
    return "cancel" in accepted


class TestTriggering:
    async def test_a_scan_starts_and_can_be_followed_to_its_end(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        answer = await scans.trigger(schedule_id)
        body = answer.json()
        assert (answer.status_code, body["status"], body["message"]) == (200, "triggered", "The scan has started.")
        run = await scans.ended(body["scan_id"])
        assert (run["execution_id"], run["scan_id"]) == (body["scan_id"], body["scan_id"])
        assert (run["status"], run["triggered_by"], run["schedule_id"]) == ("completed", "manual", schedule_id)
        counts = (run["total_checks"], run["passed_checks"], run["failed_checks"], run["error_checks"])
        assert (counts, run["error_code"]) == ((3, 1, 1, 1), None)
        assert run["execution_time_seconds"] >= 0
        shown = await scans.schedule(schedule_id)
        assert (shown["run_count"], shown["success_count"], shown["last_run_at"]) == (1, 1, run["started_at"])

    async def test_who_triggered_it_is_on_record(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        await scans.http.post(f"/schedules/{schedule_id}/trigger", headers={"X-Request-Id": "my-1"})
        events = [e for e in scans.rig.stores.ledger.of(scans.rig.tenant_id) if e.action == "scan.started"]
        assert [(event.request_id, event.actor[:4]) for event in events] == [("my-1", "key:")]

    async def test_while_one_runs_the_answer_names_it(self, scans: ScanPortal, hold: threading.Event) -> None:
        schedule_id = await scans.made()
        running = await scans.triggered(schedule_id)
        answer = await scans.trigger(schedule_id)
        detail = answer.json()["detail"]
        assert (answer.status_code, detail["code"]) == (409, "scan_running")
        assert running in detail["message"]
        assert answer.headers["Location"] == f"/api/v1/executions/{running}"
        followed = await scans.http.get(f"http://api.test{answer.headers['Location']}")
        assert (followed.json()["status"], followed.json()["completed_at"]) == ("running", None)
        assert (await scans.schedule(schedule_id))["running_execution_id"] == running
        hold.set()
        assert (await scans.ended(running))["status"] == "completed"
        assert starts(scans) == 1

    async def test_of_ten_at_once_one_runs(self, scans: ScanPortal, hold: threading.Event) -> None:
        schedule_id = await scans.made()
        answers = await asyncio.gather(*[scans.trigger(schedule_id) for _ in range(10)])
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
        hold.set()
        [started] = [answer.json()["scan_id"] for answer in answers if answer.status_code == 200]
        await scans.ended(started)
        assert starts(scans) == 1

    async def test_a_paused_schedule_can_be_tried(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        await scans.change(schedule_id, status="paused")
        assert (await scans.ended(await scans.triggered(schedule_id)))["status"] == "completed"
        assert (await scans.schedule(schedule_id))["status"] == "paused"

    async def test_an_account_that_went_is_not_scanned(self, scans: ScanPortal) -> None:
        schedule_id, rows = await scans.made(), scans.rig.scans.schedule_rows
        rows[schedule_id] = replace(rows[schedule_id], account_id=scans.rig.pending_account().account_id)
        answer = await scans.trigger(schedule_id)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "conflict")
        assert "not active" in answer.json()["detail"]["message"]
        assert starts(scans) == 0

    async def test_of_a_disabled_tenant_nothing_is_scanned_not_even_for_the_platform(self, scans: ScanPortal) -> None:
        schedule_id, tenant = await scans.made(), f"/tenants/{scans.rig.tenant_id}"
        await scans.http.patch(tenant, json={"status": TenantStatus.DISABLED})
        answer = await scans.trigger(schedule_id)
        assert (answer.status_code, answer.json()["detail"]["code"], starts(scans)) == (409, "tenant_disabled", 0)
        await scans.http.patch(tenant, json={"status": TenantStatus.ACTIVE})
        assert (await scans.ended(await scans.triggered(schedule_id)))["status"] == "completed"

    async def test_without_an_engine_for_the_cloud_it_says_so(self, idle_scans: ScanPortal) -> None:
        idle_scans.rig.engines = FakeEngines()
        async with idle_scans.rig.worker():
            answer = await idle_scans.trigger(await idle_scans.made())
        assert (answer.status_code, "engine" in answer.json()["detail"]["message"]) == (409, True)

    async def test_a_body_has_nothing_to_say(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        assert (await scans.http.post(f"/schedules/{schedule_id}/trigger", json={"now": True})).status_code == 422
        assert (await scans.http.post(f"/schedules/{schedule_id}/trigger", json={})).status_code == 200


class TestTriggeringOnce:
    """With an Idempotency-Key."""

    async def test_a_repeat_starts_nothing(self, scans: ScanPortal, hold: threading.Event) -> None:
        schedule_id = await scans.made()
        first, second = await scans.trigger(schedule_id, "key-1"), await scans.trigger(schedule_id, "key-1")
        assert (second.status_code, second.content, second.headers[REPLAYED]) == (200, first.content, "true")
        hold.set()
        await scans.ended(first.json()["scan_id"])
        assert starts(scans) == 1

    @pytest.mark.parametrize("is_over", [False, True])
    async def test_a_repeat_after_a_lost_answer_starts_nothing(self, temporal: Client, is_over: bool) -> None:
        rig = ScanRig(temporal)
        scans = await open_scan_portal(rig, idempotency=Forgetful())
        hold = scans.engine.hold = threading.Event()
        async with scans.http, rig.worker():
            schedule_id = await scans.made()
            first = await scans.trigger(schedule_id, "key-1")
            if is_over:
                hold.set()
                await scans.ended(first.json()["scan_id"])
            second = await scans.trigger(schedule_id, "key-1")
            hold.set()
            await scans.ended(first.json()["scan_id"])
        assert (second.status_code, second.content) == (200, first.content)
        assert starts(scans) == 1

    async def test_a_refusal_that_passes_is_not_the_answer(self, scans: ScanPortal, hold: threading.Event) -> None:
        """The same key, sent again when the other scan has ended, really scans."""
        schedule_id = await scans.made()
        other = await scans.triggered(schedule_id)
        refused = await scans.trigger(schedule_id, "key-1")
        assert refused.status_code == 409
        hold.set()
        await scans.ended(other)
        answer = await scans.trigger(schedule_id, "key-1")
        assert answer.status_code == 200
        assert (await scans.ended(answer.json()["scan_id"]))["status"] == "completed"
        assert starts(scans) == 2

    async def test_the_same_key_goes_on_when_a_worker_comes(self, idle_scans: ScanPortal) -> None:
        async with idle_scans.rig.worker():
            schedule_id = await idle_scans.made()
        hurried = await open_scan_portal(idle_scans.rig, limits=replace(LIMITS, accept_wait_seconds=0.5))
        hurried.http.headers = idle_scans.http.headers
        first = await hurried.trigger(schedule_id, "key-1")
        assert (first.status_code, first.headers["Retry-After"]) == (503, "5")
        async with idle_scans.rig.worker():
            second = await idle_scans.trigger(schedule_id, "key-1")
            assert second.status_code == 200
            assert (await idle_scans.ended(second.json()["scan_id"]))["status"] == "completed"
        assert starts(idle_scans) == 1

    async def test_nothing_is_promised_without_temporal(self, temporal: Client) -> None:
        rig = ScanRig(temporal)
        row = rig.stored()
        scans = await open_scan_portal(rig, await Client.connect(NOWHERE, lazy=True))
        async with scans.http:
            answer = await scans.trigger(row.schedule_id)
        assert (answer.status_code, answer.headers["Retry-After"], starts(scans)) == (503, "5", 0)


class TestStopping:
    async def stop(self, scans: ScanPortal, execution_id: str, key: str | None = None) -> tuple[int, str]:
        answer = await scans.http.post(f"/executions/{execution_id}/cancel", headers=idempotent(key))
        body = answer.json()
        return answer.status_code, body["status"] if answer.status_code == 202 else body["detail"]["code"]

    async def test_a_running_scan_is_stopped(self, scans: ScanPortal, hold: threading.Event) -> None:
        schedule_id = await scans.made()
        run = await scans.triggered(schedule_id)
        await scans.reached()
        assert await self.stop(scans, run) == (202, "cancelling")
        assert (await scans.ended(run))["status"] == "cancelled"
        shown = await scans.schedule(schedule_id)
        assert (shown["running_execution_id"], shown["success_count"], shown["failure_count"]) == (None, 0, 0)

    async def test_a_repeat_says_the_same_also_after_the_end(self, scans: ScanPortal, hold: threading.Event) -> None:
        run = await scans.triggered(await scans.made())
        await scans.reached()
        assert await self.stop(scans, run, "key-1") == (202, "cancelling")
        await scans.ended(run)
        assert await self.stop(scans, run, "key-1") == (202, "cancelling")
        assert await self.stop(scans, run, "key-2") == (409, "conflict")

    async def test_one_that_has_ended_cannot_be_stopped(self, scans: ScanPortal) -> None:
        run = await scans.triggered(await scans.made())
        await scans.ended(run)
        assert await self.stop(scans, run) == (409, "conflict")
        assert (await scans.get(f"/executions/{run}"))["status"] == "completed"

    async def test_one_that_came_to_its_own_end_first_says_so(self, scans: ScanPortal) -> None:
        hold = threading.Event()
        scans.rig.engines.inside = DeafEngine(hold=hold)
        run = await scans.triggered(await scans.made())
        await scans.reached()
        stopping = asyncio.create_task(self.stop(scans, run))
        await eventually(lambda: is_told_to_stop(scans, run))
        hold.set()
        assert await stopping == (409, "conflict")
        assert (await scans.ended(run))["status"] == "completed"

    async def test_an_engine_that_takes_its_time_is_not_waited_for(self, scans: ScanPortal) -> None:
        hold = threading.Event()
        scans.rig.engines.inside = DeafEngine(hold=hold)
        run = await scans.triggered(await scans.made())
        await scans.reached()
        hurried = await open_scan_portal(scans.rig, limits=replace(LIMITS, accept_wait_seconds=1))
        hurried.http.headers = scans.http.headers
        assert await self.stop(hurried, run, "key-1") == (202, "cancelling")
        hold.set()
        assert (await scans.ended(run))["status"] == "completed"
        assert await self.stop(scans, run, "key-1") == (409, "conflict")

    async def test_without_a_worker_nothing_is_promised(self, idle_scans: ScanPortal) -> None:
        endless: list[OnboardingError | EngineProgress] = [EngineProgress(ExecutionStatus.RUNNING)] * 1000
        engine = idle_scans.rig.engines.elsewhere = ScriptedEngine(endless)
        async with idle_scans.rig.worker():
            run = await idle_scans.triggered(await idle_scans.made())
            await until_set(engine.reached)
        hurried = await open_scan_portal(idle_scans.rig, limits=replace(LIMITS, accept_wait_seconds=0.5))
        hurried.http.headers = idle_scans.http.headers
        assert await self.stop(hurried, run, "key-1") == (503, "unavailable")
        async with idle_scans.rig.worker():
            assert await self.stop(idle_scans, run, "key-1") == (202, "cancelling")
            assert (await idle_scans.ended(run))["status"] == "cancelled"
        assert engine.cancelled == [run]

    @pytest.mark.parametrize("execution_id", [ABSENT, "x", "%00", "a" * 5000])
    async def test_there_is_no_absent_run(self, scans: ScanPortal, execution_id: str) -> None:
        assert (await scans.http.get(f"/executions/{execution_id}")).status_code == 404
        assert await self.stop(scans, execution_id) == (404, "not_found")


async def test_a_failed_scan_says_why_and_has_no_result(scans: ScanPortal) -> None:
    scans.engine.script.append(CredentialRefused(problems=[GONE]))
    run = await scans.ended(await scans.triggered(await scans.made()))
    assert (run["status"], run["error_code"], run["scan_id"]) == ("failed", "credential_refused", None)
    [problem] = run["problems"]
    assert (problem["code"], problem["message"], problem["remedy"]) == (GONE.code, GONE.message, GONE.remedy)
    assert (await scans.http.get(f"/scan-results/{run['execution_id']}")).status_code == 404


async def test_who_was_told_is_shown(scans: ScanPortal) -> None:
    schedule_id = await scans.made(notify_on_success=True, notification_channels={"webhook": {"url": HOOK}})
    run = await scans.ended(await scans.triggered(schedule_id))
    [delivery] = run["deliveries"]
    shown = f"{HOOK[: HOOK.index('/', len('https://'))]}/***"  # the rest of an address may be a token
    assert (delivery["kind"], delivery["target"], delivery["state"]) == ("webhook", shown, "delivered")
    assert delivery["code"] is None
