"""Another tenant's ids in every place of every operation that takes one, by keys of every role: nothing is let through,
and nothing tells what is another's from what is missing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import httpx

from api.auth.permissions import Tenancy
from bench.report import Target
from domain.callers.access import Role, Scope
from tests.api.portal import Portal, add_key
from tests.api.routes import Call, calls
from tests.api.test_isolation import ABSENT, Houses, furnished, rows, with_tenancy
from tests.security.offline import offline

FULL, QUICK = 5_000, 400
READS = 10
"""At least so many operations show a tenant its own things, or the attack proves nothing."""

FILTERS = ("target", "actor")
"""Of the audit trail: texts in which an id stands."""

Ids = Mapping[str, str]
Shown = tuple[int, bytes]


@dataclass(frozen=True)
class Attempt:
    call: Call
    places: tuple[str, ...]
    """Where the other's ids stand; in the others stand the caller's own."""
    headers: Mapping[str, str]


@dataclass
class Found:
    """What was tried, and where the answers were not what they should be."""

    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[tuple[str, str]] = field(default_factory=set)
    allowed: list[str] = field(default_factory=list)
    told_apart: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    changed: int = 0
    """How many tenants have other rows than before."""

    def note(self, attempt: Attempt, foreign: httpx.Response, absent: httpx.Response) -> None:
        name = f"{attempt.call.method} {attempt.call.path} {attempt.places}: {foreign.status_code}"
        self.statuses[foreign.status_code] += 1
        self.operations.add(attempt.call[:2])
        if foreign.is_success and not _is_empty(foreign):
            self.allowed.append(name)
        if shown(foreign) != shown(absent):
            self.told_apart.append(f"{name}, not {absent.status_code}")
        if foreign.status_code >= 500 or absent.status_code >= 500:
            self.broken.append(name)


def shown(answer: httpx.Response) -> Shown:
    """All of the body that the request's own id does not explain."""
    own = answer.headers.get("X-Request-Id", "").encode()
    return answer.status_code, answer.content.replace(own, b"") if own else answer.content


def _is_empty(answer: httpx.Response) -> bool:
    """A page of the caller's own trail, filtered by what is not in it."""
    body = answer.json()
    return isinstance(body, dict) and body.get("events") == [] and body.get("next_cursor") is None


def carrying(portal: Portal) -> list[tuple[Call, tuple[str, ...]]]:
    """Every operation that takes an id, and where."""
    found = [(call, tuple(n for n in _names(call) if n in ABSENT or n in FILTERS)) for call in calls(portal.app)]
    return [(call, places) for call, places in found if places]


def _names(call: Call) -> list[str]:
    return [*(each["name"] for each in call.operation.get("parameters", [])), *_example(call)]


def _example(call: Call) -> dict[str, Any]:
    return call.example if "requestBody" in call.operation else {}


def attempts(portal: Portal, callers: Sequence[str]) -> Iterator[Attempt]:
    """Each operation, each choice of places, each caller: once."""
    for call, places in carrying(portal):
        for count in range(1, len(places) + 1):
            for chosen in combinations(places, count):
                yield from (Attempt(call, chosen, {"Authorization": f"Bearer {key}"}) for key in callers)


async def send(portal: Portal, attempt: Attempt, own: Ids, others: Ids) -> httpx.Response:
    ids = {"provider": "aws"} | {name: (others if name in attempt.places else own)[name] for name in own}
    parameters = {each["name"]: each["in"] for each in attempt.call.operation.get("parameters", [])}
    query = {name: ids[name] for name, place in parameters.items() if place == "query" and name in ids}
    body = {name: ids.get(name, value) for name, value in _example(attempt.call).items()}
    return await portal.http.request(
        attempt.call.method,
        "http://api.test" + attempt.call.path.format_map(ids),
        params=query,
        json=body or None,
        headers=attempt.headers,
    )


def with_filters(ids: Ids) -> Ids:
    return {**ids, "target": f"account:{ids['account_id']}", "actor": f"key:{ids['key_id']}"}


def callers_of(portal: Portal, tenant_id: str) -> list[str]:
    """A key of each role, and one that names every scope."""
    roles = [add_key(portal.rig, tenant_id=tenant_id, role=role) for role in Role]
    return [*roles, add_key(portal.rig, tenant_id=tenant_id, role=None, scopes=tuple(Scope))]


async def attack(portal: Portal, own: Ids, callers: Sequence[str], *, count: int) -> Found:
    """Whole rounds, each on another tenant's things, until there were so many attempts."""
    found, tried = Found(), list(attempts(portal, callers))
    missing = with_filters(ABSENT)
    while found.statuses.total() < count:
        house = Houses(portal, [], furnished(portal))
        foreign, before = with_filters(house.foreign), rows(house)
        for attempt in tried:
            answers = [await send(portal, attempt, own, ids) for ids in (foreign, missing)]
            found.note(attempt, *answers)
        found.changed += rows(house) != before
    return found


async def reached(portal: Portal, own: Ids, key: str) -> int:
    """How many operations show an administrator its own things."""
    headers = {"Authorization": f"Bearer {key}"}
    reads = [Attempt(call, (), headers) for call, _ in carrying(portal) if call.method == "GET"]
    answers = [await send(portal, read, own, own) for read in reads]
    return sum(answer.is_success for answer in answers)


def covered(portal: Portal, found: Found) -> float:
    """Percent of the operations that declare that they deal with one tenant's things, or take an id."""
    declared = with_tenancy(portal, Tenancy.OWNED, Tenancy.NAMED) + [call for call, _ in carrying(portal)]
    wanted = {call[:2] for call in declared}
    return 100 * len(wanted & found.operations) / len(wanted)


async def run(*, quick: bool) -> Sequence[Target]:
    count = QUICK if quick else FULL
    async with offline() as portal:
        own = with_filters(furnished(portal))
        callers = callers_of(portal, own["tenant_id"])
        readable = await reached(portal, own, callers[0])
        found = await attack(portal, own, callers, count=count)
        percent = covered(portal, found)
    for name in (found.allowed + found.told_apart + found.broken)[:20]:
        print(name)
    print(f"{len(found.operations)} operations, answers by status: {dict(sorted(found.statuses.items()))}")
    return (
        Target("attempts on another tenant's things", found.statuses.total(), at_least=count),
        Target("percent of the operations that take an id", percent, at_least=100),
        Target("operations that show a tenant its own things", readable, at_least=READS),
        Target("attempts allowed", len(found.allowed), at_most=0),
        Target("answers that tell another's from missing", len(found.told_apart), at_most=0),
        Target("tenants whose rows were changed", found.changed, at_most=0),
        Target("answers of 500 or more to another's ids", len(found.broken), at_most=0),
    )
