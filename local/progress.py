"""What the person at the terminal sees: each step with its time, in plain lines when the output is no
terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Prints steps as they end, and shows the one under way on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print `what`, a statement in the past or present tense, with the time it took, if it comes true."""
        began = time.monotonic()
        with self._console.status(f"{what} ..."):
            yield
        self.say(f"[green]{time.monotonic() - began:6.2f} s[/green]  {what}")

    def heading(self, text: str) -> None:
        self.say(f"\n[bold]{text}[/bold]")

    def say(self, text: str) -> None:
        # Without soft_wrap a long address would be broken into two lines.
        self._console.print(text, soft_wrap=True, highlight=False)
