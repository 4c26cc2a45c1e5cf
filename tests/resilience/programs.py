"""What a program under fire is given, and what it owes: tables, and whether every invariant held."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.report import Report
from local.progress import Progress


@dataclass(frozen=True)
class Conditions:
    folder: Path
    """Empty, and the program's own."""
    seed: int
    small: bool
    """A few of its cases, within twenty seconds."""
    report: Report
    progress: Progress


Program = Callable[[Conditions], Awaitable[bool]]
"""Whether every invariant held. Raises StackFailed when a part does not start."""
