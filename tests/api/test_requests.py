"""Around every request: its id, the headers of its answer, its line in the log."""

import pytest
from structlog.testing import capture_logs

from logs import FIELDS
from tests.api.portal import Portal

CANARY = "kanarienvogel"


@pytest.mark.parametrize("given", ["a", "A-Z_0.9", "x" * 64])
async def test_a_request_id_of_the_caller_is_kept(offline: Portal, given: str) -> None:
    answer = await offline.http.get("/health/live", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a/b", "<script>", "a\tb"])
async def test_any_other_request_id_is_replaced(offline: Portal, given: str) -> None:
    answer = await offline.http.get("/health/live", headers={"X-Request-Id": given})
    assert len(answer.headers["X-Request-Id"]) == 32


async def test_every_request_has_an_id_of_its_own(offline: Portal) -> None:
    ids = {(await offline.http.get("/health/live")).headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5


async def test_answers_are_neither_stored_nor_run(offline: Portal) -> None:
    headers = (await offline.http.get("/tenants")).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_the_log_has_one_line_of_known_fields(offline: Portal) -> None:
    with capture_logs() as lines:
        answer = await offline.http.get(f"/tenants/{CANARY}", headers={"User-Agent": CANARY})
    [line] = lines
    assert set(line) - {"log_level"} <= set(FIELDS)
    assert (line["event"], line["method"], line["status"]) == ("request.served", "GET", 404)
    assert line["route"] == "/tenants/{tenant_id}"
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["actor"].startswith("key:")
    assert CANARY not in str(lines)


async def test_a_stranger_is_logged_as_one(offline: Portal) -> None:
    del offline.http.headers["Authorization"]
    with capture_logs() as lines:
        await offline.http.get(f"http://api.test/{CANARY}")
    assert (lines[0]["actor"], lines[0]["route"], lines[0]["status"]) == ("anonymous", "unknown", 404)
