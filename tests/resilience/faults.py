"""Which calls to AWS go wrong, and how. The plan is a file, so that one process can change it while others run under it
(`tests.resilience.faulty`); these write down every attempt in a second file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4


class Fault(StrEnum):
    """What happens to one attempt of a call."""

    THROTTLED = "throttled"
    SERVER_ERROR = "500"
    TIMED_OUT = "timed out"
    """AWS got the request, did nothing and never answered."""
    CUT = "cut"
    """The connection broke before the request was sent."""
    REPLY_LOST = "reply lost"
    """The request took effect; the connection broke before the answer arrived."""


class Side(StrEnum):
    """Whose AWS is called."""

    OURS = "ours"
    CUSTOMERS = "customer's"


@dataclass(frozen=True, order=True)
class Call:
    """One call of a run, whatever number of attempts the SDK makes at it."""

    program: str
    side: Side
    name: str
    """Service and operation, as in dynamodb.GetItem."""
    number: int
    """Which of the program's calls of that name, from 1."""

    def __str__(self) -> str:
        return f"{self.program}: {self.name} {self.number}"


@dataclass(frozen=True)
class Attempt:
    """One request as it was sent, or would have been."""

    run: str
    call: Call
    attempt: int
    fault: Fault | None


@dataclass(frozen=True)
class Plan:
    """Which attempts fail. What is None is not looked at; without faults nothing fails."""

    faults: tuple[Fault, ...] = ()
    """One of these, chosen by the seed."""
    rate: float = 1.0
    """Of the attempts that the plan is about, how many fail."""
    seed: int = 0
    program: str | None = None
    side: Side | None = None
    name: str | None = None
    number: int | None = None
    attempts: int | None = None
    """Only the first so many attempts of a call fail."""
    run: str = field(default_factory=lambda: uuid4().hex)
    """Calls are counted from the beginning of a run."""

    def fault_of(self, call: Call, attempt: int) -> Fault | None:
        """The same for the same seed, call and attempt, whatever happens at the same time."""
        about = self._is_about(call) and (self.attempts is None or attempt <= self.attempts)
        chance = Random(f"{self.seed} {call} {call.side} {attempt}")
        return chance.choice(self.faults) if about and self.faults and chance.random() < self.rate else None

    def _is_about(self, call: Call) -> bool:
        wanted = (self.program, self.side, self.name, self.number)
        found = (call.program, call.side, call.name, call.number)
        return all(want is None or want == is_ for want, is_ in zip(wanted, found, strict=True))


def at(call: Call, fault: Fault, *, attempts: int) -> Plan:
    """The plan in which one call fails, so many attempts of it."""
    return Plan((fault,), program=call.program, side=call.side, name=call.name, number=call.number, attempts=attempts)


class FaultFolder:
    """The two files. `write` is for who drives, `plan` and `note` for who is driven."""

    def __init__(self, folder: Path) -> None:
        self._plan_file, self._log = folder / "faults.json", folder / "calls.jsonl"
        self._read: tuple[int, int] | None = None
        self._plan = Plan(run="")

    def write(self, plan: Plan) -> Plan:
        """From the next request on, in every process."""
        new = self._plan_file.with_suffix(".new")
        new.write_text(json.dumps(asdict(plan)))
        new.replace(self._plan_file)
        return plan

    def plan(self) -> Plan:
        """The plan of this moment: read again when the file was replaced."""
        if self._plan_file.exists():
            found = self._plan_file.stat()
            if self._read != (version := (found.st_ino, found.st_mtime_ns)):
                self._plan, self._read = _plan_of(json.loads(self._plan_file.read_text())), version
        return self._plan

    def note(self, attempt: Attempt) -> None:
        """Adds a line, also when several processes do so at once."""
        with self._log.open("ab", buffering=0) as log:
            log.write(json.dumps(asdict(attempt)).encode() + b"\n")

    def attempts(self, run: str) -> list[Attempt]:
        """All of a run, in their order."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [_attempt_of(json.loads(line)) for line in lines if line.startswith(json.dumps({"run": run})[:-1])]


def _plan_of(found: Mapping[str, Any]) -> Plan:
    side = found["side"] and Side(found["side"])
    return Plan(**{**found, "faults": tuple(Fault(fault) for fault in found["faults"]), "side": side})


def _attempt_of(found: Mapping[str, Any]) -> Attempt:
    call = Call(**{**found["call"], "side": Side(found["call"]["side"])})
    return Attempt(found["run"], call, found["attempt"], found["fault"] and Fault(found["fault"]))
