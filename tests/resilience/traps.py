"""Where a worker is to die: a file that the worker reads and removes as it dies, so that it happens once."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from threading import Lock


class Moment(StrEnum):
    """When, as seen from the step's effect."""

    BEFORE = "before"
    """The call to AWS is about to leave."""
    DURING = "during"
    """AWS has done it; the answer is on its way."""
    AFTER = "after"
    """The step has returned; Temporal does not know yet."""


@dataclass(frozen=True)
class Point:
    """One place in an onboarding."""

    step: str
    """Name of the activity."""
    call: str
    """The call to AWS that is its effect: service and operation, as in dynamodb.TransactWriteItems."""
    moment: Moment
    number: int = 1
    """Which of the steps of that name that make that call."""


class Trap:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "trap.json"
        self._lock = Lock()

    def set(self, point: Point) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(asdict(point)))
        new.replace(self._file)

    def springs(self, step: str, call: str, moment: Moment) -> bool:
        """Whether this is the place. It is only once."""
        with self._lock:
            point = self._point()
            if point is None or (point.step, point.call, point.moment) != (step, call, moment):
                return False
            if point.number > 1:
                self.set(replace(point, number=point.number - 1))
                return False
            self._file.unlink()
            return True

    def _point(self) -> Point | None:
        if not self._file.exists():
            return None
        found = json.loads(self._file.read_text())
        return Point(found["step"], found["call"], Moment(found["moment"]), found["number"])
