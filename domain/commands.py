"""What travels through Temporal as a command of ours, and the keys that tell it from anybody else's."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CommandKeys(Protocol):
    """Derives the keys that commands are signed with."""

    def derive(self, month: str) -> bytes:
        """Return the key of a month such as 2026-11: the same in each process, at any time. Raises Unavailable and
        PlatformConfig."""
        ...


class UnsignedCommands(StrEnum):
    """What becomes of a command without a signature. One with a wrong signature is refused in any case."""

    REFUSE = "refuse"
    COUNT = "count"


class CommandKind(StrEnum):
    """What was refused or let in, as a label of the metric."""

    WORKFLOW = "workflow"
    UPDATE = "update"
    SIGNAL = "signal"
    ACTIVITY = "activity"
    RESULT = "result"


class CommandOutcome(StrEnum):
    REFUSED = "refused"
    LET_IN = "let_in"


CountUnsigned = Callable[[CommandKind, CommandOutcome], None]


@dataclass(frozen=True)
class RecurringRequest:
    """The input of a workflow, or of a step, that needs no other: a signature has to be on something."""

    task: str
