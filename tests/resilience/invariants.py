"""What must be true whatever was killed: nothing is lost, nothing happened twice, nothing is left over."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from temporalio.client import Client, WorkflowExecutionStatus

from stores.session import AwsClients
from tests.resilience.world import World, read_world
from workflows.ids import onboarding_id

UNCOUNTED = ("requested", "inconclusive")
READ_AGAIN_SECONDS = 1.0
"""The server's list of workflows follows the facts a moment later."""


class Harm(StrEnum):
    LOST = "lost"
    """Something that was promised is not there."""
    DOUBLED = "doubled"
    """Something happened more often than it was asked for."""
    ORPHANED = "orphaned"
    """Something is there that belongs to nothing, or has outlived what it was for."""


@dataclass(frozen=True)
class Broken:
    """One breach of one invariant. `what` is a sentence without any value of a credential."""

    harm: Harm
    account_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.harm}: {self.account_id}: {self.what}"


@dataclass(frozen=True)
class Expected:
    """An onboarding that was asked for, and how it must have ended."""

    tenant_id: str
    account_id: str
    status: str = "active"
    """Of the account's row."""
    refused: int = 0
    """How many of its credentials the cloud refused."""

    @property
    def active(self) -> bool:
        return self.status in ("active", "active_limited")

    @property
    def audit(self) -> Counter[str]:
        """One event for each change."""
        end = "account.activated" if self.active else "onboarding.ended"
        return Counter({"account.registered": 1, "credential.refused": self.refused, end: 1})


async def check(expected: Sequence[Expected], aws: AwsClients, temporal: Client) -> list[Broken]:
    """Every breach in a fleet that has onboarded these and no others, when all of them should have ended."""
    found = breaches(expected, await read_world(aws, temporal))
    if found:
        await asyncio.sleep(READ_AGAIN_SECONDS)
        found = breaches(expected, await read_world(aws, temporal))
    return found


def breaches(expected: Sequence[Expected], world: World) -> list[Broken]:
    """What is wrong in a world."""
    found = [broken for one in expected for broken in _of(one, world)]
    return found + list(_left_over(expected, world))


def _of(one: Expected, world: World) -> Iterator[Broken]:
    for harm, what in (*_workflow(one, world), *_row(one, world), *_secret(one, world), *_claim(one, world)):
        yield Broken(harm, one.account_id, what)
    for harm, what in _audit(one, world):
        yield Broken(harm, one.account_id, what)


Breach = tuple[Harm, str]


def _workflow(one: Expected, world: World) -> Iterator[Breach]:
    runs = [run for run in world.runs if run.workflow_id == onboarding_id(one.tenant_id, one.account_id)]
    if not runs:
        yield Harm.LOST, "It has no workflow."
    if len(runs) > 1:
        yield Harm.DOUBLED, f"Its workflow ran {len(runs)} times."
    for run in runs:
        if run.status is not WorkflowExecutionStatus.COMPLETED:
            yield Harm.LOST, f"Its workflow is {run.status.name if run.status else 'unknown'}, not completed."


def _row(one: Expected, world: World) -> Iterator[Breach]:
    row = world.accounts.get(one.account_id)
    if row is None:
        yield Harm.LOST, "It has no row."
    elif (row["tenant_id"], row["status"]) != (one.tenant_id, one.status):
        yield Harm.LOST, f"Its row says {row['status']}, not {one.status}."


def _secret(one: Expected, world: World) -> Iterator[Breach]:
    """An active account has the one version that its row names; each refused credential may have left one more."""
    stages = world.secrets.get(one.account_id)
    if not one.active:
        if stages is not None:
            yield Harm.ORPHANED, "Its credential is still stored."
        return
    if stages is None:
        yield Harm.LOST, "Its credential is not stored."
        return
    current = [version for version, labels in stages.items() if "AWSCURRENT" in labels]
    row = world.accounts.get(one.account_id)
    if row and current != [row.get("credential", {}).get("version")]:
        yield Harm.LOST, "The version that its row names is not the current one."
    if len(stages) > 1 + one.refused:
        yield Harm.DOUBLED, f"Its secret has {len(stages)} versions."
    if any("AWSPENDING" in labels and "AWSCURRENT" not in labels for labels in stages.values()):
        yield Harm.ORPHANED, "A version of its secret is pending."


def _claim(one: Expected, world: World) -> Iterator[Breach]:
    claims = [key for key, owner in world.claims.items() if owner == one.account_id]
    if one.active and not claims:
        yield Harm.LOST, "It has no claim on its cloud account."
    if len(claims) > 1:
        yield Harm.DOUBLED, f"It has {len(claims)} claims."
    if not one.active and claims:
        yield Harm.ORPHANED, "It is not active and has a claim."


def _audit(one: Expected, world: World) -> Iterator[Breach]:
    """How many submissions were asked for, or ended without a verdict, depends on the outages."""
    target = f"account:{one.account_id}"
    about = [event for event in world.audit if event["target"] == target and event.get("outcome") not in UNCOUNTED]
    actions = Counter(str(event["action"]) for event in about)
    for action, count in (one.audit - actions).items():
        yield Harm.LOST, f"{count} audit event(s) {action} are missing."
    for action, count in (actions - one.audit).items():
        yield Harm.DOUBLED, f"{count} audit event(s) {action} are too many."


def _left_over(expected: Sequence[Expected], world: World) -> Iterator[Broken]:
    known = {one.account_id for one in expected}
    targets = {str(event["target"]) for event in world.audit}
    places: Mapping[str, Iterable[str]] = {
        "A row": world.accounts.keys(),
        "A secret": world.secrets.keys(),
        "A claim": world.claims.values(),
        "An audit event": {target.removeprefix("account:") for target in targets if target.startswith("account:")},
        "A workflow": {run.workflow_id.rpartition(":")[2] for run in world.runs},
    }
    for what, accounts in places.items():
        for account_id in sorted(set(accounts) - known):
            yield Broken(Harm.ORPHANED, account_id, f"{what} belongs to no onboarding that was asked for.")
