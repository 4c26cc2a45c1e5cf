"""A fresh tenant for each account on the emulated AWS. One role of one customer serves them all, and within a tenant
a cloud account can be onboarded once only."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from bench.lanes import ORIGIN
from domain.audit.events import audit_event
from domain.callers.tenants import Tenant
from domain.ports import TenantStore
from domain.timestamps import stamp


class FreshTenants:
    def __init__(self, store: TenantStore) -> None:
        self._store = store
        self._ready: list[str] = []

    async def prepare(self, count: int) -> None:
        """Before a round, so that the round does not pay for it."""
        while len(self._ready) < count:
            self._ready.append(await asyncio.to_thread(self._make))

    def take(self) -> str:
        return self._ready.pop()

    def _make(self) -> str:
        now, tenant_id = stamp(datetime.now(UTC)), str(uuid4())
        event = audit_event(
            ORIGIN,
            operation=tenant_id,
            tenant_id=tenant_id,
            action="tenant.created",
            target=f"tenant:{tenant_id}",
            at=now,
        )
        self._store.create(Tenant(tenant_id, f"Tenant {tenant_id}", now, now), event)
        return tenant_id
