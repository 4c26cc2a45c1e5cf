"""The ways an onboarding goes, as a customer's script goes them: straight, at the second try, and given up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from bench.tenants import FreshTenants
from tests.resilience.caller import UNSETTLED, Answer, Caller, Unanswered
from tests.resilience.customer import Customer

CREATED = 201

NewKey = Callable[[], str]


@dataclass(frozen=True)
class Request:
    """What was sent, so that it can be sent again."""

    path: str
    body: Mapping[str, object]
    key: str
    api_key: str
    unsettled: frozenset[int]


@dataclass
class Traveller:
    """One account's script. `new_key` gives the API key of the next request."""

    caller: Caller
    customer: Customer
    tenants: FreshTenants
    new_key: NewKey
    tenant_id: str = ""
    account_id: str = ""
    external_id: str = ""
    sent: list[tuple[Request, Answer]] = field(default_factory=list)

    async def init(self) -> None:
        """Raises Unanswered, also for an answer that gives no account."""
        await self.tenants.prepare(1)
        self.tenant_id = self.tenants.take()
        body = {"tenant_id": self.tenant_id, "account_name": "Production", "auth_method": "iam_role"}
        answer = await self._post("/onboarding/aws/init", body)
        if answer.status != CREATED:
            raise Unanswered("POST init", [answer.status])
        started = answer.json()
        self.account_id, self.external_id = started["account_id"], started["external_id"]

    async def make_role(self) -> None:
        await asyncio.to_thread(self.customer.make_role, self.external_id)

    async def validate(self) -> None:
        credentials = {"role_arn": self.customer.role_arn(self.external_id)}
        body = {"account_id": self.account_id, "auth_method": "iam_role", "credentials": credentials}
        await self._post("/onboarding/aws/validate", body)

    async def cancel(self) -> None:
        await self._post(f"/onboarding/{self.account_id}/cancel", {}, unsettled=frozenset({503}))

    async def again(self) -> list[Answer]:
        """The answers to all that was sent, sent once more."""
        return [await self._send(request) for request, _ in self.sent]

    async def _post(self, path: str, body: Mapping[str, object], unsettled: frozenset[int] = UNSETTLED) -> Answer:
        api_key = await asyncio.to_thread(self.new_key)
        request = Request(path, body, key=uuid4().hex, api_key=api_key, unsettled=unsettled)
        answer = await self._send(request)
        self.sent.append((request, answer))
        return answer

    async def _send(self, request: Request) -> Answer:
        return await self.caller.post(
            request.path, request.body, key=request.key, api_key=request.api_key, unsettled=request.unsettled
        )


async def straight(traveller: Traveller) -> None:
    await traveller.init()
    await traveller.make_role()
    await traveller.validate()


async def second_try(traveller: Traveller) -> None:
    """The role is missing at first."""
    await traveller.init()
    await traveller.validate()
    await traveller.make_role()
    await traveller.validate()


async def given_up(traveller: Traveller) -> None:
    await traveller.init()
    await traveller.validate()
    await traveller.cancel()


Journey = Callable[[Traveller], Awaitable[None]]
JOURNEYS: dict[str, Journey] = {"straight": straight, "second try": second_try, "given up": given_up}
