"""The screen for operators, from a real server and a real table."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client

from cli import main
from commands.platform_status import Queue, Recurring, Retrying, Standing
from commands.status import Status, look, text_of, troubles_of
from config import TemporalConnection
from domain.audit.trail import PATIENCE
from domain.onboarding.messages import OnboardingState
from domain.schedules.schedule import ScheduleStatus
from emulators.ports import free_port
from stores.dynamodb.items import to_item
from stores.dynamodb.schedule_rows import schedule_to_row
from temporal.schedules.recurring import ensure_recurring
from tests.commands.conftest import Environment, connection_of, new_namespace
from tests.rig import Rig, eventually
from tests.scan_rig import ScanRig
from tests.workflows.seal_scenarios import SealRig, one_refused
from workflows.audit.seal_audits import SealedTrails
from workflows.ids import ONBOARDING_QUEUE, RECONCILE_ID, SCANS_QUEUE, SEAL_AUDITS_ID
from workflows.scans.scheduled_scan import reconciling, sealing
from workflows.upkeep.reconcile import Swept

EVERY = timedelta(minutes=15)

pytestmark = pytest.mark.parametrize("environment", ["ministack"], indirect=True, scope="module")


@pytest.fixture
async def client(temporal_address: str) -> Client:
    """Of a namespace that is set up, and where nobody has worked yet."""
    client = await new_namespace(temporal_address, f"status-{uuid4().hex[:8]}")
    await ensure_recurring(client, reconciling(), EVERY)
    await ensure_recurring(client, sealing(), timedelta(minutes=10))
    return client


async def seen(environment: Environment, client: Client, *, later: timedelta = timedelta(0)) -> Status:
    return await look(environment.settings, connection_of(client), now=datetime.now(UTC) + later)


async def test_without_a_worker_it_says_what_to_start(environment: Environment, client: Client):
    found = await seen(environment, client)
    assert found.troubles == tuple(
        f"No worker polls the queue {queue}: start `python worker.py`." for queue in (ONBOARDING_QUEUE, SCANS_QUEUE)
    )


async def test_what_waits_for_a_worker_is_told(environment: Environment, client: Client):
    rig = ScanRig(client, queue=SCANS_QUEUE)
    for _ in range(3):
        await rig.trigger(rig.stored())

    async def told() -> bool:
        found = (await seen(environment, client)).standing
        [_, scans] = found.queues
        return (scans.waiting, found.scans_waiting, found.scanning) == (3, 3, 0)

    await eventually(told)


async def test_with_workers_and_a_sweep_nothing_stands_still(environment: Environment, client: Client):
    astray, scans = ScanRig(client, queue=ONBOARDING_QUEUE), ScanRig(client, queue=SCANS_QUEUE)
    onboardings = Rig(client, queue=f"other-{uuid4()}")
    astray.stored()
    assert scans.engines.inside is not None
    scans.engines.inside.hold = threading.Event()
    async with astray.worker(), scans.worker(), onboardings.worker():
        await client.get_schedule_handle(RECONCILE_ID).trigger()
        onboarding = await onboardings.start()
        await onboardings.submit(onboarding)
        await onboardings.start()
        await scans.trigger(scans.stored())

        async def all_is_seen() -> bool:
            found = (await seen(environment, client)).standing
            counts = (found.onboardings[OnboardingState.ACTIVE], found.onboardings[OnboardingState.WAITING])
            workers = [queue.workers for queue in found.queues]
            return (counts, found.scanning, workers, found.sweep.found) == ((1, 1), 1, [1, 1], Swept(1, 1, 0, 0))

        await eventually(all_is_seen)
        assert (await seen(environment, client)).troubles == ()
        late = await seen(environment, client, later=3 * EVERY)
    assert of_the(late.troubles, "sweep") == ["The sweep is late: look at the workflow `reconcile`."]


async def test_a_sweep_that_never_ran_is_late_in_its_turn(environment: Environment, client: Client):
    assert not any("sweep" in trouble for trouble in (await seen(environment, client)).troubles)
    late = await seen(environment, client, later=3 * EVERY)
    assert "The sweep is late: look at the workflow `reconcile`." in late.troubles


async def test_a_paused_sweep_says_how_to_resume_it(environment: Environment, client: Client):
    await client.get_schedule_handle(RECONCILE_ID).pause()
    [late] = of_the((await seen(environment, client, later=3 * EVERY)).troubles, "sweep")
    assert late.endswith("`temporal schedule toggle --unpause --schedule-id reconcile`.")


async def test_a_sweep_that_nothing_starts_says_so(environment: Environment, client: Client):
    await client.get_schedule_handle(RECONCILE_ID).delete()
    found = of_the((await seen(environment, client)).troubles, "sweep")
    assert found == ["Nothing starts the sweep: run `python cli.py setup`."]


def of_the(troubles: Sequence[str], name: str) -> list[str]:
    return [trouble for trouble in troubles if name in trouble]


async def test_what_the_last_sealing_of_the_audit_trail_did_is_told(environment: Environment, client: Client):
    rig = SealRig(client)
    rig.queue = ONBOARDING_QUEUE
    one_refused(rig)
    async with rig.worker():
        await client.get_schedule_handle(SEAL_AUDITS_ID).trigger()

        async def told() -> bool:
            found = (await seen(environment, client)).standing.sealing.found
            return found == SealedTrails(trails=1, digests=1, events=1, failed=1)

        await eventually(told)
    found = of_the((await seen(environment, client)).troubles, "Audit events")
    assert found == [
        "Audit events of 1 tenant could not be sealed: look at `seal_trail` in the workflow `seal-audits`."
    ]


async def test_a_sealing_of_the_audit_trail_that_stands_still_says_what_to_do(environment: Environment, client: Client):
    schedule, later = client.get_schedule_handle(SEAL_AUDITS_ID), PATIENCE + timedelta(minutes=1)
    assert of_the((await seen(environment, client)).troubles, "audit trail") == []
    [late] = of_the((await seen(environment, client, later=later)).troubles, "audit trail")
    await schedule.pause()
    [paused] = of_the((await seen(environment, client, later=later)).troubles, "audit trail")
    await schedule.delete()
    [missing] = of_the((await seen(environment, client)).troubles, "audit trail")
    assert (late, paused, missing) == (
        "The sealing of the audit trail is late: look at the workflow `seal-audits`.",
        "The sealing of the audit trail is late; it is paused: run "
        "`temporal schedule toggle --unpause --schedule-id seal-audits`.",
        "Nothing starts the sealing of the audit trail: run `python cli.py setup`.",
    )


async def test_schedules_are_counted_by_status(environment: Environment, client: Client):
    rig, table = ScanRig(client), environment.settings.dynamodb_schedules_table
    statuses = [ScheduleStatus.ACTIVE, ScheduleStatus.ACTIVE, ScheduleStatus.ERROR]
    before = (await seen(environment, client)).schedules
    for status in statuses:
        row = schedule_to_row(rig.schedule(status=status))
        await asyncio.to_thread(environment.aws.dynamodb.put_item, TableName=table, Item=to_item(row))
    after = (await seen(environment, client)).schedules
    assert {status: after[status] - before[status] for status in ScheduleStatus} == {
        status: statuses.count(status) for status in ScheduleStatus
    }


NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
STANDING = Standing(
    onboardings={OnboardingState.WAITING: 9, OnboardingState.STORING: 0, OnboardingState.ACTIVE: 4},
    scanning=4,
    scans_waiting=2,
    sweep=Recurring("2026-11-01T00:00:00.000Z", False, "2026-11-25T11:53:30.000Z", Swept(120, 2, 1, 0, missed=3)),
    sealing=Recurring("2026-11-01T00:00:00.000Z", False, "2026-11-25T11:58:00.000Z", SealedTrails(3, 4, 42, 1, 0)),
    queues=[Queue("onboarding", 2, 0, 0), Queue("scans", 1, 3, 12)],
)


def test_it_is_one_screen(environment: Environment):
    schedules = {ScheduleStatus.ACTIVE: 115, ScheduleStatus.PAUSED: 3, ScheduleStatus.ERROR: 0}
    assert text_of(Status(schedules, STANDING, ()), NOW).splitlines() == [
        "onboardings       9 under way: 9 waiting_for_credential; lately ended: 4 active",
        "schedules         118: 115 active, 3 paused",
        "scans             4 running, 2 waiting for a worker",
        "drift             2 out of step, 1 without a row, 0 held by a run that is gone, 0 onboardings lost, "
        "3 one-time ones that did not run, 0 stopped or resumed: mended by the sweep 6 min ago",
        "audit trail       42 events of 3 tenants sealed 2 min ago, 1 came late, 0 tenants not sealed",
        "queue onboarding  2 workers, nothing waits",
        "queue scans       1 worker, 3 tasks waiting, the oldest for 12 s",
        "",
        "Nothing stands still.",
    ]


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    environment: Environment,
    namespace: TemporalConnection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Runs the command as an operator does, where nobody works."""
    for name, value in environment.settings.model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(name.upper(), str(value))
    monkeypatch.setenv("TEMPORAL_NAMESPACE", namespace.namespace)

    def run(*arguments: str, address: str = namespace.address) -> tuple[int, str, str]:
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        with pytest.raises(SystemExit) as exit:
            main(["status", *arguments])
        return (int(exit.value.code or 0), *capsys.readouterr())

    return run


def test_a_step_that_fails_again_and_again_is_named_with_its_workflow(environment: Environment):
    standing = replace(
        STANDING,
        retrying=[Retrying("onboard:1:2", "close_account", 14)],
        sweep=replace(STANDING.sweep, found=Swept(120, 0, 0, 0, unmended=2)),
    )
    step, unmended = troubles_of(standing, now=NOW, every=EVERY)
    assert step.startswith("The step close_account of the workflow `onboard:1:2` has failed 13 times")
    assert unmended == "2 things could not be mended: look at the workflow `reconcile`."


def test_rows_that_cannot_be_read_are_named_by_table_and_key(environment: Environment, command: Command):
    table, key = environment.settings.dynamodb_tenants_table, str(uuid4())
    environment.aws.dynamodb.put_item(TableName=table, Item={"tenant_id": {"S": key}, "tenant_name": {"S": "canary"}})
    _, out, _ = command()
    environment.aws.dynamodb.delete_item(TableName=table, Key={"tenant_id": {"S": key}})
    assert f"1 row of the table {table} cannot be read and is left out: {key}. See `doctor`." in out
    assert "canary" not in out


def test_the_command_fails_when_nobody_works(command: Command):
    code, out, _ = command()
    assert (code, out.splitlines()[-1]) == (1, "Nothing starts the sweep: run `python cli.py setup`.")
    assert "No worker polls the queue scans" in out


def test_machines_get_one_object(command: Command):
    code, out, _ = command("--json")
    found = json.loads(out)
    assert (code, found.keys()) == (1, {"schedules", "standing", "troubles", "unreadable"})
    assert [queue["name"] for queue in found["standing"]["queues"]] == ["onboarding", "scans"]


def test_without_temporal_it_says_so(command: Command):
    code, out, err = command(address=f"127.0.0.1:{free_port()}")
    assert (code, out, err.startswith("Temporal cannot be reached")) == (1, "", True)
