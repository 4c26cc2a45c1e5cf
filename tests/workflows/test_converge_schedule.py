"""ConvergeSchedule and Reconcile on the real server: row and Temporal Schedule agree, whatever happens in between."""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import (
    Client,
    ScheduleDescription,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.upkeep import EndSchedules, UpkeepActivities
from domain.accounts import Account
from domain.callers.tenants import TenantStatus
from domain.commands import RecurringRequest
from domain.errors import Forbidden
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from domain.scans.notifications import Channel, ChannelKind, NotificationSettings
from domain.scans.scan import ExecutionStatus, TriggeredBy
from domain.schedules.schedule import MISSED, Cadence, ChangeKind, Schedule, ScheduleStatus, ScheduleType
from domain.timestamps import stamp
from temporal.schedules.recurring import signed_in
from tests.fakes import FakeAccountStore
from tests.rig import ORIGIN, SIGNER, code_of, eventually, until_set
from tests.scan_rig import CATCH_UP, ScanRig
from tests.stores.samples import new_event
from workflows.upkeep.reconcile import Reconcile, Swept


@pytest.fixture
def rig(environment: WorkflowEnvironment) -> ScanRig:
    return ScanRig(environment.client)


async def described(rig: ScanRig, schedule: Schedule) -> ScheduleDescription:
    return await rig.client.get_schedule_handle(schedule.schedule_id).describe()


async def exists(rig: ScanRig, schedule: Schedule) -> bool:
    try:
        await described(rig, schedule)
    except RPCError:
        return False
    return True


def successor(row: Schedule, **changes: object) -> Schedule:
    return replace(row, spec_version=row.spec_version + 1, **changes)  # type: ignore[arg-type]


async def test_a_new_schedule_has_a_row_and_fires_at_its_time(rig: ScanRig):
    async with rig.worker():
        schedule = await rig.change(ChangeKind.CREATE, rig.schedule())
        found = await described(rig, schedule)
    assert rig.row(schedule) == schedule
    assert [moment.hour for moment in found.info.next_action_times[:2]] == [2, 2]
    assert found.schedule.policy.catchup_window == timedelta(hours=1)


async def test_a_change_replaces_the_times_instead_of_adding_to_them(rig: ScanRig):
    async with rig.worker():
        row = await rig.change(ChangeKind.CREATE, rig.schedule())
        later = Cadence(ScheduleType.CRON, cron_expression="30 5 * * *", timezone="Asia/Kolkata")
        row = await rig.change(ChangeKind.UPDATE, successor(row, cadence=later))
        found = await described(rig, row)
    assert {(m.hour, m.minute) for m in found.info.next_action_times} == {(0, 0)}


async def test_the_same_change_twice_is_one_change(rig: ScanRig):
    schedule = rig.schedule()
    async with rig.worker():
        first = await rig.change(ChangeKind.CREATE, schedule, change_id="change-1")
        again = await rig.change(ChangeKind.CREATE, schedule, change_id="change-1")
    assert first == again
    assert [e.action for e in rig.stores.ledger.of(rig.tenant_id)].count("schedule.created") == 1


async def test_of_two_changes_of_one_version_the_second_is_refused(rig: ScanRig):
    async with rig.worker():
        row = await rig.change(ChangeKind.CREATE, rig.schedule())
        changes = [
            rig.change(ChangeKind.UPDATE, successor(row, name=name)) for name in ("by one", "by another", "by a third")
        ]
        outcomes = await asyncio.gather(*changes, return_exceptions=True)
        found = await described(rig, row)
    refused = [outcome for outcome in outcomes if isinstance(outcome, WorkflowUpdateFailedError)]
    assert [code_of(error) for error in refused] == ["stale_version"] * 2
    assert (found.schedule.state.note or "").startswith(f"{rig.row(row).name}: version 2")


async def test_a_paused_schedule_has_no_next_run(rig: ScanRig):
    async with rig.worker():
        row = await rig.change(ChangeKind.CREATE, rig.schedule())
        assert await asyncio.to_thread(rig.temporal().next_run, row) is not None
        row = await rig.change(ChangeKind.UPDATE, successor(row, status=ScheduleStatus.PAUSED))
        found = await described(rig, row)
        assert await asyncio.to_thread(rig.temporal().next_run, row) is None
    assert found.schedule.state.paused
    assert found.info.next_action_times != []  # the server goes on counting: the row decides


async def test_a_deleted_schedule_is_gone_on_both_sides(rig: ScanRig):
    async with rig.worker():
        row = await rig.change(ChangeKind.CREATE, rig.schedule())
        await rig.change(ChangeKind.DELETE, row)
        assert not await exists(rig, row)
    assert row.schedule_id not in rig.scans.schedule_rows


async def sign(rig: ScanRig, kind: ChangeKind, schedule: Schedule, secret: str) -> Schedule:
    """A change that brings a signing secret."""
    change_id = str(uuid4())
    context = SealContext(rig.tenant_id, schedule.schedule_id, change_id, SealPurpose.WEBHOOK)
    sealed = rig.stores.sealer.seal(Credential("webhook_secret", {"secret": secret}), context)
    return await rig.change(kind, schedule, change_id=change_id, sealed_secret=sealed)


async def signed(rig: ScanRig) -> Schedule:
    return await sign(rig, ChangeKind.CREATE, rig.schedule(), "canary-secret")


async def test_a_signing_secret_is_stored_and_only_referred_to(rig: ScanRig):
    async with rig.worker():
        row = await signed(rig)
        run = await rig.trigger(row)
        await run.result()
        history = await rig.client.get_workflow_handle(f"schedule:{rig.tenant_id}:{row.schedule_id}").fetch_history()
    [(_, _, secret)] = rig.notifier.delivered
    assert secret is not None
    assert secret.reveal() == "canary-secret"
    assert "canary-secret" not in history.to_json()


class TestASigningSecretThatIsNotWanted:
    async def test_goes_with_the_webhook(self, rig: ScanRig):
        async with rig.worker():
            row = await signed(rig)
            assert rig.webhooks.stages(row.schedule_id)
            await rig.change(ChangeKind.UPDATE, successor(row, notifications=NotificationSettings()))
            assert rig.webhooks.stages(row.schedule_id) == {}

    async def test_goes_with_a_schedule_that_was_never_made(self, rig: ScanRig):
        pending = rig.schedule(account_id=rig.pending_account().account_id)
        async with rig.worker():
            with pytest.raises(WorkflowUpdateFailedError):
                await sign(rig, ChangeKind.CREATE, pending, "canary-secret")
            assert rig.webhooks.stages(pending.schedule_id) == {}

    async def test_takes_no_other_ones_place_when_its_change_is_refused(self, rig: ScanRig):
        async with rig.worker():
            row = await signed(rig)
            with pytest.raises(WorkflowUpdateFailedError):
                await sign(rig, ChangeKind.UPDATE, row, "of a stale change")
        signing = rig.row(row).notifications.signing
        assert signing is not None
        assert rig.webhooks.stages(row.schedule_id)["AWSCURRENT"] == signing.version


async def test_a_new_signing_secret_is_the_current_one(rig: ScanRig):
    async with rig.worker():
        row = await signed(rig)
        row = await sign(rig, ChangeKind.UPDATE, successor(row), "another-secret")
    signing = rig.row(row).notifications.signing
    assert signing is not None
    assert (rig.webhooks.stages(row.schedule_id)["AWSCURRENT"], signing.pending) == (signing.version, False)
    assert rig.webhooks.read(rig.tenant_id, row.schedule_id, signing).reveal("secret") == "another-secret"


async def test_a_one_time_schedule_fires_once_and_is_completed(rig: ScanRig):
    soon = stamp(datetime.now(UTC) + timedelta(seconds=2))
    async with rig.worker():
        row = await rig.change(ChangeKind.CREATE, rig.schedule(cadence=Cadence(ScheduleType.ONE_TIME, run_at=soon)))

        async def completed() -> bool:
            return rig.row(row).status is ScheduleStatus.COMPLETED and not await exists(rig, row)

        await eventually(completed)
        page = rig.scans.executions.page(
            rig.tenant_id, schedule_id=row.schedule_id, account_id=None, limit=10, cursor=None
        )
    assert [(e.triggered_by, e.status) for e in page.items] == [(TriggeredBy.SCHEDULER, ExecutionStatus.COMPLETED)]


async def test_a_one_time_schedule_whose_moment_just_passed_still_fires(rig: ScanRig):
    passed = stamp(datetime.now(UTC) - timedelta(seconds=5))
    async with rig.worker():
        row = await rig.change(ChangeKind.CREATE, rig.schedule(cadence=Cadence(ScheduleType.ONE_TIME, run_at=passed)))

        async def fired() -> bool:
            return rig.row(row).run_count == 1

        await eventually(fired)


async def test_a_stray_fire_of_an_older_version_is_harmless(rig: ScanRig):
    async with rig.worker():
        row = await rig.change(ChangeKind.CREATE, rig.schedule())
        stale = rig.client.get_schedule_handle(row.schedule_id)
        rig.scans.schedule_rows[row.schedule_id] = successor(row)
        await stale.trigger()

        async def left() -> bool:
            query = f"ScanScheduleId = '{row.schedule_id}' AND ScanState = 'left'"
            return (await rig.client.count_workflows(query)).count == 1

        await eventually(left)
    assert rig.row(row).run_count == 0


class RefusingAccounts(FakeAccountStore):
    """Fails in a way that no repetition helps."""

    def get(self, tenant_id: str, account_id: str) -> Account:
        raise Forbidden


class TestTheSweep:
    async def swept(self, rig: ScanRig) -> Swept:
        return await rig.client.execute_workflow(
            Reconcile.run, RecurringRequest("test"), id=f"reconcile-{uuid4()}", task_queue=rig.queue
        )

    async def test_signs_what_an_older_release_left_unsigned(self, rig: ScanRig):
        row = rig.stored()
        before = Client(rig.client.service_client, namespace=rig.client.namespace)
        await asyncio.to_thread(rig.temporal(before, signed=False).converge, row)
        schedule = rig.client.get_schedule_handle(row.schedule_id)
        assert signed_in((await schedule.describe()).schedule) == 0
        async with rig.worker():

            async def is_signed() -> bool:
                swept = await self.swept(rig)
                return swept.signed == 1

            await eventually(is_signed)
        assert signed_in((await described(rig, row)).schedule) == SIGNER.generation

    async def test_builds_what_is_missing_and_what_is_of_another_version(self, rig: ScanRig):
        lost = rig.stored()
        async with rig.worker():
            changed = await rig.change(ChangeKind.CREATE, rig.schedule())
            rig.scans.schedule_rows[changed.schedule_id] = successor(changed, status=ScheduleStatus.PAUSED)
            await self.swept(rig)
            assert await exists(rig, lost)
            assert (await described(rig, changed)).schedule.state.paused

    async def test_seals_the_addresses_of_webhooks_that_are_in_the_clear(self, rig: ScanRig):
        address = "https://hooks.example/services/canary-in-the-path"
        plain = NotificationSettings(channels=(Channel(ChannelKind.WEBHOOK, address),))
        async with rig.worker():
            row = await rig.change(ChangeKind.CREATE, rig.schedule(notifications=plain))
            await self.swept(rig)
            after = rig.row(row)
            await self.swept(rig)
        [channel] = after.notifications.channels
        assert (channel.target, after.spec_version) == ("https://hooks.example/***", row.spec_version)
        of_schedule = {"tenant_id": rig.tenant_id, "schedule_id": row.schedule_id}
        assert channel.opened(rig.stores.sealer, **of_schedule).target == address
        assert rig.row(row) == after
        sealed = [event for event in rig.stores.ledger.of(rig.tenant_id) if event.action == "schedule.channels_sealed"]
        assert [(event.actor, event.target) for event in sealed] == [("system", f"schedule:{row.schedule_id}")]

    async def test_removes_what_has_no_row_with_its_signing_secret(self, rig: ScanRig):
        async with rig.worker():
            row = await signed(rig)
            del rig.scans.schedule_rows[row.schedule_id]

            async def gone() -> bool:
                await self.swept(rig)
                return not await exists(rig, row)

            await eventually(gone)
        assert rig.webhooks.stages(row.schedule_id) == {}

    async def test_stops_what_nothing_can_scan_and_lets_it_go_on_when_something_can(self, rig: ScanRig):
        engine = rig.engines.inside
        async with rig.worker():
            row = await rig.change(ChangeKind.CREATE, rig.schedule())
            paused = await rig.change(ChangeKind.CREATE, rig.schedule())
            paused = await rig.change(ChangeKind.UPDATE, successor(paused, status=ScheduleStatus.PAUSED))
            rig.engines.inside = None
            await self.swept(rig)
            stopped = rig.row(row)
            assert (stopped.status, stopped.status_reason) == (ScheduleStatus.ERROR, "no_engine")
            assert (await described(rig, row)).schedule.state.paused
            rig.engines.inside = engine
            await self.swept(rig)
            going_on = rig.row(row)
            assert (going_on.status, going_on.status_reason, going_on.problems) == (ScheduleStatus.ACTIVE, None, ())
            assert not (await described(rig, row)).schedule.state.paused
            assert rig.row(paused).status is ScheduleStatus.PAUSED

    async def test_stops_the_schedules_of_a_disabled_tenant(self, rig: ScanRig):
        async with rig.worker():
            row = await rig.change(ChangeKind.CREATE, rig.schedule())
            tenant = rig.stores.tenants.get(rig.tenant_id)
            disabled = replace(tenant, status=TenantStatus.DISABLED, version=tenant.version + 1)
            rig.stores.tenants.update(disabled, new_event(rig.tenant_id))
            await self.swept(rig)
        assert rig.row(row).status_reason == "tenant_disabled"

    @pytest.mark.parametrize(
        ("cadence", "reason"),
        [
            (Cadence(ScheduleType.CRON, cron_expression="0 2 * * *", timezone="Mars/Phobos"), "unusable_cadence"),
            (Cadence(ScheduleType.CRON, cron_expression="61 2 * * *"), "refused_by_scheduler"),
        ],
        ids=["zone", "expression"],
    )
    async def test_shows_a_stored_cadence_that_nothing_can_follow_and_asks_once(
        self, rig: ScanRig, cadence: Cadence, reason: str
    ):
        row, good = rig.stored(cadence=cadence), rig.stored()
        async with rig.worker():
            await self.swept(rig)
            shown = rig.row(row)
            assert (shown.status, shown.status_reason) == (ScheduleStatus.ERROR, reason)
            assert len(shown.problems) == 1
            assert (await exists(rig, row), await exists(rig, good)) == (False, True)
            await self.swept(rig)
        assert rig.row(row) == shown

    async def test_goes_on_past_what_it_cannot_mend(self, rig: ScanRig):
        missing, bad = rig.stored(), rig.stored(status=ScheduleStatus.ERROR, status_reason="no_engine")
        rig.stores.accounts = RefusingAccounts(rig.stores.ledger, rig.stores.tenants)
        async with rig.worker():
            found = await self.swept(rig)
            assert await exists(rig, missing)
        assert found.unmended == 1
        assert rig.row(bad).status is ScheduleStatus.ERROR

    async def test_shows_that_a_one_time_schedule_did_not_run(self, rig: ScanRig):
        long_ago = stamp(datetime.now(UTC) - CATCH_UP - timedelta(minutes=11))
        late = stamp(datetime.now(UTC) - CATCH_UP)
        async with rig.worker():
            missed = await rig.change(
                ChangeKind.CREATE, rig.schedule(cadence=Cadence(ScheduleType.ONE_TIME, run_at=long_ago))
            )
            waiting = await rig.change(
                ChangeKind.CREATE, rig.schedule(cadence=Cadence(ScheduleType.ONE_TIME, run_at=late))
            )
            assert (await self.swept(rig)).missed == 1
            assert (await described(rig, missed)).schedule.state.paused
            assert (await self.swept(rig)).missed == 0
        row = rig.row(missed)
        assert (row.status, row.status_reason, row.run_count) == (ScheduleStatus.ERROR, MISSED, 0)
        assert [problem.code for problem in row.problems] == [MISSED]
        assert rig.row(waiting).fires
        assert "schedule.missed" in [event.action for event in rig.stores.ledger.of(rig.tenant_id)]

    async def test_closes_a_run_whose_workflow_is_gone(self, rig: ScanRig):
        schedule = rig.stored()
        async with rig.worker():
            run = await rig.trigger(schedule)
            await run.result()
            execution = rig.execution(run)
            lost = replace(
                execution,
                execution_id=str(uuid4()),
                status=ExecutionStatus.RUNNING,
                workflow_id=f"scan:{rig.tenant_id}:{uuid4()}",
            )
            rig.scans.execution_rows[lost.execution_id] = lost
            held = replace(rig.row(schedule), running_execution_id=lost.execution_id)
            rig.scans.schedule_rows[schedule.schedule_id] = held
            assert (await self.swept(rig)).abandoned == 1
        assert rig.scans.executions.get(rig.tenant_id, lost.execution_id).error_code == "abandoned"
        assert rig.row(schedule).running_execution_id is None

    async def test_undoes_an_edit_behind_our_back_at_the_next_version_only(self, rig: ScanRig):
        """A version that still agrees hides it: the how-to says so, and the next change through the API mends it."""
        async with rig.worker():
            row = await rig.change(ChangeKind.CREATE, rig.schedule())
            handle = rig.client.get_schedule_handle(row.schedule_id)

            def edited(current: ScheduleUpdateInput) -> ScheduleUpdate:
                schedule = current.description.schedule
                schedule.state.paused = True
                return ScheduleUpdate(schedule)

            await handle.update(edited)
            await rig.change(ChangeKind.UPDATE, successor(row, name="Changed"))
            assert not (await described(rig, row)).schedule.state.paused


async def test_ending_an_account_ends_its_schedules_and_stops_their_runs(rig: ScanRig):
    assert rig.engines.inside is not None
    rig.engines.inside.hold = threading.Event()
    upkeep = UpkeepActivities(rig.upkeep(), pause_after=3, catch_up=CATCH_UP)
    async with rig.worker():
        rows = [await signed(rig) for _ in range(3)]
        run = await rig.trigger(rows[0])
        await until_set(rig.engines.inside.reached)
        step = EndSchedules(rig.tenant_id, rig.account.account_id, ORIGIN, stamp(datetime.now(UTC)))
        ended = await asyncio.to_thread(ActivityEnvironment().run, upkeep.end_schedules, step)
        await run.result()
        assert [await exists(rig, row) for row in rows] == [False] * 3
    assert (ended, rig.execution(run).status) == (3, ExecutionStatus.CANCELLED)
    assert [event.action for event in rig.stores.ledger.of(rig.tenant_id)].count("schedule.deleted") == 3
    assert rig.scans.schedule_rows == {}
    assert [rig.webhooks.stages(row.schedule_id) for row in rows] == [{}] * 3
