"""Customers who would have us open a role that is not theirs, or that opens to anybody: external ids of others,
altered, used before or sent where none belongs. No call of STS carries one of them, and none of the accounts becomes
active."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from bench.report import Target
from domain.accounts import OnboardingStatus
from tests.api.portal import Portal, open_portal
from tests.providers.canned_aws import canned_provider
from tests.rig import Rig
from tests.security.bed import bed
from tests.security.customer_roles import (
    ANY,
    OPEN,
    VICTIM,
    VICTIMS,
    CustomerRoles,
    legitimate,
    role_arn,
    running_customer_roles,
)

FULL, QUICK = 500, 26


@dataclass(frozen=True)
class Case:
    """One account, and what its customer has to send."""

    portal: Portal
    number: int
    account_id: str
    own: str
    """The external id that was made for it."""
    earlier: str
    """The one of the tenant's account before."""

    async def send(self, trust: str, *, query: str = "", **more: object) -> httpx.Response:
        fields = {"role_arn": role_arn(trust, self.number), **more}
        body = {"account_id": self.account_id, "auth_method": "iam_role", "credentials": fields}
        return await self.portal.http.post(f"/onboarding/aws/validate{query}", json=body)

    async def outputs(self, trust: str, **more: object) -> httpx.Response:
        fields = {"RoleArn": role_arn(trust, self.number), **more}
        body = {"account_id": self.account_id, "onboarding_json": fields, "just_created": False}
        return await self.portal.http.post("/onboarding/aws/validate-json", json=body)


ATTACKS: Mapping[str, Callable[[Case], Awaitable[httpx.Response]]] = {
    "another customer's id": lambda case: case.send(VICTIM, external_id=VICTIMS),
    "another customer's id, as a trial": lambda case: case.send(VICTIM, query="?dry_run=true", external_id=VICTIMS),
    "another customer's id among the outputs": lambda case: case.outputs(VICTIM, ExternalId=VICTIMS),
    "both ids among the outputs": lambda case: case.outputs(VICTIM, ExternalId=case.own, external_id=VICTIMS),
    "another customer's role, no id": lambda case: case.send(VICTIM),
    "another customer's role, an empty id": lambda case: case.send(VICTIM, external_id=""),
    "another customer's role, one's own id": lambda case: case.send(VICTIM, external_id=case.own),
    "one's own id in capitals": lambda case: case.send(ANY, external_id=case.own.upper()),
    "one's own id cut short": lambda case: case.send(ANY, external_id=case.own[:-1]),
    "the id of an earlier account": lambda case: case.send(case.earlier, external_id=case.earlier),
    "a role of an earlier account": lambda case: case.send(case.earlier),
    "a role that opens without an id": lambda case: case.send(OPEN),
    "a role that opens with any id": lambda case: case.send(ANY),
}


@dataclass
class Found:
    """What came of it."""

    attacks: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    calls: int = 0
    """Of STS, to assume a role."""
    wrong_calls: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    honest_accepted: int = 0


async def begin(portal: Portal, number: int, earlier: str) -> Case:
    started = (await portal.init(account_name=f"Account {number}")).json()
    return Case(portal, number, started["account_id"], started["external_id"], earlier)


async def attack(portal: Portal, roles: CustomerRoles, *, count: int) -> Found:
    """So many accounts, each with one attack; then an honest one, which has to become active."""
    found, earlier = Found(), VICTIMS
    for number in range(count):
        case, name = await begin(portal, number, earlier), list(ATTACKS)[number % len(ATTACKS)]
        roles.forget()
        answer = await ATTACKS[name](case)
        found.attacks[name] += 1
        found.statuses[answer.status_code] += 1
        _note_calls(found, roles, case, name)
        if answer.is_success or not _is_open(portal, case.account_id):
            found.active.append(f"{number} {name}: {answer.status_code}")
        earlier = case.own
    honest = await begin(portal, count, earlier)
    found.honest_accepted = int((await honest.send(honest.own)).status_code == 200)
    return found


def _note_calls(found: Found, roles: CustomerRoles, case: Case, name: str) -> None:
    calls = roles.assumptions()
    found.calls += len(calls)
    found.wrong_calls += [f"{case.number} {name}" for call in calls if not legitimate(call, case.own)]


def _is_open(portal: Portal, account_id: str) -> bool:
    """Whether the account still waits for a credential that is good."""
    account = portal.rig.stores.accounts.get(portal.rig.tenant_id, account_id)
    return account.onboarding_status is OnboardingStatus.IN_PROGRESS


async def run(*, quick: bool) -> Sequence[Target]:
    count = QUICK if quick else FULL
    async with bed() as whole:
        client = whole.portal.rig.client
        with running_customer_roles() as roles:
            rig = Rig(client, provider=canned_provider(roles.url))
            portal = open_portal(rig, client)
            async with rig.worker(), portal.http:
                found = await attack(portal, roles, count=count)
    for line in (found.wrong_calls + found.active)[:20]:
        print(line)
    print(f"{found.calls} roles tried with STS; answers by status: {dict(sorted(found.statuses.items()))}")
    return (
        Target("confused-deputy attempts", found.attacks.total(), at_least=count),
        Target("calls of STS with an id that is not the account's", len(found.wrong_calls), at_most=0),
        Target("accounts that became active by one", len(found.active), at_most=0),
        Target("roles tried with STS", found.calls, at_least=count // len(ATTACKS)),
        Target("an honest role is accepted", found.honest_accepted, at_least=1),
    )
