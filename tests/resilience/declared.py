"""What can follow when a call to AWS goes wrong, and how it is declared for each call."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.resilience.faults import Call, Fault, Side


class Outcome(StrEnum):
    """What is noticed of a fault. In every case the account ends as it ends without one, no attempt is counted for it,
    and each request that is repeated afterwards is answered as before."""

    UNNOTICED = "unnoticed"
    """The SDK's own second attempt helps."""
    STEP = "step again"
    """The workflow repeats the step. The caller waits a little longer."""
    """The same, after so many attempts of the SDK that the caller may be asked to repeat or to wait meanwhile."""
    REQUEST = "503, again"
    """Nothing is promised, and the repeated request succeeds."""
    NOT_KEPT = "not kept"
    """The answer is given but not kept, so it is worked out once more for a repeat."""


@dataclass(frozen=True)
class Column:
    """A way to fail: what happens, to how many attempts of the call."""

    title: str
    fault: Fault
    attempts: int


WHOLE_CALL = 99
COLUMNS = (
    Column("throttled", Fault.THROTTLED, WHOLE_CALL),
    Column("500", Fault.SERVER_ERROR, WHOLE_CALL),
    Column("timed out", Fault.TIMED_OUT, WHOLE_CALL),
    Column("cut", Fault.CUT, WHOLE_CALL),
    Column("reply lost", Fault.REPLY_LOST, 1),
    Column("replies lost", Fault.REPLY_LOST, WHOLE_CALL),
)


@dataclass(frozen=True)
class Row:
    """One call. `outcome` is what follows when the call fails whatever the SDK tries, `one_reply_lost` when only the
    SDK's first attempt does. Without an outcome the call is under fire at the same place of another journey."""

    program: str
    side: Side
    name: str
    purpose: str
    outcome: Outcome | None
    one_reply_lost: Outcome = Outcome.UNNOTICED
    cold: bool = False
    """Made once in the life of a process."""

    def declared(self, column: Column) -> Outcome | None:
        """An answer is kept although nobody hears that it was."""
        took_effect = column.fault is Fault.REPLY_LOST
        harmless = took_effect and (column.attempts < WHOLE_CALL or self.outcome is Outcome.NOT_KEPT)
        return self.one_reply_lost if harmless and self.outcome is not None else self.outcome


Block = tuple[Row, ...]
"""Calls that follow each other."""


def request(name: str, purpose: str, *, cold: bool = False) -> Row:
    """Of the API, before anything is promised."""
    return Row("api", Side.OURS, name, purpose, Outcome.REQUEST, cold=cold)


def kept(name: str, purpose: str) -> Row:
    """Of the API, after everything is done."""
    return Row("api", Side.OURS, name, purpose, Outcome.NOT_KEPT)


def step(name: str, purpose: str, *, one_reply_lost: Outcome = Outcome.UNNOTICED, cold: bool = False) -> Row:
    """Of the worker, on our side."""
    return Row("worker", Side.OURS, name, purpose, Outcome.STEP, one_reply_lost, cold=cold)


def cloud(name: str, purpose: str) -> Row:
    """Of the worker, on the customer's side, where the SDK tries once only."""
    return Row("worker", Side.CUSTOMERS, name, purpose, Outcome.STEP, one_reply_lost=Outcome.STEP)


def elsewhere(*blocks: Block) -> Block:
    return tuple(replace(row, outcome=None) for block in blocks for row in block)


def numbered(rows: Iterable[Row]) -> dict[Call, Row]:
    """Each row under the call that it is, counted as the processes count."""
    counts: Counter[tuple[str, Side, str]] = Counter()
    calls = {}
    for row in rows:
        place = (row.program, row.side, row.name)
        counts[place] += 1
        calls[Call(*place, number=counts[place])] = row
    return calls
