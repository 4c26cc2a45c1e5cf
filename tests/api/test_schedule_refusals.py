"""Schedules that are refused: a sentence and a code, and nothing was changed or started."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import Client

from api.routes.schedule_schemas import ChangeScheduleRequest
from domain.accounts import ProviderType
from domain.callers.access import Role
from domain.callers.tenants import TenantStatus
from domain.scans.scopes import EngineOffer
from domain.schedules.obstacles import NO_ENGINE, settled
from domain.schedules.schedule import ScheduleStatus, Skip
from tests.api.portal import add_key, codes
from tests.api.scan_portal import HOOK, ScanPortal, open_scan_portal
from tests.api.test_failures import assert_shape
from tests.api.test_schedules import ABSENT, AHEAD
from tests.rig import AT
from tests.scan_rig import ScanRig
from tests.stores.samples import new_event

ALIKE = ChangeScheduleRequest.model_fields.keys() - {"status"} | {"schedule_id", "spec_version"}
"""What a change and a new schedule are asked for alike, or may not name."""
INTERVAL: dict[str, Any] = {"schedule_type": "interval", "cron_expression": None}
ONCE: dict[str, Any] = {"schedule_type": "one_time", "cron_expression": None}


def hook(url: str) -> dict[str, Any]:
    return {"notification_channels": {"webhook": {"url": url}}}


async def refusal(scans: ScanPortal, changes: dict[str, Any]) -> tuple[int, list[str]]:
    """The answer's status and the codes of its problems."""
    before = scans.all_rows()
    body = {name: value for name, value in scans.body(**changes).items() if value != "(left out)"}
    answer = await scans.http.post("/schedules", json=body)
    assert_shape(answer)
    assert all(sentence.endswith(".") for sentence in answer.json()["detail"]["errors"])
    assert (scans.all_rows(), scans.started) == (before, [])
    return answer.status_code, codes(answer)


CADENCES: list[tuple[dict[str, Any], str]] = [
    ({"cron_expression": None}, "missing"),
    ({"cron_expression": "* * * * *"}, "too_often"),
    ({"cron_expression": "0,59 2 * * *"}, "too_often"),
    ({"cron_expression": "0,30 2 29 2 *"}, "too_often"),
    ({"cron_expression": "0 0 31 2 *"}, "never_fires"),
    ({"cron_expression": "0 0 30 FEB *"}, "never_fires"),
    ({"cron_expression": "0 0 13 * FRI"}, "both_days"),
    ({"cron_expression": "0 0 1 */1 MON"}, "both_days"),
    ({"cron_expression": "0 0 2 * * *"}, "invalid"),
    ({"cron_expression": "0 2 * *"}, "invalid"),
    ({"cron_expression": "60 2 * * *"}, "invalid"),
    ({"cron_expression": "0 2 * * FUNDAY"}, "invalid"),
    ({"cron_expression": "@every 1s"}, "invalid"),
    ({"cron_expression": "@reboot"}, "invalid"),
    ({"cron_expression": "CRON_TZ=UTC 0 2 * * *"}, "invalid"),
    ({"cron_expression": "0 ٢ * * *"}, "invalid"),
    ({"cron_expression": "0 2 * * * # nightly"}, "invalid"),
    ({"cron_expression": ""}, "invalid"),
    ({"cron_expression": "0 2 * * *", "interval_seconds": 7200}, "unexpected"),
    ({"timezone": "Mars/Olympus"}, "unknown_timezone"),
    ({"timezone": "../../etc/passwd"}, "unknown_timezone"),
    ({"timezone": "+02:00"}, "unknown_timezone"),
    (INTERVAL, "missing"),
    (INTERVAL | {"interval_seconds": 1}, "out_of_range"),
    (INTERVAL | {"interval_seconds": 0}, "out_of_range"),
    (INTERVAL | {"interval_seconds": -7200}, "out_of_range"),
    (INTERVAL | {"interval_seconds": 3599}, "out_of_range"),
    (INTERVAL | {"interval_seconds": 367 * 24 * 3600}, "out_of_range"),
    (INTERVAL | {"interval_seconds": 10**18}, "out_of_range"),
    (ONCE, "missing"),
    (ONCE | {"run_at": "2026-01-01T00:00:00Z"}, "never_fires"),
    (ONCE | {"run_at": "2098-01-31T02:00:00"}, "invalid"),
    (ONCE | {"run_at": "2098-02-30T02:00:00Z"}, "invalid"),
    (ONCE | {"run_at": "tomorrow"}, "invalid"),
    (ONCE | {"run_at": "2100-01-01T00:00:00Z"}, "out_of_range"),
    (ONCE | {"run_at": "9999-12-31T23:59:59-14:00"}, "out_of_range"),
    (ONCE | {"run_at": "0001-01-01T00:00:00+14:00"}, "out_of_range"),
    (ONCE | {"run_at": AHEAD, "cron_expression": "0 2 * * *"}, "unexpected"),
]


@pytest.mark.parametrize(("changes", "code"), CADENCES)
async def test_a_cadence_that_makes_no_sense(idle_scans: ScanPortal, changes: dict[str, Any], code: str) -> None:
    assert await refusal(idle_scans, changes) == (400, [code])


SHAPES: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "too_short"),
    ({"name": "   "}, "too_short"),
    ({"name": "a" * 129}, "too_long"),
    ({"name": "a\nb"}, "bad_characters"),
    ({"name": "a\tb"}, "bad_characters"),
    ({"name": "a\x00b"}, "control_character"),
    ({"name": "a\x85b"}, "control_character"),
    ({"name": "a\u202eb"}, "bad_characters"),
    ({"name": "a\u2066b"}, "bad_characters"),
    ({"name": "a\u2028b"}, "bad_characters"),
    ({"name": "(left out)"}, "missing"),
    ({"name": 7}, "wrong_type"),
    ({"description": "a" * 1001}, "too_long"),
    ({"schedule_type": "hourly"}, "unknown_value"),
    ({"schedule_type": "(left out)"}, "missing"),
    ({"interval_seconds": "3600"}, "invalid"),
    ({"interval_seconds": 3600.5}, "invalid"),
    ({"interval_seconds": True}, "invalid"),
    ({"cron_expression": "0 2 * * *\n0 3 * * *"}, "bad_characters"),
    ({"cron_expression": "0 " * 200}, "too_long"),
    ({"regions": ["eu-west-1"] * 5_000}, "too_long"),
    ({"regions": ["a" * 65]}, "invalid"),
    ({"regions": ["eu-west-1/../x"]}, "invalid"),
    ({"regions": [""]}, "invalid"),
    ({"regions": ["eu-wést-1"]}, "invalid"),
    ({"services": ["s3"] * 201}, "too_long"),
    ({"services": ["s3 OR 1=1"]}, "invalid"),
    ({"exclude_services": "s3"}, "invalid"),
    ({"notify_on_success": "yes"}, "wrong_type"),
    ({"notification_channels": {"email": "a@example.com"}}, "unknown_field"),
    ({"notification_channels": {"webhook": {"url": HOOK, "headers": {}}}}, "unknown_field"),
    ({"notification_channels": {"webhook": {"url": HOOK, "secret": "short"}}}, "too_short"),
    ({"notification_channels": {"webhook": {"url": "https://h.example/" + "a" * 2048}}}, "too_long"),
    ({"schedule_id": ABSENT}, "unknown_field"),
    ({"status": "paused"}, "unknown_field"),
    ({"spec_version": 7}, "unknown_field"),
]


@pytest.mark.parametrize(("changes", "code"), SHAPES)
async def test_a_body_of_another_shape(idle_scans: ScanPortal, changes: dict[str, Any], code: str) -> None:
    assert await refusal(idle_scans, changes) == (422, [code])


NO_PLAIN_ADDRESSES = [
    "http://hooks.example.com/scan",
    "ftp://hooks.example.com/scan",
    "//hooks.example.com/scan",
    "hooks.example.com",
    "https://user:secret@hooks.example.com/",
    "https://hooks.example.com:8443/scan",
    "https://hooks.example.com/scan#part",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com/ scan",
    "https://bücher.example/scan",
]


@pytest.mark.parametrize("url", NO_PLAIN_ADDRESSES)
async def test_a_webhook_that_is_no_plain_https_address(idle_scans: ScanPortal, url: str) -> None:
    assert await refusal(idle_scans, hook(url)) == (400, ["invalid"])


NOT_PUBLIC = [
    "127.0.0.1",
    "127.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "10.0.0.8",
    "169.254.169.254",
    "8.8.8.8",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[fd00:ec2::254]",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "app.localhost",
    "metadata.google.internal",
    "printer.local",
    "db.corp",
    "1.0.0.127.in-addr.arpa",
    "intranet",
    "",
    "a..example.com",
    "-a.example.com",
]


@pytest.mark.parametrize("host", NOT_PUBLIC)
async def test_a_webhook_to_where_customers_have_no_business(idle_scans: ScanPortal, host: str) -> None:
    assert await refusal(idle_scans, hook(f"https://{host}/scan")) == (400, ["not_public"])


@pytest.mark.parametrize(
    "arn",
    [
        "scans",
        "arn:aws:sns:eu-central-1:1111:scans",
        "arn:aws:sqs:eu-central-1:111122223333:scans",
        "arn:aws:sns:eu-central-1:111122223333:scans:subscription",
        "arn:aws:sns:eu-central-1:111122223333:",
    ],
)
async def test_a_topic_that_is_none(idle_scans: ScanPortal, arn: str) -> None:
    assert await refusal(idle_scans, {"notification_channels": {"sns": {"topic_arn": arn}}}) == (400, ["invalid"])


async def test_everything_that_is_wrong_is_told_at_once(idle_scans: ScanPortal) -> None:
    changes = {"cron_expression": "0 0 13 * FRI", "timezone": "Mars/Olympus", **hook("https://127.0.0.1/")}
    assert await refusal(idle_scans, changes) == (400, ["unknown_timezone", "both_days", "not_public"])


CHANGES = [
    *[
        (changes, 422, code)
        for changes, code in SHAPES
        if changes.keys() <= ALIKE and "(left out)" not in changes.values()
    ],
    *[(hook(url), 400, "invalid") for url in NO_PLAIN_ADDRESSES],
    *[(hook(f"https://{host}/scan"), 400, "not_public") for host in NOT_PUBLIC],
    ({"notification_channels": {"sns": {"topic_arn": "scans"}}}, 400, "invalid"),
]


@pytest.mark.parametrize(("changes", "status", "code"), CHANGES)
async def test_a_change_is_refused_as_a_new_schedule_is(
    idle_scans: ScanPortal, changes: dict[str, Any], status: int, code: str
) -> None:
    schedule_id = idle_scans.rig.stored().schedule_id
    before = idle_scans.all_rows()
    answer = await idle_scans.http.put(f"/schedules/{schedule_id}", json=changes)
    assert_shape(answer)
    assert (answer.status_code, codes(answer)) == (status, [code])
    assert (idle_scans.all_rows(), idle_scans.started) == (before, [])


class TestWhoseAccountItIs:
    async def test_another_tenants_account_answers_as_a_missing_one(self, idle_scans: ScanPortal) -> None:
        other = (await idle_scans.http.post("/tenants", json={"tenant_name": "Other"})).json()["tenant_id"]
        for names in ({"tenant_id": other}, {"account_id": ABSENT}, {"tenant_id": ABSENT}, {"account_id": "x"}):
            assert await refusal(idle_scans, names) == (404, ["not_found"])

    async def test_another_tenants_key_sees_no_account(self, idle_scans: ScanPortal) -> None:
        other = (await idle_scans.http.post("/tenants", json={"tenant_name": "Other"})).json()["tenant_id"]
        idle_scans.act_as(other)
        for names in ({}, {"tenant_id": other}):
            assert await refusal(idle_scans, names) == (404, ["not_found"])

    async def test_a_disabled_tenants_account_is_not_scheduled(self, idle_scans: ScanPortal) -> None:
        await idle_scans.http.patch(f"/tenants/{idle_scans.rig.tenant_id}", json={"status": TenantStatus.DISABLED})
        assert await refusal(idle_scans, {}) == (409, [])

    async def test_an_account_that_is_not_active_is_not_scheduled(self, scans: ScanPortal) -> None:
        """Its row decides at the moment of writing, so this one is asked of a worker."""
        pending = scans.rig.pending_account()
        answer = await scans.create(account_id=pending.account_id)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "conflict")
        assert scans.rig.scans.schedule_rows == {}


# What nothing would scan.

OFFER = {ProviderType.AWS: EngineOffer(("built_in",), ("ap-south-1", "eu-central-1"), ("iam", "s3"))}


@pytest.fixture
async def offering(temporal: Client) -> AsyncIterator[ScanPortal]:
    """With an engine that knows its regions and services."""
    rig = ScanRig(temporal)
    scans = await open_scan_portal(rig, offers=OFFER)
    async with scans.http, rig.worker():
        yield scans


@pytest.mark.parametrize(
    ("changes", "code", "pointer", "allowed"),
    [
        ({"regions": ["eu-central-1", "mumbai"]}, "unknown_region", "/regions/1", "ap-south-1, eu-central-1"),
        ({"services": ["s4"]}, "unknown_service", "/services/0", "iam, s3"),
        ({"services": ["S3"]}, "unknown_service", "/services/0", "iam, s3"),
        ({"exclude_services": ["iam", "ec3"]}, "unknown_service", "/exclude_services/1", "iam, s3"),
        ({"services": ["s3"], "exclude_services": ["s3"]}, "nothing_to_scan", "/exclude_services", "leave one in"),
        ({"exclude_services": ["s3", "iam"]}, "nothing_to_scan", "/exclude_services", "leave one in"),
    ],
)
async def test_a_scope_that_scans_nothing_is_refused_with_what_is_known(
    offering: ScanPortal, changes: dict[str, Any], code: str, pointer: str, allowed: str
):
    assert await refusal(offering, changes) == (400, [code])
    [problem] = (await offering.create(**changes)).json()["detail"]["problems"]
    assert problem["pointer"] == pointer
    assert allowed in problem["message"]
    # A change is asked the same.
    schedule_id = await offering.made()
    assert codes(await offering.change(schedule_id, **changes)) == [code]


async def test_the_clouds_are_listed_with_what_their_schedules_can_name(offering: ScanPortal):
    [aws] = [each for each in (await offering.get("/onboarding/providers"))["providers"] if each["provider"] == "aws"]
    assert (aws["engines"], aws["regions"], aws["services"]) == (
        ["built_in"],
        ["ap-south-1", "eu-central-1"],
        ["iam", "s3"],
    )
    assert "iam_role" in aws["methods"]


async def test_an_engine_that_does_not_say_what_it_knows_is_asked_for_anything(scans: ScanPortal):
    assert (await scans.create(regions=["mumbai"], services=["s4"])).status_code == 201


async def test_a_cloud_that_nothing_scans_is_not_scheduled(temporal: Client):
    rig = ScanRig(temporal)
    scans = await open_scan_portal(rig, offers={})
    paused = rig.stored(status=ScheduleStatus.PAUSED)
    async with scans.http:
        before = scans.all_rows()
        for answer in (await scans.create(), await scans.change(paused.schedule_id, status="active")):
            assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "no_engine")
        assert (scans.all_rows(), scans.started) == (before, [])


async def test_what_stopped_a_schedule_is_seen_by_whoever_reads_it(scans: ScanPortal):
    rows = scans.rig.scans.schedule_rows
    schedule_id = await scans.made()
    stopped = settled(rows[schedule_id], NO_ENGINE)
    assert stopped is not None
    rows[schedule_id] = replace(stopped, last_skip=Skip(AT, "no_engine"))
    viewer = add_key(scans.portal.rig, tenant_id=scans.rig.tenant_id, role=Role.VIEWER)
    scans.http.headers["Authorization"] = f"Bearer {viewer}"
    shown = await scans.schedule(schedule_id)
    assert (shown["status"], shown["status_reason"], shown["last_skip_reason"]) == ("error", "no_engine", "no_engine")
    assert [problem["code"] for problem in shown["problems"]] == ["no_engine"]


async def test_a_schedule_of_a_disabled_tenant_is_not_resumed(scans: ScanPortal):
    paused, tenants = scans.rig.stored(status=ScheduleStatus.PAUSED), scans.rig.stores.tenants
    tenant = tenants.get(scans.rig.tenant_id)
    disabled = replace(tenant, status=TenantStatus.DISABLED, version=tenant.version + 1)
    tenants.update(disabled, new_event(tenant.tenant_id))
    scans.http.headers["Authorization"] = f"Bearer {add_key(scans.portal.rig)}"
    answer = await scans.change(paused.schedule_id, enabled=True)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "tenant_disabled")


async def test_blanks_tabs_and_the_case_of_a_zone_do_not_matter(scans: ScanPortal):
    schedule_id = await scans.made(cron_expression="0  2\t* *  mon", timezone="us/eastern")
    shown = await scans.schedule(schedule_id)
    assert (shown["cron_expression"], shown["timezone"]) == ("0 2 * * mon", "US/Eastern")
