"""`python -m bench`, which is `make bench`: how fast it is, and what an onboarding costs. The exit status is 1 when a
target is missed."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from bench import onboarding
from bench.report import Report
from local.__main__ import cancel_on_signals
from local.failures import StackFailed
from local.progress import Progress


class Subject(StrEnum):
    ONBOARDING = "onboarding"
    API = "api"


def main(
    subjects: Annotated[list[Subject] | None, typer.Argument(help="What to measure; everything by default.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds, and nothing is judged.")] = False,
) -> None:
    """Measure, and say whether the targets are met."""
    console = Console()
    try:
        met = asyncio.run(run(subjects or list(Subject), quick=quick, console=console))
    except (StackFailed, asyncio.CancelledError) as failure:
        print(str(failure) or "Interrupted; everything that was started is stopped.", file=sys.stderr)
        met = False
    raise typer.Exit(0 if met else 1)


async def run(subjects: list[Subject], *, quick: bool, console: Console) -> bool:
    cancel_on_signals()
    report, progress = Report(console), Progress(console)
    verdicts = []
    for subject in subjects:
        with TemporaryDirectory(prefix="bench-") as folder:
            if subject is Subject.ONBOARDING:
                plan = onboarding.QUICK if quick else onboarding.FULL
                verdicts.append(await onboarding.run(plan, folder=Path(folder), progress=progress, report=report))
    return all(verdicts)


if __name__ == "__main__":
    typer.run(main)
