"""Bodies that no caller of good will sends, to every route that takes one: no answer repeats anything of them, none is
a 5xx, and each has the one shape."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from bench.report import Target
from tests.api.routes import calls
from tests.api.whole_portal import WholePortal
from tests.security.bed import bed
from tests.security.bodies import CANARY, hostile

FULL, QUICK = 6_000, 600
SEED = 20_260
AT_ONCE = 4
SHAPE = {"code", "message", "errors", "problems"}


@dataclass(frozen=True)
class Route:
    method: str
    url: str
    example: Mapping[str, Any]


@dataclass
class Found:
    """What the answers were, and where they were not what they should be."""

    statuses: Counter[int] = field(default_factory=Counter)
    echoes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    shapeless: list[str] = field(default_factory=list)

    def note(self, name: str, answer: httpx.Response) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self.broken.append(name)
        if answer.is_success:
            return  # what was made is shown as it was named
        if CANARY in f"{answer.text}{answer.headers}".lower():
            self.echoes.append(name)
        if not _has_the_shape(answer):
            self.shapeless.append(name)


def routes(whole: WholePortal) -> list[Route]:
    """All that take a body."""
    return [
        Route(
            call.method,
            "http://api.test" + call.path.format_map(whole.ids),
            whole.fill(call.example),
        )
        for call in calls(whole.portal.app)
        if call.method in ("POST", "PUT", "PATCH")
    ]


async def attack(whole: WholePortal, *, count: int, seed: int = SEED) -> Found:
    """So many bodies, spread evenly over the routes."""
    random, found, open_to_it = Random(seed), Found(), routes(whole)
    sent = iter([(number, *hostile(random, open_to_it[number % len(open_to_it)].example)) for number in range(count)])

    async def lane() -> None:
        for number, body, headers in sent:
            route = open_to_it[number % len(open_to_it)]
            answer = await whole.portal.http.request(route.method, route.url, content=body, headers=headers)
            found.note(f"{number} {route.method} {route.url}: {answer.status_code}", answer)

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    return found


def _has_the_shape(answer: httpx.Response) -> bool:
    try:
        body = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and list(body) == ["detail"] and set(body["detail"]) == SHAPE


async def run(*, quick: bool) -> Sequence[Target]:
    count = QUICK if quick else FULL
    async with bed() as whole:
        found = await attack(whole, count=count)
    for name in (found.echoes + found.broken + found.shapeless)[:20]:
        print(name)
    print("answers by status:", dict(sorted(found.statuses.items())))
    return (
        Target("hostile bodies sent", found.statuses.total(), at_least=count),
        Target("answers that repeat what was sent", len(found.echoes), at_most=0),
        Target("answers of 500 or more", len(found.broken), at_most=0),
        Target("errors that have not the one shape", len(found.shapeless), at_most=0),
    )
