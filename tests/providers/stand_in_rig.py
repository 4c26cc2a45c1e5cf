"""One provider in front of its cloud on the stand-in, and what a test asks of both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step, Verdict
from domain.ports import CloudProvider
from emulators.clouds.server import ADDRESS, Cloud, StandIn
from transport.client import GuardedClient
from transport.exchange import Bounds
from transport.guard import PublicOnly

EXTERNAL_ID = "te-3f2b1c649f0e4a428a6b0d3b5c7d9e1f"
EXPECTED = Expectation(EXTERNAL_ID)
JUST_MADE = Expectation(EXTERNAL_ID, may_propagate=True)
QUICK = Bounds(seconds=0.6, connect_seconds=1, read_seconds=0.4, body_bytes=64 * 1024)


@dataclass
class Names:
    """The name server: which names were asked for, and where connections would have gone."""

    address: str = ADDRESS
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return [self.address]


class Rig:
    """A cloud of its own for one test. `make` makes the provider of a client."""

    def __init__(
        self,
        stand_in: StandIn,
        cloud: Cloud,
        *,
        make: Callable[[GuardedClient], CloudProvider],
        is_allowed: Callable[[str], bool],
        bounds: Bounds | None = None,
    ) -> None:
        stand_in.faults.clear()
        stand_in.log.clear()
        stand_in.clock_offset = 0
        stand_in.clouds = [cloud]
        self.stand_in = stand_in
        self.names = Names()
        backend = PublicOnly(self.names, stand_ins=[(ADDRESS, stand_in.port)])
        self.client = GuardedClient(
            backend, is_allowed=is_allowed, bounds=bounds, ca_file=stand_in.ca_file, keep_alive=True
        )
        self.provider = make(self.client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()


def credential(credential_type: str, fields: Mapping[str, object]) -> Credential:
    return Credential(credential_type, {name: str(value) for name, value in fields.items()})


def last_checked(verdict: Verdict) -> Step:
    """The step that decided."""
    return [step for step in verdict.steps if step.status != "skipped"][-1]


def finding(verdict: Verdict) -> tuple[str, str]:
    step = last_checked(verdict)
    return step.name, step.code


def everything_of(error: BaseException) -> str:
    """All that a log or a history could show of an exception."""
    shown, link = "", error
    while link is not None:
        shown += f"{link!r} {link} {vars(link)!r} "
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)  # type: ignore[assignment]
    return shown
