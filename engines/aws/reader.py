"""Reads an account for the checks: one call after the other, each answer kept until its region is done.

What cannot be read is `Unreadable`, which holds the sentences of the finding that comes of it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from domain.errors import Throttled, Trouble, Unavailable
from engines.aws.calls import CALLS, Call
from providers.aws.errors import Reason, Signer
from providers.aws.provider import judged
from providers.checks import Refused

PAUSE_SECONDS = 2.0
MAX_IN_VAIN = 3
"""After so many calls in a row without a proper answer a check stops; until then each fails for its own resource."""

Key = tuple[str, str, tuple[tuple[str, Any], ...]]


class Clients(Protocol):
    def client(self, service: str, region: str) -> Any:
        """The boto3 client, one for each service and region."""

    def close(self, region: str) -> None:
        """Close those of the region."""


@dataclass(frozen=True)
class AwsAccount:
    number: str
    partition: str

    @property
    def root(self) -> str:
        return f"arn:{self.partition}:iam::{self.number}:root"

    def arn(self, service: str, region: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{region}:{self.number}:{resource}"


@dataclass(frozen=True)
class Limits:
    """What a scan may cost, so that no account holds a worker for ever or fills its memory."""

    max_resources: int = 10_000
    """Of one listing in one region."""
    max_findings: int = 100_000
    max_seconds: float = 3_000
    """Less than the hour that a session lives."""


class Unreadable(Exception):
    """Something that a check needs cannot be read. Never leaves the engine: the runner makes a finding of it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Halted(Unreadable):
    """There is no point in asking on: no time left, or several calls in a row without an answer."""


class Gone(Unreadable):
    """The resource was deleted while the scan ran, so nothing is said about it."""


OTHER_FORM = Unreadable("An answer of AWS has another form than the one that this check knows.")
ODD = (LookupError, TypeError, ValueError, AttributeError)
"""What reading such an answer raises."""


@dataclass
class Answer:
    """`failure` comes after what could be read before it."""

    value: dict[str, Any] | None = None
    items: list[Any] = field(default_factory=list)
    failure: Unreadable | None = None


class AwsReader:
    """`alive` is called before each call to AWS, and raises when the scan is to stop."""

    def __init__(
        self,
        clients: Clients,
        account: AwsAccount,
        *,
        alive: Callable[[], None],
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.account = account
        self.limits = limits or Limits()
        self._clients = clients
        self._alive = alive
        self._clock = clock
        self._pause = pause
        self._ends = clock() + self.limits.max_seconds
        self._answers: dict[Key, Answer] = {}
        self._answered = False
        self._in_vain = 0
        self._trouble: Trouble | None = None

    @property
    def in_vain(self) -> Trouble | None:
        """The latest trouble, when AWS has answered nothing at all."""
        return None if self._answered else self._trouble

    def read(self, permission: str, region: str, **arguments: str) -> dict[str, Any] | None:
        """One setting; None when it is not there. Raises Unreadable."""
        key = (permission, region, tuple(sorted(arguments.items())))
        if key not in self._answers:
            self._answers[key] = self._ask(permission, region, arguments)
        answer = self._answers[key]
        if answer.failure:
            raise answer.failure
        return answer.value

    def setting(self, permission: str, region: str, **arguments: str) -> dict[str, Any]:
        """One setting that is always there. Raises Unreadable."""
        return self.read(permission, region, **arguments) or {}

    def items(self, permission: str, region: str, **arguments: Any) -> Iterator[Any]:
        """A listing. Raises Unreadable after the items that came before the failure."""
        key = (permission, region, tuple(sorted(arguments.items())))
        if key not in self._answers:
            self._answers[key] = self._list(permission, region, arguments)
        answer = self._answers[key]
        yield from answer.items
        if answer.failure:
            raise answer.failure

    def ask_again(self, permission: str, region: str) -> dict[str, Any]:
        """As `setting`, after a pause, for what changes while the scan waits."""
        self._pause(PAUSE_SECONDS)
        self._answers.pop((permission, region, ()), None)
        return self.setting(permission, region)

    def forget(self, region: str) -> None:
        """Without this, what is kept would grow with the number of regions."""
        self._answers = {key: answer for key, answer in self._answers.items() if key[1] != region}
        self._clients.close(region)

    def _ask(self, permission: str, region: str, arguments: dict[str, Any]) -> Answer:
        call, answer = CALLS[permission], Answer()
        try:
            answer.value = self._call(
                permission, lambda: getattr(self._clients.client(call.service, region), call.operation)(**arguments)
            )
        except Unreadable as failure:
            answer.failure = failure
        return answer

    def _list(self, permission: str, region: str, arguments: dict[str, Any]) -> Answer:
        call, answer = CALLS[permission], Answer()
        pages = self._pages(call, region, arguments)
        try:
            while page := self._call(permission, lambda: next(pages, None)):
                answer.items += call.items_in(page)
                if len(answer.items) > self.limits.max_resources:
                    del answer.items[self.limits.max_resources :]
                    answer.failure = _too_many(self.limits.max_resources)
                    break
        except Unreadable as failure:
            answer.failure = failure
        return answer

    def _pages(self, call: Call, region: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        client = self._clients.client(call.service, region)
        if client.can_paginate(call.operation):
            yield from client.get_paginator(call.operation).paginate(**arguments)
        else:
            yield getattr(client, call.operation)(**arguments)

    def _call(self, permission: str, action: Callable[[], Any]) -> Any:
        """What the action returns, None when AWS says that it is absent. Raises Unreadable."""
        self._alive()
        if self._clock() > self._ends:
            raise _out_of_time()
        call = CALLS[permission]
        try:
            with judged(Signer.CUSTOMER, granted_by=call.absent | call.gone) as granted:
                result = action()
                self._answers_again()
                return result
        except Refused as refusal:
            self._answers_again()
            raise _refused(permission, refusal.reason) from None
        except Trouble as trouble:
            self._trouble = trouble
            self._in_vain += isinstance(trouble, Throttled | Unavailable)
            raise _troubled(permission, trouble, last=self._in_vain >= MAX_IN_VAIN) from None
        self._answers_again()  # an absence is an answer too
        if call.gone.intersection(granted):
            raise Gone(f"{permission} was asked of a resource that is not there any more.")
        return None

    def _answers_again(self) -> None:
        self._answered = True
        self._in_vain = 0


ACTIVATE = "Sign in to the account, and finish what AWS asks for under Billing and Account."


def _refused(permission: str, reason: StrEnum) -> Unreadable:
    if reason is Reason.ACCESS_DENIED:
        return Unreadable(
            f"AWS denies {permission}, which this check needs.",
            f"Grant {permission} to the role or user; our template grants it. Where it is granted already, a policy of "
            "the resource or of your organisation or a permissions boundary denies it.",
        )
    if reason is Reason.ACCOUNT_NOT_ACTIVE:
        return Unreadable(f"AWS has not activated the account for {permission}, or has suspended it.", ACTIVATE)
    return Unreadable(f"AWS does not accept the credential for {permission} any more.", "Validate the credential.")


def _troubled(permission: str, trouble: Trouble, *, last: bool) -> Unreadable:
    kind = Halted if last else Unreadable
    match trouble:
        case Throttled():
            return kind(f"AWS asked to slow down at {permission}.", "The next scan tries again.")
        case Unavailable():
            return kind(f"AWS did not answer {permission}.", "The next scan tries again.")
        case _:
            return Unreadable(f"AWS answered {permission} with an error that is not known here.")


def _too_many(limit: int) -> Unreadable:
    return Unreadable(f"There are more than {limit} resources; the rest was not looked at.")


def _out_of_time() -> Unreadable:
    message = "The scan's time was over before this was looked at."
    return Halted(message, "Scan fewer regions or services at a time.")
