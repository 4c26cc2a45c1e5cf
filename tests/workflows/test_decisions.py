"""Every way that a workflow can go, and what the audit trail says of it: a decision without an event is seen here."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.fakes import FakeStores
from tests.rig import Rig
from tests.workflows import probe_scenarios, record, scan_scenarios, scenarios, schedule_scenarios

ACTIVITIES = Path(__file__).parents[2] / "activities"
AT_ONCE = 6

ACTIVE = ["account.registered ok", "account.activated ok"]
REFUSED = "credential.refused refused role_not_assumable"
COMPLETED = ["scan.started ok", "scan.ended completed", "delivery.ended delivered"]
CANCELLED = ["scan.started ok", "scan.ended cancelled"]

TOLD: dict[str, list[str]] = {
    "onboard_account.active": ACTIVE,
    "onboard_account.active_limited": ACTIVE,
    "onboard_account.rejected_then_fixed": [*ACTIVE, REFUSED],
    "onboard_account.attempts_exhausted": [
        "account.registered ok",
        REFUSED,
        REFUSED,
        "onboarding.ended failed attempts_exhausted",
    ],
    "onboard_account.expired": ["account.registered ok", "onboarding.ended expired deadline_passed"],
    "onboard_account.cancelled_while_waiting": ["account.registered ok", "onboarding.ended cancelled cancelled"],
    "onboard_account.cancelled_while_storing": ["account.registered ok", "onboarding.ended cancelled cancelled"],
    "onboard_account.cancelled_while_validating": ["account.registered ok", "onboarding.ended cancelled cancelled"],
    "onboard_account.cancelled_by_operator": [
        "account.registered ok",
        "onboarding.ended cancelled cancelled_by_operator",
    ],
    "onboard_account.duplicate": [
        *ACTIVE,
        "account.registered ok",
        "credential.refused refused account_already_onboarded",
        "onboarding.ended cancelled cancelled",
    ],
    "onboard_account.provider_down_then_up": ACTIVE,
    "onboard_account.provider_unavailable": [
        "account.registered ok",
        "credential.undecided inconclusive unavailable",
        "onboarding.ended cancelled cancelled",
    ],
    "onboard_account.refused_registration": [],
    # A dry run is an answer, whatever it says; the request that asked for it has an event.
    "probe_credential.accepted": [],
    "probe_credential.refused": [],
    "probe_credential.retried": [],
    "probe_credential.unavailable": [],
    "run_scan.completed": COMPLETED,
    "run_scan.completed_elsewhere": COMPLETED,
    "run_scan.completed_by_schedule": COMPLETED,
    "run_scan.completed_once": [*COMPLETED, "schedule.completed ok"],
    "run_scan.completed_after_an_outage": COMPLETED,
    "run_scan.completed_unnotified": [
        "scan.started ok",
        "scan.ended completed",
        "delivery.ended failed invalid_input",
    ],
    "run_scan.failed": ["scan.started ok", "scan.ended failed credential_refused", "delivery.ended delivered"],
    # The engine says `out_of_memory`, which is its own word.
    "run_scan.failed_elsewhere": ["scan.started ok", "scan.ended failed engine_failed", "delivery.ended delivered"],
    "run_scan.failed_once_too_often": [
        "scan.started ok",
        "scan.ended failed credential_refused",
        "schedule.paused ok failed_repeatedly",
        "delivery.ended delivered",
    ],
    "run_scan.timed_out": ["scan.started ok", "scan.ended failed timed_out", "delivery.ended delivered"],
    "run_scan.timed_out_elsewhere": ["scan.started ok", "scan.ended failed timed_out", "delivery.ended delivered"],
    "run_scan.cancelled": CANCELLED,
    "run_scan.cancelled_elsewhere": CANCELLED,
    "run_scan.cancelled_by_operator": CANCELLED,
    "run_scan.cancelled_before_it_was_admitted": CANCELLED,
    "run_scan.cancelled_too_late": COMPLETED,
    # Whoever triggered it is answered; the schedule cannot be.
    "run_scan.left": [],
    "run_scan.left_by_schedule": ["scan.left left schedule_paused"],
    "run_scan.left_without_an_engine": [
        "scan.left left no_engine",
        "schedule.stopped ok no_engine",
    ],
    "run_scan.nothing_scanned": ["scan.started ok", "scan.ended failed nothing_scanned", "delivery.ended delivered"],
    "run_scan.left_to_another": COMPLETED,
    "run_scan.taken_over": ["scan.started ok", "scan.ended failed abandoned", *COMPLETED],
    "run_scan.refused": [],
    "converge_schedule.created": ["schedule.created ok"],
    "converge_schedule.changed": ["schedule.created ok", "schedule.changed ok"],
    "converge_schedule.changed_while_it_is_made": ["schedule.created ok", "schedule.changed ok"],
    "converge_schedule.refused": ["schedule.created ok"],
    "converge_schedule.deleted": ["schedule.created ok", "schedule.deleted ok"],
    # Temporal follows a row, whose own event says why.
    "converge_schedule.repaired": ["schedule.created ok"],
    "reconcile.swept": [
        "scan.ended failed abandoned",
        "schedule.missed ok",
        "onboarding.ended failed workflow_lost",
        *["schedule.channels_sealed ok"] * 3,
    ],
    "reconcile.settled": ["schedule.stopped ok no_engine", "schedule.channels_sealed ok"],
    # The rows of the rig have the addresses of webhooks in the clear, as rows of before do.
    "reconcile.nothing_to_mend": ["schedule.channels_sealed ok"],
}
"""Action, outcome and reason of each event, in any order."""

GIVEN = {
    "onboard_account": {"tenant.created"},
    "probe_credential": {"tenant.created"},
    "run_scan": {"tenant.created", "account.registered", "account.activated", "schedule.created"},
    "converge_schedule": {"tenant.created", "account.registered", "account.activated"},
    "reconcile": {
        *("tenant.created", "account.registered", "account.activated", "schedule.created"),
        "scan.started",
    },
}
"""What is there before the workflow begins."""

Play = Callable[[Client, FakeStores], Awaitable[object]]


async def _onboarding(name: str, client: Client, stores: FakeStores) -> object:
    return await scenarios.play(name, Rig(client, stores))


PLAYS: dict[str, Play] = {
    **{f"onboard_account.{name}": partial(_onboarding, name) for name in scenarios.SCENARIOS},
    **{f"probe_credential.{name}": partial(probe_scenarios.play, name) for name in probe_scenarios.SCENARIOS},
    **{f"run_scan.{name}": partial(scan_scenarios.play, run) for name, run in scan_scenarios.SCENARIOS.items()},
    **{
        f"converge_schedule.{name}": partial(schedule_scenarios.play_converging, converging)
        for name, converging in schedule_scenarios.CONVERGING.items()
    },
    **{
        f"reconcile.{name}": partial(schedule_scenarios.play_sweeping, sweeping)
        for name, sweeping in schedule_scenarios.SWEEPING.items()
    },
}

OF_NO_WORKFLOW = {"end_schedules"}
"""A step that no workflow takes yet: tests/workflows/test_converge_schedule.py."""


async def told(name: str, client: Client) -> list[str]:
    """What the trail says after the workflow has gone this way."""
    stores, given = FakeStores(), GIVEN[name.partition(".")[0]]
    await PLAYS[name](client, stores)
    events = [event for event in stores.ledger.all() if event.action not in given]
    reasons = [event.details.get("reason") or event.details.get("codes") or "" for event in events]
    return sorted(f"{e.action} {e.outcome} {reason}".strip() for e, reason in zip(events, reasons, strict=True))


async def test_the_trail_says_what_a_workflow_decided_and_why(environment: WorkflowEnvironment):
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(name: str) -> list[str]:
        async with turns:
            return await told(name, environment.client)

    found = await asyncio.gather(*map(in_turn, PLAYS))
    assert dict(zip(PLAYS, found, strict=True)) == {name: sorted(events) for name, events in TOLD.items()}


def test_each_way_that_is_known_is_in_the_table():
    """Sealing writes no event: the digests are the trail's own."""
    assert set(TOLD) == {name for name in record.SCENARIOS if not name.startswith("seal_audits.")}


def test_each_step_is_taken_on_one_of_these_ways():
    source = "".join(path.read_text() for path in ACTIVITIES.glob("*.py"))
    taken = {
        event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
        for path in record.HISTORIES.glob("*.json")
        for event in json.loads(path.read_text())["events"]
        if "activityTaskScheduledEventAttributes" in event
    }
    assert set(re.findall(r'@activity\.defn\(name="(\w+)"', source)) - taken == OF_NO_WORKFLOW
