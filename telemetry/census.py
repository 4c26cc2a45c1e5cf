"""How many onboardings are under way, asked of Temporal: a count of what there is survives every restart, where one of
starts and ends would not."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.common import MetricMeter, SearchAttributeKey
from temporalio.service import RPCError

from domain.metrics import COUNTED_AT, RUNNING, WAITING_LONG
from domain.onboarding.messages import OnboardingState
from domain.timestamps import stamp

EVERY_SECONDS = 30.0
CALL_SECONDS = 10.0
LONG = timedelta(days=3)

STATES = (OnboardingState.REGISTERING, OnboardingState.WAITING, OnboardingState.STORING)
"""The states of an onboarding under way that it can be found by."""

log = structlog.get_logger("telemetry")


class Census:
    """Counts by the search attribute `state`, which whoever builds this knows."""

    def __init__(self, client: Client, meter: MetricMeter, *, state: SearchAttributeKey[str]) -> None:
        self._client, self._state = client, state.name
        self._running = meter.create_gauge(RUNNING.name, RUNNING.meaning)
        self._waiting_long = meter.create_gauge(WAITING_LONG.name, WAITING_LONG.meaning)
        self._counted_at = meter.create_gauge(COUNTED_AT.name, COUNTED_AT.meaning)

    async def keep(self) -> None:
        """Count now and then, until cancelled. While Temporal does not answer, the gauges keep their last values."""
        while True:
            try:
                await self.count()
            except (RPCError, RuntimeError) as error:
                # A lazy client that cannot connect raises RuntimeError.
                log.warning("census.failed", exc_info=error)
            await asyncio.sleep(EVERY_SECONDS)

    async def count(self) -> None:
        """Raises RPCError, RuntimeError."""
        now = datetime.now(UTC)
        numbers = await asyncio.gather(*(self._number(state) for state in STATES))
        long = await self._number(OnboardingState.WAITING, f" AND StartTime < '{stamp(now - LONG)}'")
        for state, number in zip(STATES, numbers, strict=True):
            self._running.set(number, {"state": state.value})
        self._waiting_long.set(long)
        self._counted_at.set(int(now.timestamp()))

    async def _number(self, state: OnboardingState, further: str = "") -> int:
        query = f"ExecutionStatus = 'Running' AND {self._state} = '{state.value}'{further}"
        found = await self._client.count_workflows(query, rpc_timeout=timedelta(seconds=CALL_SECONDS))
        return found.count
