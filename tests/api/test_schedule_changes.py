"""Schedules changed, paused, resumed and deleted."""

import asyncio
import json
import threading
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.client import ScheduleDescription
from temporalio.service import RPCError

from domain.callers.access import Role
from domain.errors import CredentialRefused, Problem
from domain.scans.notifications import Channel, ChannelKind, NotificationSettings
from domain.scans.runs import missed
from domain.schedules.schedule import Schedule
from domain.timestamps import stamp
from tests.api.portal import add_key, codes
from tests.api.scan_portal import HOOK, LIMITS, ScanPortal, open_scan_portal
from tests.api.test_schedules import AHEAD, hours
from tests.rig import eventually
from tests.scan_rig import PAUSE_AFTER
from workflows.ids import converge_id, scan_id

CANARY = "kanarienvogel-0123456789"
TOKEN = "T024BE7LD/B024BE7LH/kanarienvogel-in-the-path"
SECRET_HOOK = f"https://hooks.example.com/services/{TOKEN}?key={TOKEN}"


def row(scans: ScanPortal, schedule_id: str) -> Schedule:
    return scans.rig.scans.schedules.get(scans.rig.tenant_id, schedule_id)


async def described(scans: ScanPortal, schedule_id: str) -> ScheduleDescription:
    return await scans.rig.client.get_schedule_handle(schedule_id).describe()


async def changed(scans: ScanPortal, schedule_id: str, **changes: Any) -> dict[str, Any]:
    answer = await scans.change(schedule_id, **changes)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_only_what_is_sent_changes(scans: ScanPortal) -> None:
    schedule_id = await scans.made(regions=["eu-west-1"], description="Old", notify_on_success=True)
    before = await scans.schedule(schedule_id)
    after = await changed(scans, schedule_id, name="Weekly", regions=["us-east-1", "us-west-2"])
    assert {name for name in before if before[name] != after[name]} == {"name", "regions", "updated_at"}
    assert await scans.schedule(schedule_id) == after


async def test_a_change_of_nothing_is_no_error(scans: ScanPortal) -> None:
    schedule_id = await scans.made()
    assert (await changed(scans, schedule_id, name=None))["name"] == "Nightly"


@pytest.mark.parametrize(
    ("pause", "resume"), [({"status": "paused"}, {"status": "active"}), ({"enabled": False}, {"enabled": True})]
)
async def test_a_paused_schedule_does_not_fire_until_it_is_resumed(
    scans: ScanPortal, pause: dict[str, Any], resume: dict[str, Any]
) -> None:
    schedule_id = await scans.made()
    paused = await changed(scans, schedule_id, **pause)
    assert (paused["status"], paused["enabled"], paused["next_run_at"]) == ("paused", False, None)
    assert (await described(scans, schedule_id)).schedule.state.paused
    resumed = await changed(scans, schedule_id, **resume)
    assert (resumed["status"], resumed["enabled"]) == ("active", True)
    assert hours([resumed["next_run_at"]]) == {(2, 0)}
    assert not (await described(scans, schedule_id)).schedule.state.paused


async def test_enabled_and_status_may_say_the_same(scans: ScanPortal) -> None:
    assert (await changed(scans, await scans.made(), enabled=False, status="paused"))["status"] == "paused"


async def test_a_contradiction_changes_nothing(scans: ScanPortal) -> None:
    schedule_id = await scans.made()
    before = scans.all_rows()
    answer = await scans.change(schedule_id, enabled=True, status="paused", name="Other")
    assert (answer.status_code, codes(answer)) == (400, ["contradiction"])
    assert scans.all_rows() == before


class TestTheCadence:
    async def test_a_new_time_replaces_the_old_one(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        after = await changed(scans, schedule_id, cron_expression="30 5 * * *")
        assert (after["cron_expression"], hours([after["next_run_at"]])) == ("30 5 * * *", {(5, 30)})
        times = (await described(scans, schedule_id)).info.next_action_times
        assert {(moment.hour, moment.minute) for moment in times} == {(5, 30)}

    async def test_what_is_not_sent_of_it_stays(self, scans: ScanPortal) -> None:
        after = await changed(scans, await scans.made(), timezone="Asia/Kolkata")
        assert (after["cron_expression"], hours([after["next_run_at"]])) == ("0 2 * * *", {(20, 30)})

    async def test_another_type_begins_anew(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made(timezone="Asia/Kolkata")
        after = await changed(scans, schedule_id, schedule_type="interval", interval_seconds=7200)
        assert (after["cron_expression"], after["interval_seconds"]) == (None, 7200)
        after = await changed(scans, schedule_id, schedule_type="one_time", run_at=AHEAD)
        assert (after["interval_seconds"], after["next_run_at"]) == (None, "2098-01-31T01:00:00.000Z")

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"interval_seconds": 7200}, "unexpected"),
            ({"schedule_type": "interval"}, "missing"),
            ({"schedule_type": "one_time", "run_at": "2026-01-01T00:00:00Z"}, "never_fires"),
            ({"cron_expression": "0 0 31 2 *"}, "never_fires"),
            ({"cron_expression": "*/5 * * * *"}, "too_often"),
            ({"cron_expression": "0 0 13 * FRI"}, "both_days"),
            ({"cron_expression": "0 99 * * *"}, "invalid"),
            ({"timezone": "Mars/Olympus"}, "unknown_timezone"),
        ],
    )
    async def test_one_that_makes_no_sense_changes_nothing(
        self, scans: ScanPortal, changes: dict[str, Any], code: str
    ) -> None:
        schedule_id = await scans.made()
        before, started = scans.all_rows(), list(scans.started)
        answer = await scans.change(schedule_id, **changes)
        assert (answer.status_code, codes(answer)) == (400, [code])
        assert (scans.all_rows(), scans.started) == (before, started)

    async def test_a_moment_that_passed_while_paused_is_not_resumed(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made(schedule_type="one_time", cron_expression=None, run_at=AHEAD)
        await changed(scans, schedule_id, status="paused")
        paused = row(scans, schedule_id)
        passed = replace(paused.cadence, run_at=stamp(datetime.now(UTC) - timedelta(hours=2)))
        scans.rig.scans.schedule_rows[schedule_id] = replace(paused, cadence=passed)
        assert (await scans.change(schedule_id, name="Still paused")).status_code == 200
        answer = await scans.change(schedule_id, status="active")
        assert (answer.status_code, codes(answer)) == (400, ["never_fires"])
        assert (await changed(scans, schedule_id, status="active", run_at=AHEAD))["next_run_at"]

    async def test_one_that_has_fired_fires_again_at_a_new_moment(self, scans: ScanPortal) -> None:
        soon = stamp(datetime.now(UTC) + timedelta(seconds=3))
        schedule_id = await scans.made(schedule_type="one_time", cron_expression=None, run_at=soon)

        async def fired() -> bool:
            return bool((await scans.schedule(schedule_id))["status"] == "completed")

        await eventually(fired)
        assert (await scans.change(schedule_id, status="active")).status_code == 400
        after = await changed(scans, schedule_id, run_at=AHEAD)
        assert (after["status"], after["next_run_at"]) == ("active", "2098-01-31T01:00:00.000Z")


async def test_one_that_missed_its_moment_says_so_and_fires_at_a_new_one(scans: ScanPortal) -> None:
    schedule_id = await scans.made(schedule_type="one_time", cron_expression=None, run_at=AHEAD)
    scans.rig.scans.schedule_rows[schedule_id] = missed(row(scans, schedule_id))
    shown = await scans.schedule(schedule_id)
    assert (shown["status"], shown["status_reason"], shown["run_count"]) == ("error", "missed", 0)
    assert [problem["remedy"] for problem in shown["problems"]] == ["Name a new run_at."]
    after = await changed(scans, schedule_id, run_at="2098-02-01T02:00:00Z")
    assert (after["status"], after["status_reason"], after["problems"]) == ("active", None, [])
    assert after["next_run_at"] == "2098-02-01T02:00:00.000Z"


async def test_a_schedule_that_failed_too_often_says_so_and_is_resumed_by_its_status(scans: ScanPortal) -> None:
    schedule_id = await scans.made()
    for _ in range(PAUSE_AFTER):
        scans.engine.script.append(CredentialRefused(problems=[Problem("unknown_key", "AWS does not know this key.")]))
        await scans.ended(await scans.triggered(schedule_id))
    shown = await scans.schedule(schedule_id)
    assert (shown["status"], shown["status_reason"], shown["enabled"]) == ("error", "failed_repeatedly", False)
    assert [problem["message"] for problem in shown["problems"]] == ["AWS does not know this key."]
    assert (shown["failure_count"], shown["next_run_at"]) == (PAUSE_AFTER, None)
    resumed = await changed(scans, schedule_id, status="active")
    assert (resumed["status"], resumed["status_reason"], resumed["problems"]) == ("active", None, [])
    assert resumed["next_run_at"]
    assert row(scans, schedule_id).consecutive_failures == 0


class TestChannels:
    async def test_they_are_replaced_as_a_whole(self, scans: ScanPortal) -> None:
        scans.rig.active_account("111122223333")
        topic = {"topic_arn": "arn:aws:sns:eu-central-1:111122223333:scans"}
        schedule_id = await scans.made(notification_channels={"webhook": {"url": HOOK}})
        after = await changed(scans, schedule_id, notification_channels={"sns": topic})
        assert after["notification_channels"] == {"sns": topic}
        after = await changed(scans, schedule_id, notification_channels={})
        assert after["notification_channels"] == {}

    async def test_a_secret_stays_until_another_comes_or_the_webhook_goes(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made(notification_channels={"webhook": {"url": HOOK, "secret": CANARY}})
        elsewhere = {"webhook": {"url": f"{HOOK}/2"}}
        after = await changed(scans, schedule_id, notification_channels=elsewhere)
        assert after["notification_channels"]["webhook"] == {"url": f"{HOOK}/2", "signed": True}
        assert secret_of(scans, schedule_id) == CANARY
        renewed = {"webhook": {"url": HOOK, "secret": "another-0123456789"}}
        await changed(scans, schedule_id, notification_channels=renewed)
        assert secret_of(scans, schedule_id) == "another-0123456789"
        await changed(scans, schedule_id, notification_channels={})
        assert not scans.rig.webhooks.stages(schedule_id)
        after = await changed(scans, schedule_id, notification_channels=elsewhere)
        assert after["notification_channels"]["webhook"]["signed"] is False

    async def test_a_secret_is_in_no_answer_history_event_or_log(self, scans: ScanPortal) -> None:
        channels = {"webhook": {"url": HOOK, "secret": CANARY}}
        with capture_logs() as logs:
            made = await scans.create(notification_channels=channels, notify_on_success=True)
            schedule_id = made.json()["schedule_id"]
            changes = await scans.change(schedule_id, notification_channels=channels, name="Signed")
            refused = await scans.change(schedule_id, notification_channels={"webhook": {"url": "x", "secret": CANARY}})
            short = await scans.change(schedule_id, notification_channels={"webhook": {"url": HOOK, "secret": "kurz"}})
            shown = await scans.http.get(f"/schedules/{schedule_id}")
            listed = await scans.http.get("/schedules", params={"tenant_id": scans.rig.tenant_id})
            run = await scans.triggered(schedule_id)
            await scans.ended(run)
        answers = [made, changes, refused, short, shown, listed]
        assert [answer.status_code for answer in answers] == [201, 200, 400, 422, 200, 200]
        tenant_id = scans.rig.tenant_id
        histories = await written(scans, converge_id(tenant_id, schedule_id), scan_id(tenant_id, run))
        everything = [*(answer.text for answer in answers), *histories, json.dumps(logs, default=repr)]
        assert not [text for text in everything if CANARY in text or "kurz" in text]
        assert CANARY not in repr(scans.all_rows())
        [(_, _, signing)] = scans.rig.notifier.delivered
        assert signing is not None
        assert signing.reveal() == CANARY

    async def test_an_address_is_in_full_for_whoever_may_change_it_and_else_up_to_its_host(
        self, scans: ScanPortal
    ) -> None:
        schedule_id = await scans.made(notification_channels={"webhook": {"url": SECRET_HOOK}})
        masked = {"webhook": {"url": "https://hooks.example.com/***", "signed": False}}
        in_full = {"webhook": {"url": SECRET_HOOK, "signed": False}}
        assert (await scans.schedule(schedule_id))["notification_channels"] == in_full
        listed = await scans.get("/schedules", tenant_id=scans.rig.tenant_id)
        assert listed["schedules"][0]["notification_channels"] == masked
        viewer = add_key(scans.portal.rig, tenant_id=scans.rig.tenant_id, role=Role.VIEWER)
        scans.http.headers["Authorization"] = f"Bearer {viewer}"
        assert (await scans.schedule(schedule_id))["notification_channels"] == masked

    async def test_an_address_that_is_sent_back_as_it_is_shown_stays(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made(notification_channels={"webhook": {"url": SECRET_HOOK, "secret": CANARY}})
        shown = {"webhook": {"url": "https://hooks.example.com/***"}}
        after = await changed(scans, schedule_id, name="Renamed", notification_channels=shown)
        assert after["notification_channels"]["webhook"] == {"url": SECRET_HOOK, "signed": True}
        other = {"webhook": {"url": "https://other.example.com/***"}}
        for refused in (
            await scans.change(schedule_id, notification_channels=other),
            await scans.create(notification_channels=shown),
        ):
            assert refused.status_code == 400
            [problem] = refused.json()["detail"]["problems"]
            assert (problem["code"], problem["pointer"]) == ("masked", "/notification_channels/webhook/url")

    async def test_an_address_is_in_no_row_history_event_or_log_and_is_told_in_full(self, scans: ScanPortal) -> None:
        channels = {"webhook": {"url": SECRET_HOOK, "secret": CANARY}}
        with capture_logs() as logs:
            made = await scans.create(notification_channels=channels, notify_on_success=True)
            schedule_id = made.json()["schedule_id"]
            renamed = await scans.change(schedule_id, name="Renamed")
            run = await scans.triggered(schedule_id)
            ended = await scans.ended(run)
            gone = await scans.http.delete(f"/schedules/{schedule_id}")
        assert [answer.status_code for answer in (made, renamed, gone)] == [201, 200, 200]
        assert [each["target"] for each in ended["deliveries"]] == ["https://hooks.example.com/***"]
        tenant_id = scans.rig.tenant_id
        histories = await written(scans, converge_id(tenant_id, schedule_id), scan_id(tenant_id, run))
        everything = [made.text, json.dumps(ended), *histories, json.dumps(logs, default=repr), repr(scans.all_rows())]
        assert len(histories) > 2
        assert not [text for text in everything if TOKEN in text or b64encode(TOKEN.encode()).decode()[:-4] in text]
        [(channel, _, signing)] = scans.rig.notifier.delivered
        assert (channel.target, signing and signing.reveal()) == (SECRET_HOOK, CANARY)

    async def test_an_address_in_the_clear_from_before_is_shown_masked_and_sealed_by_the_next_change(
        self, scans: ScanPortal
    ) -> None:
        schedule_id = await scans.made()
        plain = NotificationSettings(channels=(Channel(ChannelKind.WEBHOOK, SECRET_HOOK),))
        rows = scans.rig.scans.schedule_rows
        rows[schedule_id] = replace(rows[schedule_id], notifications=plain)
        listed = await scans.get("/schedules", tenant_id=scans.rig.tenant_id)
        assert TOKEN not in json.dumps(listed)
        after = await changed(scans, schedule_id, name="Renamed")
        assert after["notification_channels"]["webhook"]["url"] == SECRET_HOOK
        assert TOKEN not in repr(scans.rig.scans.schedule_rows)


class TestTopics:
    TOPIC = "arn:aws:sns:eu-central-1:999988887777:scans"

    async def test_a_topic_is_in_an_account_that_the_tenant_has_onboarded(self, scans: ScanPortal) -> None:
        channels = {"sns": {"topic_arn": self.TOPIC}}
        schedule_id = await scans.made()
        for refused in (
            await scans.create(notification_channels=channels),
            await scans.change(schedule_id, notification_channels=channels),
        ):
            assert refused.status_code == 400
            [problem] = refused.json()["detail"]["problems"]
            assert (problem["code"], problem["pointer"]) == ("foreign_account", "/notification_channels/sns/topic_arn")
            assert "999988887777" not in refused.text
        assert row(scans, schedule_id).notifications.channels == ()
        scans.rig.active_account("999988887777")
        assert (await scans.change(schedule_id, notification_channels=channels)).status_code == 200

    async def test_an_onboarding_that_has_proved_nothing_does_not_count(self, scans: ScanPortal) -> None:
        scans.rig.pending_account()
        assert (await scans.create(notification_channels={"sns": {"topic_arn": self.TOPIC}})).status_code == 400

    async def test_a_topic_from_before_keeps_no_other_change_out(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        foreign = NotificationSettings(channels=(Channel(ChannelKind.SNS, self.TOPIC),))
        rows = scans.rig.scans.schedule_rows
        rows[schedule_id] = replace(rows[schedule_id], notifications=foreign)
        assert (await scans.change(schedule_id, enabled=False)).status_code == 200


class TestSigningSecrets:
    @pytest.mark.parametrize(
        "secret",
        [
            "whsec_" + b64encode(b"k" * 23).decode(),
            "whsec_" + b64encode(b"k" * 65).decode(),
            "whsec_" + b64encode(b"k" * 32).decode().rstrip("="),
            "whsec_not base64 at all, but long enough",
            "whsec_" + "-_" * 22,
        ],
        ids=["short", "long", "without padding", "no base64", "of urls"],
    )
    async def test_what_begins_like_one_of_standard_webhooks_is_one(self, scans: ScanPortal, secret: str) -> None:
        refused = await scans.create(notification_channels={"webhook": {"url": HOOK, "secret": secret}})
        assert refused.status_code == 400
        [problem] = refused.json()["detail"]["problems"]
        assert (problem["code"], problem["pointer"]) == ("invalid", "/notification_channels/webhook/secret")
        assert "24 to 64 bytes" in problem["message"]
        assert secret not in refused.text


async def written(scans: ScanPortal, *workflow_ids: str) -> list[str]:
    """The histories of all runs of these workflows."""
    found = []
    for workflow_id in workflow_ids:
        async for run in scans.rig.client.list_workflows(f"WorkflowId = '{workflow_id}'"):
            handle = scans.rig.client.get_workflow_handle(workflow_id, run_id=run.run_id)
            found.append((await handle.fetch_history()).to_json())
    return found


def secret_of(scans: ScanPortal, schedule_id: str) -> str:
    signing = row(scans, schedule_id).notifications.signing
    assert signing is not None
    return scans.rig.webhooks.read(scans.rig.tenant_id, schedule_id, signing).reveal("secret")


class TestDeletion:
    async def test_a_deleted_schedule_is_gone_on_both_sides_and_its_runs_stay(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        run = await scans.triggered(schedule_id)
        await scans.ended(run)
        answer = await scans.http.delete(f"/schedules/{schedule_id}")
        assert (answer.status_code, answer.json()) == (200, {"status": "deleted", "schedule_id": schedule_id})
        assert (await scans.http.get(f"/schedules/{schedule_id}")).status_code == 404
        with pytest.raises(RPCError):
            await described(scans, schedule_id)
        assert (await scans.get(f"/executions/{run}"))["status"] == "completed"
        assert (await scans.get(f"/scan-results/{run}"))["total_checks"] == 3

    async def test_a_run_goes_on(self, scans: ScanPortal) -> None:
        hold = scans.engine.hold = threading.Event()
        schedule_id = await scans.made()
        run = await scans.triggered(schedule_id)
        await scans.reached()
        await scans.http.delete(f"/schedules/{schedule_id}")
        hold.set()
        assert (await scans.ended(run))["status"] == "completed"

    async def test_its_signing_secret_goes_with_it(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made(notification_channels={"webhook": {"url": HOOK, "secret": CANARY}})
        assert scans.rig.webhooks.stages(schedule_id)
        await scans.http.delete(f"/schedules/{schedule_id}")
        assert not scans.rig.webhooks.stages(schedule_id)

    async def test_it_is_deleted_once(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        statuses = [(await scans.http.delete(f"/schedules/{schedule_id}")).status_code for _ in range(2)]
        assert statuses == [200, 404]


async def test_of_two_changes_at_once_one_may_be_refused_and_none_is_lost(scans: ScanPortal) -> None:
    schedule_id = await scans.made()
    names = [f"Name {number}" for number in range(5)]
    answers = await asyncio.gather(*[scans.change(schedule_id, name=name) for name in names])
    done = [name for name, answer in zip(names, answers, strict=True) if answer.status_code == 200]
    refused = {answer.json()["detail"]["code"] for answer in answers if answer.status_code != 200}
    assert (row(scans, schedule_id).spec_version, refused <= {"stale_version"}) == (1 + len(done), True)
    assert row(scans, schedule_id).name in done


async def test_without_a_worker_nothing_is_promised_and_the_request_can_be_repeated(idle_scans: ScanPortal) -> None:
    """It may be done all the same: what the server still holds is taken over by the next worker."""
    async with idle_scans.rig.worker():
        changes, goes = await idle_scans.made(), await idle_scans.made()
    hurried = await open_scan_portal(idle_scans.rig, limits=replace(LIMITS, accept_wait_seconds=0.5))
    hurried.http.headers = idle_scans.http.headers
    answers = [await hurried.change(changes, name="Other"), await hurried.http.delete(f"/schedules/{goes}")]
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(503, "5")}
    assert (row(idle_scans, changes).name, row(idle_scans, goes).name) == ("Nightly", "Nightly")
    async with idle_scans.rig.worker():
        repeated = [await idle_scans.change(changes, name="Other"), await idle_scans.http.delete(f"/schedules/{goes}")]
        assert repeated[0].status_code in (200, 409)
        assert (await idle_scans.schedule(changes))["name"] == "Other"
        assert repeated[1].status_code in (200, 404)
        assert (await idle_scans.http.get(f"/schedules/{goes}")).status_code == 404
