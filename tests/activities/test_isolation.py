"""Each step, as one tenant on what is another's: nothing of it is read, changed or told. A workflow names the tenant in
the input of every step, so this holds whatever a workflow was started with."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts import (
    AccountActivities,
    ActivateAccount,
    Change,
    CloseAccount,
    RecordAttempt,
    RecordUndecided,
    RegisterAccount,
)
from activities.credentials import (
    CredentialActivities,
    DeleteCredential,
    PromoteCredential,
    StoreCredential,
    ValidateCredential,
)
from activities.engines import EngineActivities
from activities.notifications import Deliver, NotificationActivities
from activities.obstacles import Obstacles
from activities.onboarding_upkeep import EndLost, LostAccount, OnboardingUpkeep
from activities.scans import AdmitScan, CloseScan, RecordDelivery, ScanActivities, ScanPorts
from activities.schedules import Converge, ScheduleActivities
from activities.upkeep import EndSchedules, Key, Mend, UpkeepActivities, UpkeepPorts
from domain.accounts import ProviderType
from domain.errors import OnboardingError
from domain.onboarding.credentials import Credential, CredentialRef, SealContext, SealPurpose, VaultEntry
from domain.onboarding.dry_run import ProbeRequest
from domain.onboarding.messages import OnboardRequest
from domain.scans.notifications import Channel, ChannelKind, Notification
from domain.scans.scan import ExecutionStatus, ScanEnd, ScanPlan, ScanRequest, TriggeredBy
from domain.schedules.schedule import Cadence, ChangeKind, Schedule, ScheduleChange, ScheduleType
from tests.fakes_clouds import FakeCatalogue, ScriptedProvider, accepted
from tests.fakes_scans import FakeEngines, FakeNotifier, FakeRuns, FakeSchedules, ScriptedEngine
from tests.rig import ORIGIN
from tests.stores.samples import AT, another, closure, new_entry, new_event, new_id, new_tenant, refused
from tests.stores.test_isolation import DELIVERY, Everything, Owned, a_schedule, furnish, order
from workflows.ids import onboarding_id

A_KEY = Credential("aws_access_key", {"access_key_id": "AKIAEXAMPLE"})
LATE = "2026-12-24T00:00:00.000Z"
GONE_BY = Cadence(ScheduleType.ONE_TIME, run_at="2026-01-31T02:00:00.000Z")
WEBHOOK = Channel(ChannelKind.WEBHOOK, "https://hooks.example/scan")


@dataclass
class House:
    """All steps over one set of stores, an owner's things, and another tenant."""

    everything: Everything
    thing: Owned
    missed: Schedule
    """One more schedule of the owner's, which nothing holds."""
    pending: CredentialRef
    """A later version of a credential of the owner's, of an account that is being onboarded, and that one sealed."""
    sealed_pending: str
    signing: CredentialRef
    sealed_probe: str
    stranger: str
    temporal: FakeSchedules
    engine: ScriptedEngine
    notifier: FakeNotifier
    runs: FakeRuns
    provider: ScriptedProvider

    def run(self, name: str, tenant_id: str) -> Any:
        step, given = STEPS[name]
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_id=f"by {tenant_id}")
        return environment.run(step(self), given(tenant_id, self.thing, self))

    def state(self, tenant_id: str) -> object:
        """All that is stored for a tenant, and what the outside was told of it."""
        outside = self.temporal.built, self.engine.started, self.notifier.delivered, self.runs.cancelled
        return self.everything.rows(tenant_id), repr(outside), len(self.provider.calls)


@pytest.fixture
def house() -> House:
    everything = Everything()
    owner, stranger = new_tenant(), new_tenant()
    for tenant in (owner, stranger):
        everything.core.tenants.create(tenant, new_event(tenant.tenant_id))
    thing, runs, temporal = furnish(everything, owner.tenant_id), FakeRuns(), FakeSchedules()
    missed = replace(a_schedule(owner.tenant_id, thing.account_id), cadence=GONE_BY)
    everything.scans.schedules.create(missed, new_event(owner.tenant_id))
    for schedule in (thing.schedule, missed):
        temporal.converge(schedule)
    lost = {onboarding_id(tenant.tenant_id, thing.pending_id) for tenant in (owner, stranger)}
    runs.gone |= {thing.execution.workflow_id, *lost}
    core = everything.core
    core.vault.store(new_entry(thing.pending_id, owner.tenant_id))
    return House(
        everything=everything,
        thing=thing,
        missed=missed,
        pending=core.vault.store(another(new_entry(thing.pending_id, owner.tenant_id))),
        sealed_pending=core.sealer.seal(A_KEY, SealContext(owner.tenant_id, thing.pending_id, "submission")),
        signing=core.vault.store(webhook_secret(thing)),
        sealed_probe=core.sealer.seal(
            A_KEY, SealContext(owner.tenant_id, thing.account_id, "probe", SealPurpose.PROBE)
        ),
        stranger=stranger.tenant_id,
        temporal=temporal,
        engine=ScriptedEngine(),
        notifier=FakeNotifier(),
        runs=runs,
        provider=ScriptedProvider(),
    )


def webhook_secret(thing: Owned) -> VaultEntry:
    secret = Credential("webhook_secret", {"secret": "0123456789abcdef"})
    return VaultEntry(thing.tenant_id, thing.schedule.schedule_id, "change", "aws", secret, AT)


def accounts(house: House) -> AccountActivities:
    return AccountActivities(house.everything.core.accounts, house.everything.core.audit)


def credentials(house: House) -> CredentialActivities:
    core = house.everything.core
    catalogue = FakeCatalogue({ProviderType.AWS: house.provider})
    return CredentialActivities(core.vault, core.sealer, catalogue, core.accounts)


def scans(house: House) -> ScanActivities:
    core, rows = house.everything.core, house.everything.scans
    engines = FakeEngines(inside=house.engine)
    ports = ScanPorts(rows.schedules, rows.executions, core.tenants, core.accounts, core.audit, engines, house.runs)
    return ScanActivities(ports, pause_after=3)


def engines(house: House) -> EngineActivities:
    found = FakeEngines(inside=house.engine, elsewhere=house.engine)
    scans = house.everything.scans
    return EngineActivities(found, house.everything.core.vault, scans.results, scans.executions)


def schedules(house: House) -> ScheduleActivities:
    core = house.everything.core
    return ScheduleActivities(house.everything.scans.schedules, house.temporal, core.vault, core.sealer)


def upkeep(house: House, engine: ScriptedEngine | None = None) -> UpkeepActivities:
    core, rows = house.everything.core, house.everything.scans
    obstacles = Obstacles(core.tenants, core.accounts, FakeEngines(inside=engine))
    ports = UpkeepPorts(rows.schedules, rows.executions, house.temporal, house.runs, core.vault, obstacles, core.sealer)
    return UpkeepActivities(ports, pause_after=3, catch_up=timedelta(hours=1))


def onboardings(house: House) -> OnboardingUpkeep:
    return OnboardingUpkeep(house.everything.core.accounts, house.everything.core.vault, house.runs, onboarding_id)


def notifications(house: House) -> NotificationActivities:
    core = house.everything.core
    return NotificationActivities({ChannelKind.WEBHOOK: house.notifier}, core.vault, core.sealer, core.accounts)


def change(tenant_id: str, account_id: str) -> Change:
    return Change(tenant_id, account_id, ORIGIN, AT, "step")


def request(tenant_id: str, account_id: str) -> OnboardRequest:
    return OnboardRequest(tenant_id, account_id, "Mine", ProviderType.AWS, "iam_role", "te-1", ORIGIN)


def scan(tenant_id: str, thing: Owned) -> ScanRequest:
    return ScanRequest(tenant_id, thing.schedule.schedule_id, ORIGIN, triggered_by=TriggeredBy.API)


def plan(tenant_id: str, thing: Owned, scan_id: str) -> ScanPlan:
    return ScanPlan(order(tenant_id, thing.account_id, scan_id), AT, thing.ref, "te-1", in_process=True)


def notification(tenant_id: str, thing: Owned) -> Notification:
    return Notification("n", tenant_id, thing.account_id, thing.schedule.schedule_id, "e", "completed", AT)


def successor(tenant_id: str, thing: Owned, house: House) -> ScheduleChange:
    row = house.everything.scans.schedules.get(thing.tenant_id, thing.schedule.schedule_id)
    wished = replace(row, tenant_id=tenant_id, spec_version=row.spec_version + 1, name="Mine")
    return ScheduleChange(ChangeKind.UPDATE, wished, ORIGIN, new_id(), AT)


Given = Callable[[str, Owned, House], Any]
Step = Callable[[House], Callable[..., Any]]

STEPS: dict[str, tuple[Step, Given]] = {
    "register_account": (
        lambda h: accounts(h).register_account,
        lambda t, o, h: RegisterAccount(request(t, o.pending_id), at=AT, expires_at=AT),
    ),
    "record_attempt": (
        lambda h: accounts(h).record_attempt,
        lambda t, o, h: RecordAttempt(change(t, o.pending_id), refused(), 1),
    ),
    "record_undecided": (
        lambda h: accounts(h).record_undecided,
        lambda t, o, h: RecordUndecided(change(t, o.pending_id), "unavailable"),
    ),
    "activate_account": (
        lambda h: accounts(h).activate_account,
        lambda t, o, h: ActivateAccount(
            change(t, o.pending_id), replace(accepted(), account_number="999988887777"), o.ref, 1, ProviderType.AWS
        ),
    ),
    "close_account": (
        lambda h: accounts(h).close_account,
        lambda t, o, h: CloseAccount(change(t, o.pending_id), closure()),
    ),
    "store_credential": (
        lambda h: credentials(h).store_credential,
        lambda t, o, h: StoreCredential(t, o.pending_id, "submission", ProviderType.AWS, h.sealed_pending, AT),
    ),
    "validate_credential": (
        lambda h: credentials(h).validate_credential,
        lambda t, o, h: ValidateCredential(t, o.account_id, ProviderType.AWS, o.ref, "te-1"),
    ),
    "promote_credential": (
        lambda h: credentials(h).promote_credential,
        lambda t, o, h: PromoteCredential(t, o.pending_id, h.pending),
    ),
    "delete_credential": (
        lambda h: credentials(h).delete_credential,
        lambda t, o, h: DeleteCredential(t, o.account_id),
    ),
    "admit_scan": (
        lambda h: scans(h).admit_scan,
        lambda t, o, h: AdmitScan(replace(scan(t, o), schedule_id=h.missed.schedule_id), new_id(), AT),
    ),
    "close_scan": (
        lambda h: scans(h).close_scan,
        lambda t, o, h: CloseScan(
            plan(t, o, o.execution.execution_id), scan(t, o), ORIGIN, ScanEnd(ExecutionStatus.CANCELLED, AT)
        ),
    ),
    "record_delivery": (
        lambda h: scans(h).record_delivery,
        lambda t, o, h: RecordDelivery(t, o.execution.execution_id, DELIVERY),
    ),
    "scan_in_process": (
        lambda h: engines(h).scan_in_process,
        lambda t, o, h: plan(t, o, o.execution.execution_id),
    ),
    "start_outside_scan": (
        lambda h: engines(h).start_outside_scan,
        lambda t, o, h: plan(t, o, o.execution.execution_id),
    ),
    "collect_outside_scan": (
        lambda h: engines(h).collect_outside_scan,
        lambda t, o, h: plan(t, o, o.execution.execution_id),
    ),
    "apply_schedule_change": (lambda h: schedules(h).apply_change, successor),
    "converge_schedule": (
        lambda h: schedules(h).converge_schedule,
        lambda t, o, h: Converge(t, o.schedule.schedule_id),
    ),
    "close_abandoned": (
        lambda h: upkeep(h).close_abandoned,
        lambda t, o, h: Mend(Key(t, o.schedule.schedule_id), ORIGIN, LATE),
    ),
    "record_missed": (
        lambda h: upkeep(h).record_missed,
        lambda t, o, h: Mend(Key(t, h.missed.schedule_id), ORIGIN, LATE),
    ),
    "settle_schedule": (
        lambda h: upkeep(h).settle_schedule,
        lambda t, o, h: Mend(Key(t, h.missed.schedule_id), ORIGIN, LATE),
    ),
    "end_schedules": (
        lambda h: upkeep(h).end_schedules,
        lambda t, o, h: EndSchedules(t, o.account_id, ORIGIN, LATE),
    ),
    "end_lost_onboarding": (
        lambda h: onboardings(h).end_lost,
        lambda t, o, h: EndLost(LostAccount(t, o.pending_id), ORIGIN, LATE),
    ),
    "deliver_notification": (
        lambda h: notifications(h).deliver_notification,
        lambda t, o, h: Deliver(WEBHOOK, notification(t, o), h.signing),
    ),
    "probe_credential": (
        lambda h: credentials(h).probe_credential,
        lambda t, o, h: ProbeRequest(t, o.account_id, "probe", ProviderType.AWS, h.sealed_probe, "te-1", 60),
    ),
}

OF_NO_TENANT = {
    *("find_drift", "find_lost_onboardings", "find_unsealed_trails"),  # of all, for the sweeps
    *("poll_outside_scan", "cancel_outside_scan"),  # an engine's job, which has the id of an execution that was let in
    "anchor_heads",  # of all chains, of which it tells nobody
    "seal_trail",  # a tenant's own events, which nobody else can name
}

UNCHANGED = {"register_account", "converge_schedule"}
"""The row, and what is built of it, are there already."""


@pytest.mark.parametrize("name", sorted(STEPS))
def test_what_is_another_tenants_is_neither_read_nor_changed(house: House, name: str):
    before = house.state(house.thing.tenant_id)
    try:
        answer = house.run(name, house.stranger)
    except OnboardingError as error:
        answer = error
    assert house.state(house.thing.tenant_id) == before
    assert house.thing.tenant_id not in f"{answer!r}{house.everything.rows(house.stranger)}"


@pytest.mark.parametrize("name", sorted(set(STEPS) - UNCHANGED))
def test_the_owner_is_not_kept_out(house: House, name: str):
    """So it is the tenant that decides."""
    before = house.state(house.thing.tenant_id)
    house.run(name, house.thing.tenant_id)
    assert house.state(house.thing.tenant_id) != before


def test_each_step_that_names_a_tenant_is_tried():
    source = "".join(path.read_text() for path in (Path(__file__).parents[2] / "activities").glob("*.py"))
    assert set(re.findall(r'@activity\.defn\(name="(\w+)"', source)) == set(STEPS) | OF_NO_TENANT
