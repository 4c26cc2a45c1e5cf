"""Routes for load balancers and people who ask whether it works. They need no key and tell no detail."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, cast

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field

from api.auth.permissions import new_router
from api.http.openapi import errors
from api.services import Services
from domain.errors import Unavailable
from domain.ports import HealthProbe

CACHE_SECONDS = 3
PROBE_SECONDS = 2
PROBE_THREADS = 8


class DependencyState(StrEnum):
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


ERRORS = errors(public=True)

router = new_router("/health", tag="health", public=True)


class HealthAnswer(BaseModel):
    """`status` is unhealthy when a dependency is disconnected."""

    status: Literal["healthy", "unhealthy"]
    dynamodb: DependencyState
    secrets_manager: DependencyState
    kms: DependencyState
    temporal: DependencyState
    version: str = Field(examples=["0.1.0"])


class LiveAnswer(BaseModel):
    status: Literal["healthy"] = "healthy"


class HealthMonitor:
    """Probes every dependency at the same time, at most once in three seconds however many ask."""

    def __init__(self, services: Services, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._clock = clock
        self._lock = asyncio.Lock()
        self._threads = CapacityLimiter(PROBE_THREADS)
        self._answer: HealthAnswer | None = None
        self._stale_at = 0.0

    async def answer(self) -> HealthAnswer:
        async with self._lock:
            if self._answer is None or self._clock() >= self._stale_at:
                self._answer = await self._probe()
                self._stale_at = self._clock() + CACHE_SECONDS
            return self._answer

    async def _probe(self) -> HealthAnswer:
        probes = {"temporal": self._temporal()}
        probes |= {name: self._in_thread(probe) for name, probe in self._services.probes.items()}
        results = await asyncio.gather(*probes.values(), return_exceptions=True)
        ends = zip(probes, results, strict=True)
        states = {name: "connected" if result is None else "disconnected" for name, result in ends}
        status = "unhealthy" if "disconnected" in states.values() else "healthy"
        return HealthAnswer.model_validate({**states, "status": status, "version": self._services.version})

    async def _in_thread(self, probe: HealthProbe) -> None:
        """A probe that hangs is left behind; its thread is one of a few that nobody else uses."""
        with fail_after(PROBE_SECONDS):
            await to_thread.run_sync(probe, abandon_on_cancel=True, limiter=self._threads)

    async def _temporal(self) -> None:
        with fail_after(PROBE_SECONDS):
            if not await self._services.temporal.service_client.check_health(timeout=timedelta(seconds=PROBE_SECONDS)):
                raise Unavailable


def monitor_of(request: Request) -> HealthMonitor:
    return cast(HealthMonitor, request.app.state.health)


MonitorDep = Annotated[HealthMonitor, Depends(monitor_of)]


@router.get("", responses=ERRORS, summary="See what works")
async def get_health(monitor: MonitorDep) -> HealthAnswer:
    """Each dependency; always 200."""
    return await monitor.answer()


@router.get("/live", responses=ERRORS, summary="Is the process alive?")
async def get_liveness() -> LiveAnswer:
    """Answers while the process can answer at all."""
    return LiveAnswer()


@router.get(
    "/ready",
    responses={**ERRORS, 503: {"model": HealthAnswer, "description": "A dependency is down."}},
    summary="Can it serve?",
)
async def get_readiness(monitor: MonitorDep, response: Response) -> HealthAnswer:
    """503 while a dependency is down."""
    answer = await monitor.answer()
    if answer.status == "unhealthy":
        response.status_code = 503
    return answer
