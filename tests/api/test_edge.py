"""What a browser and a proxy may do: by default nothing beyond a request of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from api.http.hardening import MAX_HEAD_BYTES, MAX_HEADERS, ONCE, Edge
from tests.api.portal import Portal, open_portal
from tests.api.routes import calls

PAGE = "https://portal.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@asynccontextmanager
async def edged(offline: Portal, edge: Edge) -> AsyncIterator[Portal]:
    portal = open_portal(offline.rig, offline.rig.client, edge=edge)
    async with portal.http:
        yield portal


def cors(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


async def test_no_page_may_call_by_default(offline: Portal):
    for method, more in (("OPTIONS", PREFLIGHT), ("GET", {})):
        answer = await offline.http.request(method, "/tenants", headers={"Origin": PAGE, **more})
        assert cors(answer.headers) == {}
    assert answer.status_code == 200


async def test_a_page_that_is_listed_may_call_with_a_key_and_without_cookies(offline: Portal):
    async with edged(offline, Edge(cors_origins=(PAGE,))) as portal:
        asked = await portal.http.request("OPTIONS", "/tenants", headers={"Origin": PAGE, **PREFLIGHT})
        done = await portal.http.get("/tenants", headers={"Origin": PAGE})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    assert done.headers["access-control-allow-origin"] == PAGE
    assert "X-Request-Id" in done.headers["access-control-expose-headers"]
    for answer in (asked, done):
        assert "access-control-allow-credentials" not in answer.headers
        assert "*" not in cors(answer.headers).values()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_error_can_be_read_by_a_page_that_is_listed(offline: Portal, method: str):
    async with edged(offline, Edge(cors_origins=(PAGE,))) as portal:
        answer = await portal.http.request(method, "/nowhere", headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, PAGE)


@pytest.mark.parametrize("origin", ["https://portal.example.com.evil.test", "http://portal.example.com", "null", "*"])
async def test_any_other_page_may_not(offline: Portal, origin: str):
    async with edged(offline, Edge(cors_origins=(PAGE,))) as portal:
        asked = await portal.http.request("OPTIONS", "/tenants", headers={"Origin": origin, **PREFLIGHT})
        done = await portal.http.get("/tenants", headers={"Origin": origin})
    assert asked.status_code == 400
    assert origin not in asked.text
    assert "access-control-allow-origin" not in {**asked.headers, **done.headers}


@pytest.mark.parametrize("https", [True, False])
async def test_browsers_are_held_to_tls_where_the_world_comes_over_tls(offline: Portal, https: bool):
    async with edged(offline, Edge(https=https)) as portal:
        headers = (await portal.http.get("/health/live")).headers
    assert headers.get("Strict-Transport-Security") == ("max-age=31536000" if https else None)


async def test_every_answer_of_every_route_has_the_headers(offline: Portal):
    for call in calls(offline.app):
        headers = (await offline.http.request(call.method, call.url)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not {"server", "x-powered-by"} & set(headers)


@pytest.mark.parametrize("name", sorted(ONCE))
async def test_a_header_of_which_there_is_one_comes_once(offline: Portal, name: bytes):
    answer = await offline.http.get("/health/live", headers=[(name, b"1"), (name, b"1")])
    assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "malformed_request")
    assert answer.headers["Connection"] == "close"


async def test_a_head_has_its_largest_size(offline: Portal):
    async def status(headers: Mapping[str, str]) -> int:
        return (await offline.http.get("/health/live", headers=headers)).status_code

    assert await status({"X-A": "a" * (MAX_HEAD_BYTES - 1_000)}) == 200
    assert await status({"X-A": "a" * MAX_HEAD_BYTES}) == 431
    assert await status({f"X-{number}": "" for number in range(MAX_HEADERS - 10)}) == 200
    assert await status({f"X-{number}": "" for number in range(MAX_HEADERS)}) == 431


async def test_a_method_that_a_path_does_not_have_is_told_all_that_it_has(offline: Portal):
    answer = await offline.http.put("/tenants")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
