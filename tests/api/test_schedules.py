"""Schedules made, shown, listed and looked ahead."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from api.services import Limits
from domain.timestamps import stamp
from tests.api.conftest import NOWHERE
from tests.api.portal import codes, idempotent
from tests.api.scan_portal import HOOK, NIGHTLY, ScanPortal, open_scan_portal
from tests.api.test_idempotency import REPLAYED, Forgetful
from tests.rig import eventually
from tests.scan_rig import ScanRig

ABSENT = "00000000-0000-4000-8000-000000000000"
AHEAD = "2098-01-31T02:00:00+01:00"


def hours(times: list[str]) -> set[tuple[int, int]]:
    moments = [datetime.fromisoformat(text) for text in times]
    return {(moment.hour, moment.minute) for moment in moments}


async def test_a_schedule_is_made_and_says_when_it_fires(scans: ScanPortal) -> None:
    answer = await scans.create()
    body = answer.json()
    assert (answer.status_code, body["status"], body["name"]) == (201, "created", "Nightly")
    assert hours([body["next_run_at"]]) == {(2, 0)}


async def test_what_was_asked_for_is_shown(scans: ScanPortal) -> None:
    asked = {
        "description": "Every night",
        "timezone": "Asia/Kolkata",
        "regions": ["eu-central-1", "eu-west-1"],
        "services": ["s3", "iam"],
        "exclude_services": ["rds"],
        "notify_on_success": True,
        "notify_on_failure": False,
    }
    shown = await scans.schedule(await scans.made(**asked))
    assert {name: shown[name] for name in asked} == asked
    assert (shown["status"], shown["enabled"], shown["status_reason"]) == ("active", True, None)
    assert (shown["schedule_type"], shown["cron_expression"], shown["interval_seconds"]) == ("cron", "0 2 * * *", None)
    assert (shown["run_count"], shown["last_run_at"], shown["running_execution_id"]) == (0, None, None)
    assert hours([shown["next_run_at"]]) == {(20, 30)}
    assert shown["created_by"].startswith("key:")


@pytest.mark.parametrize(
    "name", ["Nächtlich – früh", "毎晩のスキャン", "فحص ليلي", "🌙", "'; DROP TABLE schedules; --"]
)
async def test_a_name_may_be_in_any_script(scans: ScanPortal, name: str) -> None:
    shown = await scans.schedule(await scans.made(name=name, description=name))
    assert (shown["name"], shown["description"]) == (name, name)


async def test_nothing_but_a_cadence_is_needed(scans: ScanPortal) -> None:
    shown = await scans.schedule(await scans.made())
    assert (shown["timezone"], shown["regions"], shown["notification_channels"]) == ("UTC", [], {})
    assert (shown["notify_on_success"], shown["notify_on_failure"], shown["provider_type"]) == (False, True, "aws")


@pytest.mark.parametrize("word", ["@daily", "@midnight", "0 0 * * *", "0 0 * JAN-DEC *"])
async def test_cron_has_words_and_names(scans: ScanPortal, word: str) -> None:
    answer = await scans.create(cron_expression=word)
    assert hours([answer.json()["next_run_at"]]) == {(0, 0)}


async def test_an_interval_counts_from_the_creation(scans: ScanPortal) -> None:
    shown = await scans.schedule(
        await scans.made(schedule_type="interval", cron_expression=None, interval_seconds=7 * 3600)
    )
    waited = datetime.fromisoformat(shown["next_run_at"]) - datetime.fromisoformat(shown["created_at"])
    assert 7 * 3600 - 2 <= waited.total_seconds() <= 7 * 3600 + 2


async def test_a_one_time_schedule_fires_at_its_moment(scans: ScanPortal) -> None:
    shown = await scans.schedule(await scans.made(schedule_type="one_time", cron_expression=None, run_at=AHEAD))
    assert shown["run_at"] == shown["next_run_at"] == "2098-01-31T01:00:00.000Z"


async def test_who_made_a_schedule_is_on_record(scans: ScanPortal) -> None:
    answer = await scans.http.post("/schedules", json=scans.body(), headers={"X-Request-Id": "my-1"})
    event = scans.rig.stores.ledger.of(scans.rig.tenant_id)[-1]
    assert (event.action, event.target) == ("schedule.created", f"schedule:{answer.json()['schedule_id']}")
    assert (event.request_id, event.actor[:4]) == ("my-1", "key:")


async def test_channels_are_shown_without_the_secret(scans: ScanPortal) -> None:
    scans.rig.active_account("111122223333")
    topic = "arn:aws:sns:eu-central-1:111122223333:scans"
    signed = {"webhook": {"url": HOOK, "secret": "0123456789abcdef"}, "sns": {"topic_arn": topic}}
    shown = await scans.schedule(await scans.made(notification_channels=signed))
    assert shown["notification_channels"] == {
        "webhook": {"url": HOOK, "signed": True},
        "sns": {"topic_arn": topic},
    }


class TestOnce:
    """With an Idempotency-Key."""

    async def test_a_repeat_makes_one_schedule(self, scans: ScanPortal) -> None:
        first, second = await scans.create("key-1"), await scans.create("key-1")
        assert (second.status_code, second.content, second.headers[REPLAYED]) == (201, first.content, "true")
        assert len(scans.rig.scans.schedule_rows) == 1

    async def test_ten_at_once_make_one_schedule(self, scans: ScanPortal) -> None:
        answers = await asyncio.gather(*[scans.create("key-1") for _ in range(10)])
        assert {(answer.status_code, answer.json()["schedule_id"]) for answer in answers} == {
            (201, answers[0].json()["schedule_id"])
        }
        assert len(scans.rig.scans.schedule_rows) == 1

    async def test_another_body_is_refused(self, scans: ScanPortal) -> None:
        await scans.create("key-1")
        answer = await scans.create("key-1", name="Other")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "idempotency_mismatch")

    async def test_a_secret_is_part_of_the_body(self, scans: ScanPortal) -> None:
        signed = {"webhook": {"url": HOOK, "secret": "0123456789abcdef"}}
        other = {"webhook": {"url": HOOK, "secret": "fedcba9876543210"}}
        assert (await scans.create("key-1", notification_channels=signed)).status_code == 201
        assert (await scans.create("key-1", notification_channels=signed)).status_code == 201
        assert (await scans.create("key-1", notification_channels=other)).status_code == 422

    async def test_a_repeat_after_a_lost_answer_finds_what_was_made(self, temporal: Client) -> None:
        """Also when its moment has come since, so that it would be refused today."""
        rig = ScanRig(temporal)
        scans = await open_scan_portal(rig, idempotency=Forgetful())
        soon = stamp(datetime.now(UTC) + timedelta(seconds=5))
        once = {"schedule_type": "one_time", "cron_expression": None, "run_at": soon}
        async with scans.http, rig.worker():
            first = await scans.create("key-1", **once)
            schedule_id = first.json()["schedule_id"]

            async def fired() -> bool:
                return bool((await scans.schedule(schedule_id))["status"] == "completed")

            await eventually(fired)
            second = await scans.create("key-1", **once)
        assert second.json() == first.json() | {"next_run_at": None}
        assert (second.status_code, list(rig.scans.schedule_rows)) == (201, [schedule_id])

    async def test_a_refusal_is_kept(self, scans: ScanPortal) -> None:
        first = await scans.create("key-1", cron_expression="0 0 31 2 *")
        second = await scans.create("key-1", cron_expression="0 0 31 2 *")
        assert (second.status_code, second.content, second.headers[REPLAYED]) == (400, first.content, "true")


class TestLists:
    async def listed(self, scans: ScanPortal, **query: Any) -> list[str]:
        """Of all pages, one after the other."""
        found, cursor = [], ""
        while cursor is not None:
            page = await scans.get("/schedules", **query, **({"cursor": cursor} if cursor else {}))
            found += [schedule["schedule_id"] for schedule in page["schedules"]]
            cursor = page["next_cursor"]
        return found

    async def test_a_tenants_are_listed_by_pages(self, scans: ScanPortal) -> None:
        made = {await scans.made() for _ in range(5)}
        found = await self.listed(scans, tenant_id=scans.rig.tenant_id, limit=2)
        assert (len(found), set(found)) == (5, made)

    async def test_an_accounts_are_listed_alone(self, scans: ScanPortal) -> None:
        other = scans.rig.active_account().account_id
        await scans.made()
        wanted = await scans.made(account_id=other)
        assert await self.listed(scans, account_id=other) == [wanted]
        assert await self.listed(scans, account_id=other, tenant_id=scans.rig.tenant_id) == [wanted]

    async def test_a_status_filters(self, scans: ScanPortal) -> None:
        running, paused = await scans.made(), await scans.made()
        await scans.change(paused, status="paused")
        assert await self.listed(scans, tenant_id=scans.rig.tenant_id, status="paused") == [paused]
        assert await self.listed(scans, tenant_id=scans.rig.tenant_id, status="active", limit=1) == [running]

    async def test_an_administrator_may_list_all_tenants(self, scans: ScanPortal) -> None:
        assert await scans.made() in await self.listed(scans)

    async def test_a_tenants_key_lists_its_own_without_saying_so(self, scans: ScanPortal) -> None:
        made = await scans.made()
        scans.act_as(scans.rig.tenant_id)
        assert await self.listed(scans) == [made]

    async def test_a_list_shows_the_next_runs(self, scans: ScanPortal) -> None:
        wanted, paused = await scans.made(), await scans.made()
        await scans.change(paused, status="paused")

        async def shown() -> bool:
            page = await scans.get("/schedules", tenant_id=scans.rig.tenant_id)
            times = {schedule["schedule_id"]: schedule["next_run_at"] for schedule in page["schedules"]}
            return times[paused] is None and times[wanted] is not None

        await eventually(shown)

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "status=gone", "cursor=x", "cursor=" + "a" * 3000])
    async def test_a_bad_query_is_refused(self, scans: ScanPortal, query: str) -> None:
        answer = await scans.http.get(f"/schedules?tenant_id={scans.rig.tenant_id}&{query}")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "invalid_input")

    async def test_a_cursor_is_of_its_filters(self, scans: ScanPortal) -> None:
        for _ in range(2):
            await scans.made()
        page = await scans.get("/schedules", tenant_id=scans.rig.tenant_id, limit=1)
        query = {"account_id": scans.rig.account.account_id, "cursor": page["next_cursor"]}
        assert (await scans.http.get("/schedules", params=query)).status_code == 400


class TestPreviews:
    async def test_a_cadence_is_foreseen_before_it_is_made(self, scans: ScanPortal) -> None:
        answer = await scans.http.post(
            "/schedules/preview", json={"schedule_type": "cron", "cron_expression": "30 4 * * MON"}
        )
        times = answer.json()["fire_times"]
        assert (answer.status_code, len(times), hours(times)) == (200, 10, {(4, 30)})
        assert {datetime.fromisoformat(text).weekday() for text in times} == {0}
        assert (scans.rig.scans.schedule_rows, scans.started) == ({}, [])

    async def test_what_the_clocks_do_to_it_is_told(self, scans: ScanPortal) -> None:
        body = {"schedule_type": "cron", "cron_expression": "30 2 * * *", "timezone": "Europe/Berlin"}
        [note] = (await scans.http.post("/schedules/preview", json=body)).json()["notes"]
        assert note.startswith("On 20")
        assert "02:30" in note
        assert note.endswith(("nothing fires then.", "it fires the first time only."))

    async def test_a_cadence_that_the_clocks_do_not_touch_has_no_note(self, scans: ScanPortal) -> None:
        body = {"schedule_type": "cron", "cron_expression": "30 12 * * *", "timezone": "Europe/Berlin"}
        assert (await scans.http.post("/schedules/preview", json=body)).json()["notes"] == []

    async def test_a_paused_schedule_can_be_foreseen(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        await scans.change(schedule_id, status="paused")
        answer = await scans.http.post(f"/schedules/{schedule_id}/preview")
        assert (answer.status_code, hours(answer.json()["fire_times"])) == (200, {(2, 0)})

    @pytest.mark.parametrize("path", ["preview", "{schedule_id}/preview"])
    async def test_a_repeat_gets_the_same_answer(self, scans: ScanPortal, path: str) -> None:
        url = f"/schedules/{path}".format(schedule_id=await scans.made())
        body = {"schedule_type": "interval", "interval_seconds": 7200} if path == "preview" else None
        answers = [await scans.http.post(url, json=body, headers=idempotent("key-1")) for _ in range(2)]
        assert (answers[1].content, answers[1].headers[REPLAYED]) == (answers[0].content, "true")

    async def test_nothing_of_a_preview_is_left(self, scans: ScanPortal) -> None:
        await scans.http.post("/schedules/preview", json=NIGHTLY)

        async def none() -> bool:
            return [
                listed async for listed in await scans.rig.client.list_schedules("ScheduleId STARTS_WITH 'pre'")
            ] == []

        await eventually(none)

    @pytest.mark.parametrize(
        ("cadence", "code"),
        [
            ({"schedule_type": "cron"}, "missing"),
            ({"schedule_type": "cron", "cron_expression": "0 25 * * *"}, "invalid"),
            ({"schedule_type": "cron", "cron_expression": "0 0 31 2 *"}, "never_fires"),
            ({"schedule_type": "cron", "cron_expression": "* * * * *"}, "too_often"),
            ({"schedule_type": "interval", "interval_seconds": 1}, "out_of_range"),
            ({"schedule_type": "interval", "interval_seconds": 7200, "run_at": AHEAD}, "unexpected"),
        ],
    )
    async def test_a_cadence_that_makes_no_sense_has_no_preview(
        self, scans: ScanPortal, cadence: dict[str, Any], code: str
    ) -> None:
        answer = await scans.http.post("/schedules/preview", json=cadence)
        assert (answer.status_code, codes(answer)) == (400, [code])


class TestWhenNobodyCanTakeItOver:
    async def test_nothing_is_promised_without_temporal(self, temporal: Client) -> None:
        rig = ScanRig(temporal)
        scans = await open_scan_portal(rig, await Client.connect(NOWHERE, lazy=True))
        before = scans.all_rows()
        async with scans.http:
            answer = await scans.create()
            preview = await scans.http.post(
                "/schedules/preview", json={"schedule_type": "cron", "cron_expression": "@daily"}
            )
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert (preview.status_code, preview.headers["Retry-After"]) == (503, "5")
        assert scans.all_rows() == before

    async def test_rows_are_shown_without_temporal(self, temporal: Client) -> None:
        rig = ScanRig(temporal)
        row = rig.stored()
        scans = await open_scan_portal(rig, await Client.connect(NOWHERE, lazy=True))
        async with scans.http:
            shown = await scans.schedule(row.schedule_id)
            listed = await scans.get("/schedules", tenant_id=rig.tenant_id)
        assert (shown["name"], shown["next_run_at"]) == ("Nightly", None)
        assert [schedule["next_run_at"] for schedule in listed["schedules"]] == [None]

    async def test_the_same_key_goes_on_when_a_worker_comes(self, idle_scans: ScanPortal) -> None:
        hurried = await open_scan_portal(idle_scans.rig, limits=Limits(accept_wait_seconds=0.5))
        hurried.http.headers = idle_scans.http.headers
        first = await hurried.create("key-1")
        assert (first.status_code, first.headers["Retry-After"]) == (503, "5")
        async with idle_scans.rig.worker():
            second, third = await idle_scans.create("key-1"), await idle_scans.create("key-1")
        assert second.status_code == 201
        assert third.content == second.content
        assert len(idle_scans.rig.scans.schedule_rows) == 1


@pytest.mark.parametrize("schedule_id", [ABSENT, "x", "%00", "preview", "a" * 5000])
async def test_there_is_no_absent_schedule(scans: ScanPortal, schedule_id: str) -> None:
    assert (await scans.http.get(f"/schedules/{schedule_id}")).status_code == 404
    assert (await scans.http.put(f"/schedules/{schedule_id}", json={"name": "Other"})).status_code == 404
    assert (await scans.http.delete(f"/schedules/{schedule_id}")).status_code == 404
