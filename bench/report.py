"""Tables for people and targets for the exit status."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.processes import load_average, shape_of_the_machine

PLAIN_WIDTH = 150
"""Of what goes into a file."""


@dataclass(frozen=True)
class Target:
    """A figure that must not pass its bound, upwards or downwards."""

    name: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        high_enough = self.at_least is None or self.measured >= self.at_least
        low_enough = self.at_most is None or self.measured <= self.at_most
        return high_enough and low_enough

    @property
    def bound(self) -> str:
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"


class Report:
    """Prints as it goes, and says at the end whether every target was met."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def heading(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/bold]", soft_wrap=True, highlight=False)

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)

    def machine(self) -> None:
        self.say(f"{shape_of_the_machine()}; load average {load_average():.1f}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """The first column is text, the others are figures."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def reasons(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """The last column is text that may take more than one line."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        *figures, reason = columns
        for number, column in enumerate(figures):
            table.add_column(column, justify="right" if number else "left", no_wrap=True)
        table.add_column(reason, ratio=1)
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def judge(self, targets: Sequence[Target], *, counts: bool) -> bool:
        """Whether all are met; True without judging when a quick run has too few figures to count."""
        self.heading("Targets")
        verdicts = {True: "[green]met[/green]", False: "[red]MISSED[/red]"} if counts else {}
        rows = [(t.name, f"{t.measured:.2f}", t.bound, verdicts.get(t.met, "not judged")) for t in targets]
        self.table(("", "measured", "target", ""), rows)
        return not counts or all(target.met for target in targets)


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
