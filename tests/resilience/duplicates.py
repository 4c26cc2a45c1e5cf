"""Every request comes ten times at once with one Idempotency-Key, and again and again the API is killed while it
validates: all are answered alike, and everything is done once."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

from bench.load import Sample, sample
from bench.report import Report, Target
from tests.resilience.caller import Answer, Caller
from tests.resilience.ground import Ground, burning_ground
from tests.resilience.invariants import Broken, Expected
from tests.resilience.programs import Conditions

DUPLICATES = 10
IN_FLIGHT = 4
LATEST_KILL_SECONDS = 0.4
"""After the requests were sent. A validation takes about that long."""


@dataclass(frozen=True)
class Scale:
    accounts: int
    """Each has two keys: one to begin, one to hand in the credential."""
    kill_at_each: int
    """The API dies at each so-manieth validation."""


FULL, SMALL = Scale(accounts=500, kill_at_each=25), Scale(accounts=10, kill_at_each=10)


@dataclass
class Storm:
    """The requests, and what came of them."""

    ground: Ground
    scale: Scale
    random: Random
    answers: Counter[int] = field(default_factory=Counter)
    """By status."""
    keys: int = 0
    different: int = 0
    """Keys whose requests were not all answered alike."""
    sent_again: int = 0
    """Requests that were answered with 503, or with nothing because the API had died."""
    kills: int = 0
    killing: asyncio.Lock = field(default_factory=asyncio.Lock)
    onboarded: int = 0

    async def account(self) -> float:
        """One account from nothing to active."""
        began = time.perf_counter()
        tenant_id = self.ground.tenants.take()
        body = {"tenant_id": tenant_id, "account_name": "Production", "auth_method": "iam_role"}
        started = (await self._all_at_once("/onboarding/aws/init", body)).json()
        self.ground.expected.append(Expected(tenant_id, started["account_id"]))
        self.onboarded += 1
        role_arn = await asyncio.to_thread(self.ground.customer.make_role, started["external_id"])
        credentials = {"role_arn": role_arn}
        handed_in = {"account_id": started["account_id"], "auth_method": "iam_role", "credentials": credentials}
        validating = asyncio.create_task(self._all_at_once("/onboarding/aws/validate", handed_in))
        if self.onboarded % self.scale.kill_at_each == 0:
            await self._kill_the_api()
        await validating
        return time.perf_counter() - began

    async def _all_at_once(self, path: str, body: Mapping[str, object]) -> Answer:
        caller, key = Caller(self.ground.http, pause=0.5), uuid4().hex
        posts = (caller.post(path, body, key=key, api_key=self.ground.fleet.api_key) for _ in range(DUPLICATES))
        answers = await asyncio.gather(*posts)
        self.keys += 1
        self.different += len({(answer.status, answer.body) for answer in answers}) > 1
        self.answers.update(answer.status for answer in answers)
        self.sent_again += sum(len(answer.before) for answer in answers)
        return answers[0]

    async def _kill_the_api(self) -> None:
        """One at a time: the API may not be back from the last one."""
        async with self.killing:
            await asyncio.sleep(self.random.uniform(0, LATEST_KILL_SECONDS))
            await self.ground.fleet.api.kill()
            self.kills += 1
            await self.ground.fleet.api.start()


async def run(conditions: Conditions) -> bool:
    async with burning_ground(conditions.folder, progress=conditions.progress) as ground:
        return await prove(ground, conditions)


async def prove(ground: Ground, conditions: Conditions) -> bool:
    scale = SMALL if conditions.small else FULL
    await ground.tenants.prepare(scale.accounts)
    storm = Storm(ground, scale, Random(conditions.seed))
    with conditions.progress.step(f"{2 * scale.accounts} keys, {DUPLICATES} requests at once with each"):
        took = await sample(storm.account, count=scale.accounts, in_flight=IN_FLIGHT)
    broken = await ground.broken()
    show(conditions.report, storm, took=took, broken=broken)
    return conditions.report.judge(_targets(storm, broken), counts=True)


def show(report: Report, storm: Storm, *, took: Sample, broken: list[Broken]) -> None:
    report.heading("Duplicates")
    report.machine()
    statuses = [f"{status}: {count}" for status, count in sorted(storm.answers.items())]
    lines = {
        "keys": storm.keys,
        "requests": storm.answers.total(),
        "their answers": ", ".join(statuses),
        "sent again": storm.sent_again,
        "the API was killed": storm.kills,
        "accounts per second": f"{took.rate:.1f}",
        "p50 and p99 of an account, s": f"{took.percentile(50):.1f}, {took.percentile(99):.1f}",
    }
    report.table(("", ""), [(name, str(value)) for name, value in lines.items()])
    for breach in broken:
        report.say(f"[red]{breach}[/red]")


def _targets(storm: Storm, broken: list[Broken]) -> list[Target]:
    refused = sum(count for status, count in storm.answers.items() if status not in (200, 201))
    return [
        Target("keys with answers that differ", storm.different, at_most=0),
        Target("answers other than the success of each", refused, at_most=0),
        Target("lost, doubled or orphaned", len(broken), at_most=0),
        Target("kills of the API", storm.kills, at_least=1),
    ]
