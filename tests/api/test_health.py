"""Health: what works, in one word a dependency, however many ask."""

import asyncio
import threading
from typing import Any

from temporalio.client import Client

from api.routes.health import CACHE_SECONDS, HealthMonitor
from tests.api.portal import Portal, open_portal
from tests.patience import PATIENCE_SECONDS
from tests.rig import Rig

CANARY = "kanarienvogel"


def broken() -> None:
    raise ValueError(CANARY)


def probes(**replaced: Any) -> dict[str, Any]:
    return dict.fromkeys(("dynamodb", "secrets_manager", "kms"), lambda: None) | replaced


async def test_health_needs_no_key_and_names_every_dependency(idle: Portal) -> None:
    del idle.http.headers["Authorization"]
    answer = await idle.http.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "dynamodb": "connected",
        "secrets_manager": "connected",
        "kms": "connected",
        "temporal": "connected",
        "version": "1.2.3",
    }
    assert (await idle.http.get("/health/ready")).status_code == 200


async def test_what_is_down_is_told_without_a_detail(offline: Portal) -> None:
    portal = open_portal(offline.rig, offline.rig.client, probes=probes(kms=broken))
    health, ready = await portal.http.get("/health"), await portal.http.get("/health/ready")
    assert (health.status_code, ready.status_code) == (200, 503)
    assert health.json() == ready.json()
    assert [name for name, state in health.json().items() if state == "disconnected"] == ["kms", "temporal"]
    assert health.json()["status"] == "unhealthy"
    assert CANARY not in health.text


async def test_the_process_is_alive_whatever_is_down(offline: Portal) -> None:
    answer = await offline.http.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


async def test_a_probe_that_hangs_is_down(offline: Portal) -> None:
    let_go = threading.Event()
    portal = open_portal(offline.rig, offline.rig.client, probes=probes(dynamodb=lambda: let_go.wait(PATIENCE_SECONDS)))
    try:
        assert (await portal.http.get("/health")).json()["dynamodb"] == "disconnected"
    finally:
        let_go.set()


async def test_dependencies_are_asked_once_in_three_seconds(temporal: Client) -> None:
    asked, now = [], [1000.0]
    portal = open_portal(Rig(temporal), temporal, probes=probes(kms=lambda: asked.append(1)))
    monitor = HealthMonitor(portal.services, clock=lambda: now[0])
    await asyncio.gather(*[monitor.answer() for _ in range(20)])
    assert len(asked) == 1
    now[0] += CACHE_SECONDS
    await monitor.answer()
    assert len(asked) == 2
