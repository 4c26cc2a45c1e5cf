"""Runs and results listed, and to whom they are shown."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.scans.scan import Execution, ExecutionStatus, ScanOrder, TriggeredBy
from tests.api.scan_portal import NIGHTLY, ScanPortal
from tests.api.test_schedules import ABSENT
from tests.fakes_scans import FOUND


def at(minute: int) -> str:
    return f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00.000Z"


def ran(scans: ScanPortal, schedule_id: str, count: int) -> list[str]:
    """The ids of so many completed runs of a schedule, newest first."""
    rig, ids = scans.rig, []
    for minute in range(count):
        execution = Execution(
            execution_id=str(uuid4()),
            tenant_id=rig.tenant_id,
            account_id=rig.account.account_id,
            provider_type=rig.account.provider_type,
            schedule_id=schedule_id,
            workflow_id="scan",
            triggered_by=TriggeredBy.SCHEDULER,
            started_at=at(minute),
            status=ExecutionStatus.COMPLETED,
            completed_at=at(minute + 1),
        )
        rig.scans.execution_rows[execution.execution_id] = execution
        ids.append(execution.execution_id)
    row = rig.scans.schedule_rows[schedule_id]
    rig.scans.schedule_rows[schedule_id] = replace(row, run_count=row.run_count + count)
    return ids[::-1]


def found(scans: ScanPortal, count: int) -> list[str]:
    """The ids of so many results of the account, newest first."""
    rig = scans.rig
    ids = [str(uuid4()) for _ in range(count)]
    for minute, scan_id in enumerate(ids):
        order = ScanOrder(
            execution_id=scan_id,
            tenant_id=rig.tenant_id,
            account_id=rig.account.account_id,
            provider_type=rig.account.provider_type,
            account_number="222222222222",
            scope=rig.schedule().scope,
        )
        rig.scans.results.write(order, FOUND, started_at=at(minute), completed_at=at(minute + 1))
    return ids[::-1]


async def all_pages(scans: ScanPortal, path: str, name: str, **query: Any) -> list[dict[str, Any]]:
    items, cursor = [], ""
    while cursor is not None:
        page = await scans.get(path, **query, **({"cursor": cursor} if cursor else {}))
        items += page[name]
        cursor = page["next_cursor"]
    return items


class TestRuns:
    async def test_they_are_listed_newest_first_with_their_number(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        ids = ran(scans, schedule_id, 3)
        page = await scans.get(f"/schedules/{schedule_id}/executions")
        assert [run["execution_id"] for run in page["executions"]] == ids
        assert (page["total"], page["next_cursor"]) == (3, None)
        assert page["executions"][0] == {
            "execution_id": ids[0],
            "started_at": at(2),
            "completed_at": at(3),
            "status": "completed",
            "total_checks": 0,
            "passed_checks": 0,
            "failed_checks": 0,
            "error_checks": 0,
            "partial": False,
            "execution_time_seconds": 60.0,
            "triggered_by": "scheduler",
        }

    async def test_a_cursor_goes_through_all_of_them(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        ids = ran(scans, schedule_id, 7)
        runs = await all_pages(scans, f"/schedules/{schedule_id}/executions", "executions", limit=3)
        assert [run["execution_id"] for run in runs] == ids

    @pytest.mark.parametrize("offset", [0, 1, 99, 100, 101, 119, 120, 1000])
    async def test_an_offset_skips(self, scans: ScanPortal, offset: int) -> None:
        schedule_id = await scans.made()
        ids = ran(scans, schedule_id, 120)
        page = await scans.get(f"/schedules/{schedule_id}/executions", limit=5, offset=offset)
        assert [run["execution_id"] for run in page["executions"]] == ids[offset : offset + 5]
        assert page["total"] == 120

    @pytest.mark.parametrize("query", ["offset=-1", "offset=1001", "limit=0", "limit=101", "cursor=x", "offset=x"])
    async def test_a_bad_query_is_refused(self, scans: ScanPortal, query: str) -> None:
        schedule_id = await scans.made()
        answer = await scans.http.get(f"/schedules/{schedule_id}/executions?{query}")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "invalid_input")

    async def test_one_that_runs_counts(self, scans: ScanPortal) -> None:
        schedule_id = await scans.made()
        run = await scans.triggered(schedule_id)
        await scans.ended(run)
        page = await scans.get(f"/schedules/{schedule_id}/executions")
        assert ([each["execution_id"] for each in page["executions"]], page["total"]) == ([run], 1)

    async def test_a_cursor_is_of_its_schedule(self, scans: ScanPortal) -> None:
        one, other = await scans.made(), await scans.made()
        ran(scans, one, 3)
        cursor = (await scans.get(f"/schedules/{one}/executions", limit=1))["next_cursor"]
        answer = await scans.http.get(f"/schedules/{other}/executions", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "invalid_input")


class TestResults:
    async def test_a_result_shows_its_numbers_and_leads_to_what_was_found(self, scans: ScanPortal) -> None:
        run = await scans.triggered(await scans.made())
        await scans.ended(run)
        result = await scans.get(f"/scan-results/{run}")
        counts = [result[f"{name}_checks"] for name in ("total", "passed", "failed", "error")]
        assert (result["scan_id"], counts) == (run, [3, 1, 1, 1])
        assert result["findings_url"] == f"https://results.example/{run}"
        assert (result["account_id"], result["provider_type"]) == (scans.rig.account.account_id, "aws")

    async def test_an_accounts_are_listed_newest_first_without_links(self, scans: ScanPortal) -> None:
        ids = found(scans, 5)
        path = f"/accounts/{scans.rig.account.account_id}/scan-results"
        results = await all_pages(scans, path, "scan_results", limit=2)
        assert [result["scan_id"] for result in results] == ids
        assert not any("findings_url" in result for result in results)

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x"])
    async def test_a_bad_query_is_refused(self, scans: ScanPortal, query: str) -> None:
        answer = await scans.http.get(f"/accounts/{scans.rig.account.account_id}/scan-results?{query}")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "invalid_input")

    @pytest.mark.parametrize("name", [ABSENT, "x", "%00", "a" * 5000])
    async def test_there_is_no_absent_one(self, scans: ScanPortal, name: str) -> None:
        assert (await scans.http.get(f"/scan-results/{name}")).status_code == 404
        assert (await scans.http.get(f"/accounts/{name}/scan-results")).status_code == 404


FOREIGN = [
    ("GET", "/schedules/{schedule}", None),
    ("PUT", "/schedules/{schedule}", {"name": "Taken over"}),
    ("DELETE", "/schedules/{schedule}", None),
    ("POST", "/schedules/{schedule}/trigger", None),
    ("POST", "/schedules/{schedule}/preview", None),
    ("GET", "/schedules/{schedule}/executions", None),
    ("GET", "/schedules?tenant_id={tenant}", None),
    ("GET", "/schedules?account_id={account}", None),
    ("GET", "/executions/{run}", None),
    ("POST", "/executions/{run}/cancel", None),
    ("GET", "/scan-results/{run}", None),
    ("GET", "/accounts/{account}/scan-results", None),
    ("POST", "/schedules", {"tenant_id": "{tenant}", "account_id": "{account}", "name": "Spy", **NIGHTLY}),
]


@pytest.mark.parametrize(("method", "path", "body"), FOREIGN, ids=[f"{method} {path}" for method, path, _ in FOREIGN])
async def test_another_tenants_thing_answers_as_a_missing_one(
    scans: ScanPortal, method: str, path: str, body: dict[str, str] | None
) -> None:
    schedule_id = await scans.made()
    run = await scans.triggered(schedule_id)
    await scans.ended(run)
    account_id, tenant_id = scans.rig.account.account_id, scans.rig.tenant_id
    theirs = {"schedule": schedule_id, "run": run, "account": account_id, "tenant": tenant_id}
    other = (await scans.http.post("/tenants", json={"tenant_name": f"Other {uuid4()}"})).json()["tenant_id"]
    scans.act_as(other)
    before, started = scans.all_rows(), list(scans.started)

    async def asked(names: dict[str, str]) -> httpx.Response:
        sent = {name: value.format_map(names) for name, value in body.items()} if body else None
        return await scans.http.request(method, path.format_map(names), json=sent)

    foreign, missing = await asked(theirs), await asked(dict.fromkeys(theirs, ABSENT))
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert missing.status_code == 404
    assert (scans.all_rows(), scans.started) == (before, started)


async def test_an_administrator_names_things_alone(scans: ScanPortal) -> None:
    schedule_id = await scans.made()
    run = await scans.triggered(schedule_id)
    await scans.ended(run)
    for path in (f"/schedules/{schedule_id}", f"/executions/{run}", f"/scan-results/{run}"):
        assert (await scans.http.get(path)).status_code == 200, path
