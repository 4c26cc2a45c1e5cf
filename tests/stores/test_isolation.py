"""Three tenants, every operation of every store, in any order: what is another tenant's is neither read nor changed.

Every thing carries the name of its tenant, so a foreign one is recognised wherever it comes out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from domain.accounts import ProviderType
from domain.errors import NotFound, OnboardingError, SealBroken
from domain.onboarding.credentials import Credential, SealContext
from domain.scans.notifications import ChannelKind, Delivery, DeliveryState
from domain.scans.scan import Execution, ExecutionStatus, ScanEnd, ScanOrder, TriggeredBy
from domain.schedules.schedule import Cadence, ScanScope, Schedule, ScheduleType
from tests.fakes import FakeStores
from tests.fakes_scans import FOUND, FakeScanStores
from tests.stores.samples import (
    AT,
    LATER,
    a_key,
    activation,
    closure,
    new_account,
    new_entry,
    new_event,
    new_id,
    new_record,
    new_tenant,
    refused,
)

NIGHTLY = Cadence(ScheduleType.CRON, cron_expression="0 2 * * *")
DELIVERY = Delivery(ChannelKind.WEBHOOK, "https://hooks.example/scan", DeliveryState.DELIVERED, AT)


class Everything:
    """All stores, on one ledger."""

    def __init__(self) -> None:
        self.core = FakeStores()
        self.scans = FakeScanStores(self.core.ledger, self.core.accounts)

    def rows(self, tenant_id: str) -> dict[str, Any]:
        """All that is stored for a tenant, as text: equal texts are equal rows."""
        found: Mapping[str, Mapping[Any, Any]] = {
            "tenants": vars(self.core.tenants)["_rows"],
            "accounts": vars(self.core.accounts)["_rows"],
            "keys": vars(self.core.api_keys)["_rows"],
            "records": vars(self.core.idempotency)["_rows"],
            "secrets": vars(self.core.vault)["_secrets"],
            "schedules": self.scans.schedule_rows,
            "executions": self.scans.execution_rows,
            "results": vars(self.scans.results)["_rows"],
        }
        rows = {
            f"{kind} {key}": repr(row)
            for kind, table in found.items()
            for key, row in table.items()
            if row.tenant_id == tenant_id
        }
        return {**rows, "events": repr(self.core.ledger.of(tenant_id))}


@dataclass(frozen=True)
class Owned:
    """One of each thing that a tenant has."""

    tenant_id: str
    account_id: str
    pending_id: str
    schedule: Schedule
    execution: Execution
    scan_id: str
    key_id: str
    ref: Any
    sealed: str
    record: Any


Operation = Callable[[Everything, str, Owned], Any]


def as_of(tenant_id: str, schedule: Schedule) -> Schedule:
    return replace(schedule, tenant_id=tenant_id, spec_version=schedule.spec_version + 1, name=f"Mine {tenant_id}")


def order(tenant_id: str, account_id: str, scan_id: str) -> ScanOrder:
    return ScanOrder(scan_id, tenant_id, account_id, ProviderType.AWS, "444455556666", ScanScope())


OPERATIONS: dict[str, Operation] = {
    "accounts.get": lambda e, t, o: e.core.accounts.get(t, o.account_id),
    "accounts.record_attempt": lambda e, t, o: e.core.accounts.record_attempt(
        t, o.pending_id, refused(), 1, new_event(t)
    ),
    "accounts.activate": lambda e, t, o: e.core.accounts.activate(t, o.pending_id, activation(), new_event(t)),
    "accounts.close": lambda e, t, o: e.core.accounts.close(t, o.pending_id, closure(), new_event(t)),
    "schedules.get": lambda e, t, o: e.scans.schedules.get(t, o.schedule.schedule_id),
    "schedules.create": lambda e, t, o: e.scans.schedules.create(
        replace(as_of(t, o.schedule), schedule_id=new_id()), new_event(t)
    ),
    "schedules.replace": lambda e, t, o: e.scans.schedules.replace(as_of(t, o.schedule), new_event(t)),
    "schedules.claim": lambda e, t, o: e.scans.schedules.claim(
        replace(o.schedule, tenant_id=t), replace(o.execution, tenant_id=t, execution_id=new_id()), new_event(t)
    ),
    "schedules.release": lambda e, t, o: e.scans.schedules.release(
        replace(o.execution, tenant_id=t), ScanEnd(ExecutionStatus.CANCELLED, LATER), new_event(t), pause_after=3
    ),
    "executions.get": lambda e, t, o: e.scans.executions.get(t, o.execution.execution_id),
    "executions.record_delivery": lambda e, t, o: e.scans.executions.record_delivery(
        t, o.execution.execution_id, DELIVERY, new_event(t)
    ),
    "results.get": lambda e, t, o: e.scans.results.get(t, o.scan_id),
    "results.write": lambda e, t, o: e.scans.results.write(
        order(t, o.account_id, o.scan_id), FOUND, started_at=AT, completed_at=LATER
    ),
    "vault.store": lambda e, t, o: e.core.vault.store(new_entry(o.account_id, t)),
    "vault.read": lambda e, t, o: e.core.vault.read(t, o.account_id, o.ref),
    "vault.promote": lambda e, t, o: e.core.vault.promote(t, o.account_id, o.ref),
    "vault.delete": lambda e, t, o: e.core.vault.delete(t, o.account_id, recovery_days=7),
    "vault.restore": lambda e, t, o: e.core.vault.restore(t, o.account_id),
    "sealer.open": lambda e, t, o: e.core.sealer.open(o.sealed, SealContext(t, o.account_id, "submission")),
    "api_keys.get": lambda e, t, o: e.core.api_keys.get(t, o.key_id),
    "api_keys.revoke": lambda e, t, o: e.core.api_keys.revoke(t, o.key_id, new_event(t)),
}
"""Each acts as one tenant on a thing, which may be another's: then it is missing."""

LISTS: dict[str, Operation] = {
    "accounts.page": lambda e, t, o: e.core.accounts.page(t, provider_type=None, status=None, limit=100, cursor=None),
    "schedules.page": lambda e, t, o: e.scans.schedules.page(t, account_id=None, status=None, limit=100, cursor=None),
    "schedules.page of an account": lambda e, t, o: e.scans.schedules.page(
        t, account_id=o.account_id, status=None, limit=100, cursor=None
    ),
    "executions.page of a schedule": lambda e, t, o: e.scans.executions.page(
        t, schedule_id=o.schedule.schedule_id, account_id=None, limit=100, cursor=None
    ),
    "executions.page of an account": lambda e, t, o: e.scans.executions.page(
        t, schedule_id=None, account_id=o.account_id, limit=100, cursor=None
    ),
    "results.page": lambda e, t, o: e.scans.results.page(t, account_id=o.account_id, limit=100, cursor=None),
    "api_keys.page": lambda e, t, o: e.core.api_keys.page(t, limit=100, cursor=None),
    "api_keys.note_use": lambda e, t, o: e.core.api_keys.note_use(t, o.key_id, at=LATER, noted_before=LATER),
    "audit.page": lambda e, t, o: e.core.audit.page(t, limit=100, cursor=None),
    "schedules.delete": lambda e, t, o: e.scans.schedules.delete(t, o.schedule.schedule_id, new_event(t)),
    "idempotency.begin": lambda e, t, o: e.core.idempotency.begin(
        replace(o.record, tenant_id=t, body_digest=f"digest of {t}", ids={})
    ),
}
"""These answer the same whether a thing is another's or missing, and refuse nothing."""

tenant_numbers = st.integers(0, 2)


class Tenants(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.everything = Everything()
        self.tenants: list[str] = []
        self.owned: list[Owned] = []
        for _ in range(3):
            tenant = new_tenant()
            self.everything.core.tenants.create(tenant, new_event(tenant.tenant_id))
            self.tenants.append(tenant.tenant_id)
        for number in range(3):
            self.grow(number)

    @rule(number=tenant_numbers)
    def grow(self, number: int) -> None:
        """A tenant comes to one more of everything."""
        self.owned.append(furnish(self.everything, self.tenants[number]))

    @rule(number=tenant_numbers, which=st.integers(0, 1000), name=st.sampled_from(sorted(OPERATIONS)))
    def act(self, number: int, which: int, name: str) -> None:
        tenant_id, thing = self.tenants[number], self.owned[which % len(self.owned)]
        answer = self.attempt(tenant_id, thing, OPERATIONS[name])
        if thing.tenant_id != tenant_id:
            empty = name == "vault.delete" and answer is None
            assert empty or isinstance(answer, NotFound | SealBroken), name

    @rule(number=tenant_numbers, which=st.integers(0, 1000), name=st.sampled_from(sorted(LISTS)))
    def look(self, number: int, which: int, name: str) -> None:
        self.attempt(self.tenants[number], self.owned[which % len(self.owned)], LISTS[name])

    def attempt(self, tenant_id: str, thing: Owned, operation: Operation) -> Any:
        others = [other for other in self.tenants if other != tenant_id]
        before = [self.everything.rows(other) for other in others]
        try:
            answer = operation(self.everything, tenant_id, thing)
        except OnboardingError as error:
            answer = error
        assert [self.everything.rows(other) for other in others] == before
        seen = f"{answer!r}{self.everything.rows(tenant_id)}"
        assert not any(other in seen for other in others)
        return answer


def furnish(everything: Everything, tenant_id: str) -> Owned:
    core, scans = everything.core, everything.scans
    account, pending = (replace(new_account(tenant_id), account_name=f"Of {tenant_id}") for _ in range(2))
    for each in (account, pending):
        core.accounts.register(each, new_event(tenant_id))
    core.accounts.activate(tenant_id, account.account_id, activation(), new_event(tenant_id))
    schedule = scans.schedules.create(a_schedule(tenant_id, account.account_id), new_event(tenant_id))
    execution = an_execution(schedule)
    scans.schedules.claim(schedule, execution, new_event(tenant_id))
    core.api_keys.add(a_key(tenant_id), new_event(tenant_id))
    key = core.api_keys.page(tenant_id, limit=1, cursor=None).items[0]
    record = replace(new_record(), tenant_id=tenant_id, body_digest=f"digest of {tenant_id}")
    core.idempotency.begin(record)
    thing = Owned(
        tenant_id,
        account.account_id,
        pending.account_id,
        schedule,
        execution,
        new_id(),
        key.key_id,
        core.vault.store(new_entry(account.account_id, tenant_id, key=f"secret of {tenant_id}")),
        core.sealer.seal(Credential("x", {"x": tenant_id}), SealContext(tenant_id, account.account_id, "submission")),
        record,
    )
    scans.results.write(order(tenant_id, thing.account_id, thing.scan_id), FOUND, started_at=AT, completed_at=LATER)
    return thing


def a_schedule(tenant_id: str, account_id: str) -> Schedule:
    return Schedule(
        schedule_id=new_id(),
        tenant_id=tenant_id,
        account_id=account_id,
        provider_type=ProviderType.AWS,
        name=f"Nightly of {tenant_id}",
        cadence=NIGHTLY,
        created_at=AT,
        updated_at=AT,
        created_by="key:test",
    )


def an_execution(schedule: Schedule) -> Execution:
    return Execution(
        execution_id=new_id(),
        tenant_id=schedule.tenant_id,
        account_id=schedule.account_id,
        provider_type=schedule.provider_type,
        schedule_id=schedule.schedule_id,
        workflow_id=f"scan:{schedule.tenant_id}:{new_id()}",
        triggered_by=TriggeredBy.API,
        started_at=AT,
    )


TestTenants = Tenants.TestCase
TestTenants.settings = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
