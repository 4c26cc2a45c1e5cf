"""`python -m tests.resilience`, which is `make prove`: what the system keeps to while it is killed and its clouds fail.
The exit status is 1 when an invariant is broken."""

import asyncio
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer
from rich.console import Console

from bench.report import PLAIN_WIDTH, Report
from emulators.failures import StackFailed
from local.__main__ import cancel_on_signals
from local.progress import Progress
from temporal.program import run_program
from tests.resilience import duplicates, fault_matrix, five_percent, kill_matrix, outages, random_kills
from tests.resilience.programs import Conditions, Program

PROGRAMS: Mapping[str, Program] = {
    "kill-matrix": kill_matrix.run,
    "random-kills": random_kills.run,
    "fault-matrix": fault_matrix.run,
    "five-percent": five_percent.run,
    "duplicates": duplicates.run,
    "outages": outages.run,
}


def main(
    programs: Annotated[list[str] | None, typer.Argument(help="Which; all by default.", metavar="PROGRAM")] = None,
    seed: Annotated[int, typer.Option(help="Decides what is random.")] = 1,
    small: Annotated[bool, typer.Option("--small", help="A few cases of each, within seconds.")] = False,
) -> None:
    """Set fire to it, and say whether every invariant held."""
    names = programs or list(PROGRAMS)
    if unknown := sorted(set(names) - PROGRAMS.keys()):
        raise typer.BadParameter(f"There is no {', '.join(unknown)}; there are {', '.join(PROGRAMS)}.")
    held = False
    try:
        held = run_program(interruptible({name: PROGRAMS[name] for name in names}, seed=seed, small=small))
    except* StackFailed as failures:
        print(*failures.exceptions, sep="\n", file=sys.stderr)
    except* asyncio.CancelledError:
        print("Interrupted; everything that was started is stopped.", file=sys.stderr)
    raise typer.Exit(0 if held else 1)


async def interruptible(programs: Mapping[str, Program], *, seed: int, small: bool) -> bool:
    cancel_on_signals()
    return await run(programs, seed=seed, small=small)


async def run(programs: Mapping[str, Program], *, seed: int, small: bool) -> bool:
    """Whether every invariant held. What a program leaves behind is kept when one did not."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    report, progress, held = Report(console), Progress(console), dict[str, bool]()
    report.machine()
    for name, program in programs.items():
        report.heading(f"{name}, seed {seed}")
        folder = Path(mkdtemp(prefix=f"fire-{name}-"))
        held[name] = await program(Conditions(folder, seed, small, report, progress))
        if held[name]:
            shutil.rmtree(folder)
        else:
            report.say(f"Logs and the server's database are kept in {folder}.")
    report.heading("Invariants")
    report.table(("", ""), [(name, "[green]held[/green]" if held[name] else "[red]BROKEN[/red]") for name in programs])
    return all(held.values())


if __name__ == "__main__":
    typer.run(main)
