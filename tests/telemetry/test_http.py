"""Requests to the API: measured and traced by what the routes are called, never by what a caller sent."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import Client

from telemetry.http import METHODS, ObservedApplication
from tests.api.portal import ROOT, Portal, open_portal
from tests.rig import Rig
from tests.telemetry.collector import Collector, attributes
from tests.telemetry.conftest import Meters

CANARY = "canary7f3a"
COUNT = "http_server_request_duration_seconds_count"


@pytest_asyncio.fixture(loop_scope="session")
async def portal(meters: Meters, tracers: TracerProvider) -> AsyncIterator[Portal]:
    """The API with nothing behind it, observed."""
    client = await Client.connect("127.0.0.1:9", lazy=True)
    portal = open_portal(Rig(client), client)
    app = ObservedApplication(
        portal.app, meter=meters.meter, tracer=tracers.get_tracer("api"), untraced="/api/v1/health"
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=ROOT, headers=portal.http.headers) as portal.http:
        yield portal


async def test_a_request_is_measured_by_method_route_and_status(portal: Portal, meters: Meters):
    assert (await portal.http.get("/tenants")).status_code == 200
    assert (await portal.http.get(f"/onboarding/accounts/{CANARY}")).status_code == 404
    found = meters.read()
    assert found.value(COUNT, method="GET", route="/tenants", status="200") == 1
    assert found.value(COUNT, method="GET", route="/onboarding/accounts/{account_id}", status="404") == 1
    assert CANARY not in found.text


async def test_what_a_caller_makes_up_is_other(portal: Portal, meters: Meters):
    await portal.http.get(f"/{CANARY}")
    await portal.http.request(CANARY, "/tenants")
    found = meters.read()
    assert found.value(COUNT, method="GET", route="other", status="404") == 1
    assert found.value(COUNT, method="other", route="/tenants", status="405") == 1
    assert found.values_of(COUNT, "method") <= METHODS | {"other"}
    assert CANARY not in found.text.lower()


async def test_a_trace_begins_here_and_names_the_template(
    portal: Portal, tracers: TracerProvider, collector: Collector
):
    foreign = f"00-{'ab' * 16}-{'cd' * 8}-01"
    headers = {"traceparent": foreign, "baggage": f"a={CANARY}", "X-Request-Id": CANARY}
    await portal.http.get(f"/onboarding/accounts/{CANARY}", headers=headers)
    tracers.force_flush()
    [span] = collector.spans()
    assert span.name == "GET /onboarding/accounts/{account_id}"
    assert (span.parent_span_id, span.trace_id.hex() == "ab" * 16) == (b"", False)
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.route": "/onboarding/accounts/{account_id}",
        "http.response.status_code": 404,
    }
    assert CANARY.encode() not in b"".join(collector.requests)


@pytest.mark.parametrize(("path", "traces"), [("/health/live", 0), ("/health/ready", 0), ("/tenants", 1)])
async def test_a_health_probe_has_no_trace(
    portal: Portal, meters: Meters, tracers: TracerProvider, collector: Collector, path: str, traces: int
):
    await portal.http.get(path)
    tracers.force_flush()
    assert len(collector.spans()) == traces
    assert meters.read().value(COUNT, route=path) == 1


async def test_a_request_that_cannot_be_served_is_an_error(
    portal: Portal, tracers: TracerProvider, collector: Collector
):
    assert (await portal.init()).status_code == 503
    tracers.force_flush()
    assert collector.named("POST /onboarding/{provider}/init")[0].status.code == 2
