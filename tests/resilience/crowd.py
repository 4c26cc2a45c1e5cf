"""Customers' scripts in a fleet that dies around them: what each was promised, and how its onboarding must end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from bench.portal_client import CONNECTIONS
from tests.resilience.caller import Caller, Unanswered
from tests.resilience.customer import Customer
from tests.resilience.fleet import Fleet
from tests.resilience.invariants import Broken, Expected, Harm
from tests.resilience.journeys import JOURNEYS, Traveller

REQUEST_SECONDS = 40.0
PATIENCE_SECONDS = 3600.0
"""As good as without end: an onboarding that its customer gave up would count as lost."""
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Promise:
    """Of a journey: the last answer to each of its requests, and what is left at its end."""

    statuses: tuple[int, ...]
    status: str
    refused: int


PROMISES = {
    "straight": Promise((201, 200), "active", refused=0),
    "second try": Promise((201, 400, 200), "active", refused=1),
    "given up": Promise((201, 400, 202), "disabled", refused=1),
}
"""By the journey's name."""

NewTraveller = Callable[[], Traveller]


@asynccontextmanager
async def crowd(fleet: Fleet) -> AsyncIterator[NewTraveller]:
    """Makes scripts that repeat what was not answered, with the same Idempotency-Key."""
    tenants, customer = fleet.tenants(), Customer(fleet.customer)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    base = f"{fleet.api_url}/api/v1"
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=REQUEST_SECONDS, trust_env=False) as http:
        caller = Caller(http, pause=PAUSE_SECONDS, patience=PATIENCE_SECONDS)
        yield lambda: Traveller(caller, customer, tenants, lambda: fleet.api_key)


@dataclass(frozen=True)
class Trip:
    """One script on its way."""

    journey: str
    traveller: Traveller

    async def go(self) -> list[Broken]:
        """What was not answered as it should have been."""
        try:
            await JOURNEYS[self.journey](self.traveller)
        except Unanswered as unanswered:
            return [Broken(Harm.LOST, self.traveller.account_id, f"{unanswered}.")]
        statuses = tuple(answer.status for _, answer in self.traveller.sent)
        wanted = PROMISES[self.journey].statuses
        what = f"Its requests were answered {statuses}, not {wanted}."
        return [] if statuses == wanted else [Broken(Harm.LOST, self.traveller.account_id, what)]

    @property
    def expected(self) -> Expected:
        promise = PROMISES[self.journey]
        return Expected(self.traveller.tenant_id, self.traveller.account_id, promise.status, promise.refused)
