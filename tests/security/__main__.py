"""`python -m tests.security`, which is `make security`: what was promised about attackers, counted. The exit status is
1 when a target is missed or could not be measured."""

import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

import tests.security.mutants.program as mutants
from bench.report import PLAIN_WIDTH, Report, Target
from emulators.failures import StackFailed
from temporal.program import run_program
from tests.security import (
    confused_deputy,
    cross_tenant,
    dependencies,
    forged_tokens,
    heavy_keys,
    hostile_bodies,
    idempotency,
    noisy_neighbour,
    random_keys,
    schemas,
    secret_scan,
)

Program = Callable[..., Awaitable[Sequence[Target]]]
"""Called with `quick`; prints what it finds and returns its figures."""

PROGRAMS: Mapping[str, Program] = {
    "hostile-bodies": hostile_bodies.run,
    "schemas": schemas.run,
    "cross-tenant": cross_tenant.run,
    "forged-tokens": forged_tokens.run,
    "random-keys": random_keys.run,
    "confused-deputy": confused_deputy.run,
    "idempotency": idempotency.run,
    "noisy-neighbour": noisy_neighbour.run,
    "heavy-keys": heavy_keys.run,
    "secret-scan": secret_scan.run,
    "dependencies": dependencies.run,
    "mutants": mutants.run,
}

ONLY_BY_NAME = frozenset({"mutants"})
"""They attack the tests and not the API, and take long."""
BY_DEFAULT = f"All but {', '.join(ONLY_BY_NAME)} by default: {', '.join(PROGRAMS)}."

NEEDS_THE_NETWORK = frozenset({"dependencies"})


def main(
    programs: Annotated[list[str] | None, typer.Argument(help=BY_DEFAULT)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer cases; the targets that count them are lower.")] = False,
    module: Annotated[list[str] | None, typer.Option("--module", help="Of mutants: this one only.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask for known vulnerabilities.")] = False,
) -> None:
    """Attack, and say what came of it."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    unknown = set(programs or ()) - set(PROGRAMS)
    if unknown:
        print(f"There is no such program; there are: {', '.join(PROGRAMS)}.", file=sys.stderr)
        raise typer.Exit(2)
    left_out = (NEEDS_THE_NETWORK if offline else frozenset()) | (frozenset() if programs else ONLY_BY_NAME)
    chosen = {name: PROGRAMS[name] for name in programs or PROGRAMS if name not in left_out}
    if module and "mutants" in chosen:
        chosen["mutants"] = partial(mutants.run, modules=module)
    met = run_program(run(chosen, quick=quick, report=Report(console)))
    if offline:
        print(f"Not checked, as asked: {', '.join(sorted(NEEDS_THE_NETWORK))}.")
    raise typer.Exit(0 if met else 1)


async def run(programs: Mapping[str, Program], *, quick: bool, report: Report) -> bool:
    """One after the other, then one table."""
    report.machine()
    figures: list[Target] = []
    failed: list[str] = []
    for name, program in programs.items():
        report.heading(name)
        began = time.monotonic()
        try:
            figures += await program(quick=quick)
        except StackFailed as failure:
            failed.append(name)
            report.say(str(failure))
        report.say(f"{time.monotonic() - began:.0f} s")
    met = report.judge(figures, counts=True)
    for name in failed:
        report.say(f"[red]NOT MEASURED[/red] {name}")
    return met and not failed


if __name__ == "__main__":
    typer.run(main)
