"""Whatever is lost, doubled or left over in a world is found, and nothing is found in one that is right."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus

from tests.resilience.invariants import Expected, Harm, breaches
from tests.resilience.world import Run, World
from workflows.ids import onboarding_id

TENANT, ACTIVE, CANCELLED = (str(uuid4()) for _ in range(3))
COMPLETED, RUNNING = WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.RUNNING
CURRENT, PENDING = frozenset({"AWSCURRENT"}), frozenset({"AWSPENDING"})

EXPECTED = [Expected(TENANT, ACTIVE, refused=1), Expected(TENANT, CANCELLED, status="disabled")]


def row(account_id: str, status: str, version: str | None = None) -> dict[str, Any]:
    stored = {"credential": {"version": version}} if version else {}
    return {"account_id": account_id, "tenant_id": TENANT, "status": status, **stored}


def event(account_id: str, action: str) -> dict[str, Any]:
    return {"target": f"account:{account_id}", "action": action}


RIGHT = World(
    accounts={ACTIVE: row(ACTIVE, "active", "two"), CANCELLED: row(CANCELLED, "disabled")},
    claims={f"claim#{TENANT}#aws#1": ACTIVE},
    secrets={ACTIVE: {"one": frozenset({"AWSPREVIOUS"}), "two": CURRENT}},
    audit=(
        *(event(ACTIVE, action) for action in ("account.registered", "credential.refused", "account.activated")),
        *(event(CANCELLED, action) for action in ("account.registered", "onboarding.ended")),
        {"target": f"tenant:{TENANT}", "action": "tenant.created"},
    ),
    runs=tuple(Run(onboarding_id(TENANT, account_id), COMPLETED) for account_id in (ACTIVE, CANCELLED)),
)
STRANGER = str(uuid4())


def wrong(**changes: Any) -> World:
    return replace(RIGHT, **changes)


def with_versions(**stages: frozenset[str]) -> World:
    return wrong(secrets={ACTIVE: stages})


WORLDS: dict[str, tuple[World, Harm]] = {
    "no row": (wrong(accounts={CANCELLED: row(CANCELLED, "disabled")}), Harm.LOST),
    "another status": (
        wrong(accounts={ACTIVE: row(ACTIVE, "pending", "two"), CANCELLED: RIGHT.accounts[CANCELLED]}),
        Harm.LOST,
    ),
    "a row too many": (wrong(accounts={**RIGHT.accounts, STRANGER: row(STRANGER, "pending")}), Harm.ORPHANED),
    "no claim": (wrong(claims={}), Harm.LOST),
    "a second claim": (wrong(claims={**RIGHT.claims, f"claim#{TENANT}#aws#2": ACTIVE}), Harm.DOUBLED),
    "a claim of a cancelled one": (wrong(claims={**RIGHT.claims, "claim#2": CANCELLED}), Harm.ORPHANED),
    "a claim of nobody": (wrong(claims={**RIGHT.claims, "claim#2": STRANGER}), Harm.ORPHANED),
    "no secret": (wrong(secrets={}), Harm.LOST),
    "another version is current": (with_versions(one=CURRENT, two=frozenset()), Harm.LOST),
    "a version too many": (with_versions(one=frozenset(), two=CURRENT, three=frozenset()), Harm.DOUBLED),
    "a pending version": (with_versions(one=PENDING, two=CURRENT), Harm.ORPHANED),
    "a secret of a cancelled one": (wrong(secrets={**RIGHT.secrets, CANCELLED: {"one": CURRENT}}), Harm.ORPHANED),
    "a secret of nobody": (wrong(secrets={**RIGHT.secrets, STRANGER: {"one": CURRENT}}), Harm.ORPHANED),
    "an event is missing": (wrong(audit=RIGHT.audit[1:]), Harm.LOST),
    "an event came twice": (wrong(audit=(*RIGHT.audit, RIGHT.audit[0])), Harm.DOUBLED),
    "an event of nobody": (wrong(audit=(*RIGHT.audit, event(STRANGER, "account.registered"))), Harm.ORPHANED),
    "no workflow": (wrong(runs=RIGHT.runs[1:]), Harm.LOST),
    "an open workflow": (wrong(runs=(replace(RIGHT.runs[0], status=RUNNING), RIGHT.runs[1])), Harm.LOST),
    "a second run": (wrong(runs=(*RIGHT.runs, RIGHT.runs[0])), Harm.DOUBLED),
    "a workflow of nobody": (wrong(runs=(*RIGHT.runs, Run(f"onboard:{TENANT}:{STRANGER}", COMPLETED))), Harm.ORPHANED),
}


def test_a_world_that_is_right_has_no_breach():
    assert breaches(EXPECTED, RIGHT) == []


def test_a_submission_without_a_verdict_is_no_breach():
    undecided = {**event(ACTIVE, "credential.undecided"), "outcome": "inconclusive"}
    assert breaches(EXPECTED, wrong(audit=(*RIGHT.audit, undecided))) == []


@pytest.mark.parametrize(("world", "harm"), WORLDS.values(), ids=WORLDS.keys())
def test_what_is_wrong_is_found_once(world: World, harm: Harm):
    assert [broken.harm for broken in breaches(EXPECTED, world)] == [harm]


def test_a_breach_names_its_account():
    [broken] = breaches(EXPECTED, wrong(claims={}))
    assert str(broken) == f"lost: {ACTIVE}: It has no claim on its cloud account."
