"""How often somebody may call: so many requests in any minute for each address, each key and each tenant.

A sliding window of two counters, so that a caller costs the same memory whether it calls once or for ever, and nothing
two minutes later. Several API processes count together in Redis; while that is out of order each one counts for itself.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import cast

import structlog
from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from api.auth.access import AccessDep
from domain.edge_errors import RateLimited

PREFIX_OF_ONE_SITE = 64
"""Bits of an IPv6 address that a provider gives to one customer, who has all the others."""
PATIENCE_SECONDS = 5
"""Until a store that did not answer is asked again."""

MINUTE = 60
MAX_COUNTED = 100_000
"""Callers of one kind that are counted one by one in a minute. Those that come later share one counter."""
OTHERS = "others"

log = structlog.get_logger("api.rates")


class Per(StrEnum):
    ADDRESS = "address"
    HEALTH = "health"
    """An address that asks for health: beside all else, so that a flood of requests hides no healthy process."""
    KEY = "key"
    TENANT = "tenant"
    DRY_RUNS = "dry_runs"


_TOO_MANY = {
    Per.ADDRESS: "Too many requests of this address; slow down.",
    Per.HEALTH: "Too many requests of this address; slow down.",
    Per.KEY: "Too many requests of this key; slow down.",
    Per.TENANT: "Too many requests of this tenant; slow down.",
    Per.DRY_RUNS: "Too many dry runs of this tenant; wait, or submit the credential without dry_run.",
}


@dataclass(frozen=True)
class Rates:
    """Requests a minute; 0 is no limit."""

    per_key: int = 0
    per_tenant: int = 0
    per_address: int = 0
    dry_runs_per_tenant: int = 0
    """Counted beside the others: a dry run costs a worker and a cloud far more than a look at a list."""


class Windows:
    """The counts of one kind of caller in this process: those of this minute and of the last one."""

    def __init__(self, amount: int, *, clock: Callable[[], float] = time.time, max_counted: int = MAX_COUNTED) -> None:
        self._amount, self._clock, self._max_counted = amount, clock, max_counted
        self._minute = 0
        self._counts: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def hit(self, who: str) -> float:
        """Count one request: 0. For one too many, which does not count, how many seconds to wait."""
        minute, into = divmod(self._clock(), MINUTE)
        self._turn_to(int(minute))
        if who not in self._counts and len(self._counts) >= self._max_counted:
            who = OTHERS
        count, last = self._counts.get(who, 0), self._last.get(who, 0)
        if int(last * (1 - into / MINUTE)) + count < self._amount:
            self._counts[who] = count + 1
            return 0
        return max(1, MINUTE - into)

    def _turn_to(self, minute: int) -> None:
        if minute != self._minute:
            self._last = self._counts if minute == self._minute + 1 else {}
            self._counts, self._minute = {}, minute


class RateLimiter:
    """`store` is what the processes share, None for one process alone; `on_outage` is told of each time that it does
    not answer."""

    def __init__(
        self,
        rates: Rates,
        store: Storage | None = None,
        *,
        on_outage: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        proxies: Iterable[str] = (),
    ) -> None:
        """`proxies` are the networks of load balancers, which ask for health as often as they like."""
        self._proxies = tuple(ip_network(network) for network in proxies)
        amounts = {
            Per.ADDRESS: rates.per_address,
            Per.HEALTH: rates.per_address,
            Per.KEY: rates.per_key,
            Per.TENANT: rates.per_tenant,
            Per.DRY_RUNS: rates.dry_runs_per_tenant,
        }
        self._items = {per: RateLimitItemPerMinute(amount) for per, amount in amounts.items() if amount}
        self._own = {per: Windows(amount) for per, amount in amounts.items() if amount}
        self._shared = SlidingWindowCounterRateLimiter(store) if store else None
        self._on_outage, self._clock = on_outage, clock
        self._ask_again_at = -math.inf

    async def admit(self, per: Per, who: str) -> None:
        """Count one request. Raises RateLimited for one too many, which does not count."""
        if per not in self._items:
            return
        if self._shared and self._clock() >= self._ask_again_at:
            try:
                await self._hit(self._shared, per, who)
            except StorageError as failure:
                self._note(failure)
            else:
                return
        _refuse(per, self._own[per].hit(who))

    async def _hit(self, limiter: SlidingWindowCounterRateLimiter, per: Per, who: str) -> None:
        item = self._items[per]
        if not await limiter.hit(item, per, who):
            _refuse(per, max(1, (await limiter.get_window_stats(item, per, who)).reset_time - time.time()))

    def admit_health(self, host: str | None) -> None:
        """Count one look at whether this process works: here, as it needs nothing else for its answer. This machine and
        the load balancers are not counted. Raises RateLimited."""
        site = site_of(host)
        if Per.HEALTH in self._own and not self._is_own(host):
            _refuse(Per.HEALTH, self._own[Per.HEALTH].hit(site))

    def _is_own(self, host: str | None) -> bool:
        try:
            address = ip_address(host or "")
        except ValueError:
            return False
        return address.is_loopback or any(address in network for network in self._proxies)

    def _note(self, failure: StorageError) -> None:
        self._ask_again_at = self._clock() + PATIENCE_SECONDS
        self._on_outage()
        log.warning("rates.store_unavailable", retry_in_seconds=PATIENCE_SECONDS, exc_info=failure)


def _refuse(per: Per, wait: float) -> None:
    if wait:
        raise RateLimited(_TOO_MANY[per], retry_after=wait)


def site_of(host: str | None) -> str:
    """The address that is counted, for IPv6 its network; the same for all that have none, such as a Unix socket's."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or int(address) >> (128 - PREFIX_OF_ONE_SITE))


def limiter_of(request: Request) -> RateLimiter:
    return cast(RateLimiter, request.app.state.rates)


async def within_address_rate(request: Request) -> None:
    """The first dependency of a route: before the caller is looked up and the body read. Raises RateLimited."""
    await limiter_of(request).admit(Per.ADDRESS, site_of(request.client.host if request.client else None))


async def within_health_rate(request: Request) -> None:
    """The same for the health routes. Raises RateLimited."""
    limiter_of(request).admit_health(request.client.host if request.client else None)


async def within_caller_rate(request: Request, access: AccessDep) -> None:
    """Of the key and then of its tenant: what a key has too much is not counted against the tenant. Raises
    RateLimited."""
    await limiter_of(request).admit(Per.KEY, access.caller.principal)
    if access.caller.tenant_id is not None:
        await limiter_of(request).admit(Per.TENANT, access.caller.tenant_id)
