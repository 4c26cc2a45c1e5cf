"""Every request comes ten times at once with one Idempotency-Key: all are answered alike, and what it asks for is done
once. With the API killed meanwhile the same is counted by `make prove ARGS=duplicates`."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.report import Target
from domain.callers.tenants import PLATFORM
from tests.api.whole_portal import WholePortal
from tests.security.bed import bed

FULL, QUICK = 1_000, 40
DUPLICATES = 10
AT_ONCE = 4
"""Keys; ten times as many requests."""

SHOWN_ONCE = "api_key"
"""A value that one of the ten answers shows, and the others leave out."""


@dataclass(frozen=True)
class Kind:
    path: str
    body: dict[str, Any]
    made: str
    """The field of the answer with the id of what was made."""
    action: str
    """What the audit trail calls it."""


@dataclass
class Found:
    keys: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    different: list[str] = field(default_factory=list)
    """Keys whose ten requests were not all answered alike."""
    effects: Counter[str] = field(default_factory=Counter)
    """Events of the trail, by what was made."""
    wanted: list[str] = field(default_factory=list)

    @property
    def not_once(self) -> int:
        """Things that were answered for and are not there once, or are there and nobody was told of them."""
        wanted = Counter(self.wanted)
        return sum((wanted[each], self.effects[each]) != (1, 1) for each in {*wanted, *self.effects})


def kinds(tenant_id: str, number: int) -> Kind:
    """A tenant, a key or the beginning of an onboarding."""
    named = {"tenant_id": tenant_id, "name": f"Key {number}", "role": "viewer"}
    begun = {"tenant_id": tenant_id, "account_name": f"Account {number}", "auth_method": "iam_role"}
    return (
        Kind("/tenants", {"tenant_name": f"Idempotent {number}"}, "tenant_id", "tenant.created"),
        Kind("/api-keys", named, "key_id", "api_key.created"),
        Kind("/onboarding/aws/init", begun, "account_id", "account.registered"),
    )[number % 3]


async def attack(whole: WholePortal, *, count: int) -> Found:
    """So many keys, spread evenly over the kinds."""
    found, ledger = Found(), whole.portal.rig.stores.ledger
    before = {event.event_id for event in ledger.all()}
    numbers = iter(range(count))

    async def lane() -> None:
        for number in numbers:
            kind = kinds(whole.ids["tenant_id"], number)
            answers = await asyncio.gather(*(_post(whole, kind, f"once-{number}") for _ in range(DUPLICATES)))
            _note(found, kind, answers)

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    actions = {kinds("", number).action for number in range(3)}
    # The platform's trail names each tenant that is made, too.
    made = [
        event
        for event in ledger.all()
        if event.event_id not in before and event.action in actions and event.tenant_id != PLATFORM
    ]
    found.effects.update(event.target.partition(":")[2] for event in made)
    return found


async def _post(whole: WholePortal, kind: Kind, key: str) -> httpx.Response:
    return await whole.portal.http.post(kind.path, json=kind.body, headers={"Idempotency-Key": key})


def _note(found: Found, kind: Kind, answers: Sequence[httpx.Response]) -> None:
    found.keys += 1
    found.statuses.update(answer.status_code for answer in answers)
    bodies = [answer.json() for answer in answers]
    shown = sum(body.pop(SHOWN_ONCE, None) is not None for body in bodies)
    alike = {(answer.status_code, json.dumps(body)) for answer, body in zip(answers, bodies, strict=True)}
    if len(alike) > 1 or shown != (kind.action == "api_key.created"):
        found.different.append(kind.path)
    found.wanted += {str(body.get(kind.made)) for body in bodies}


async def run(*, quick: bool) -> Sequence[Target]:
    count = QUICK if quick else FULL
    async with bed() as whole:
        found = await attack(whole, count=count)
    print("keys answered in more than one way:", Counter(found.different) or "none")
    print("answers by status:", dict(sorted(found.statuses.items())))
    return (
        Target("Idempotency-Keys, ten requests at once with each", found.keys, at_least=count),
        Target("answers that are no success", found.statuses.total() - found.statuses[201], at_most=0),
        Target("keys whose answers differ", len(found.different), at_most=0),
        Target("keys without exactly one effect", found.not_once, at_most=0),
    )
