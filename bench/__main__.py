"""`python -m bench`, which is `make bench`: how fast it is, and what an onboarding costs. The exit status is 1 when a
target is missed."""

import asyncio
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from bench import api, demo, onboarding, one_account, schedules, signing, soak, validation
from bench.report import PLAIN_WIDTH, Report
from bench.testbed import Testbed, testbed
from emulators.failures import StackFailed
from local.__main__ import cancel_on_signals
from local.progress import Progress
from temporal.program import run_program


class Subject(StrEnum):
    DEMO = "demo"
    ONBOARDING = "onboarding"
    API = "api"
    SCHEDULES = "schedules"
    SIGNING = "signing"
    VALIDATION = "validation"
    COSTS = "costs"
    SOAK = "soak"


USUAL = tuple(subject for subject in Subject if subject is not Subject.SOAK)
"""The soak takes longer than the others together."""


def main(
    subjects: Annotated[
        list[Subject] | None, typer.Argument(help="What to measure; everything but the soak by default.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds, and nothing is judged.")] = False,
) -> None:
    """Measure, and say whether the targets are met."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    try:
        met = run_program(run(subjects or USUAL, quick=quick, console=console))
    except (StackFailed, asyncio.CancelledError) as failure:
        print(str(failure) or "Interrupted; everything that was started is stopped.", file=sys.stderr)
        met = False
    raise typer.Exit(0 if met else 1)


async def run(subjects: Sequence[Subject], *, quick: bool, console: Console) -> bool:
    """The demo first, which is a stack of its own."""
    cancel_on_signals()
    report, met = Report(console), True
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        if Subject.DEMO in subjects:
            met = await demo.run(demo.QUICK if quick else demo.FULL, folder=folder / "demo", report=report)
        if others := [subject for subject in subjects if subject is not Subject.DEMO]:
            async with testbed(folder, Progress(console)) as bed:
                met &= await measure_all(others, bed, quick=quick, report=report)
    return met


async def measure_all(subjects: Sequence[Subject], bed: Testbed, *, quick: bool, report: Report) -> bool:
    """The costs come last, because they replace the test bed's API and its worker."""
    wanted = sorted(subjects, key=lambda subject: subject is Subject.COSTS)
    return all([await measure(subject, bed, quick=quick, report=report) for subject in wanted])


async def measure(subject: Subject, bed: Testbed, *, quick: bool, report: Report) -> bool:
    match subject:
        case Subject.ONBOARDING:
            return await onboarding.run(bed, onboarding.QUICK if quick else onboarding.FULL, report=report)
        case Subject.API:
            return await api.run(bed, api.QUICK if quick else api.FULL, report=report)
        case Subject.SCHEDULES:
            plan = schedules.QUICK if quick else schedules.FULL
            return await schedules.run(plan, folder=bed.stack.folder / "schedules", report=report)
        case Subject.SIGNING:
            plan_of = signing.QUICK if quick else signing.FULL
            return await signing.run(plan_of, folder=bed.stack.folder / "signing", report=report)
        case Subject.VALIDATION:
            return await validation.run(bed, validation.QUICK if quick else validation.FULL, report=report)
        case Subject.SOAK:
            return await soak.run(bed, soak.QUICK if quick else soak.FULL, report=report)
        case Subject.COSTS:
            return await one_account.run(bed, report=report)
        case Subject.DEMO:
            raise ValueError("The demo has a stack of its own.")


if __name__ == "__main__":
    typer.run(main)
