"""Tests of the tests: each check of a module that security rests on is switched off, and a test must notice.

A mutant that survives is a hole in the tests, unless it is in `equivalents.toml` with the reason why nobody can tell it
from the module as it is.
"""

import asyncio
import json
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.report import Target
from emulators.failures import StackFailed
from tests.security.mutants.subjects import SUBJECTS, Subject

ROOT = Path(__file__).resolve().parents[3]
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
AT_ONCE = 2
NO_TESTS = 5  # how pytest says that it ran none
CRASHED = 70


@dataclass(frozen=True, order=True)
class Mutant:
    """Named by what is changed and not by its line, so that it keeps its name when the file around it changes."""

    subject: str
    where: str
    was: str
    becomes: str
    number: int = 1
    """Which of those that are alike otherwise."""

    def __str__(self) -> str:
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.subject}: {self.where}: {self.was} -> {self.becomes}{again}"


@dataclass(frozen=True)
class Tried:
    """What became of a subject's mutants."""

    killed: frozenset[Mutant]
    survived: frozenset[Mutant]


@dataclass(frozen=True)
class Score:
    """A subject's figures. `stale` are entries of the list that name no mutant, or one that a test notices."""

    killed: int
    equivalent: int
    holes: Sequence[Mutant]
    stale: Sequence[Mutant]

    @property
    def percent(self) -> float:
        counted = self.killed + len(self.holes)
        return 100 * self.killed / counted if counted else 100.0


def score(tried: Tried, listed: Iterable[Mutant]) -> Score:
    known = frozenset(listed)
    holes, stale = tried.survived - known, known - tried.survived
    return Score(len(tried.killed), len(tried.survived & known), sorted(holes), sorted(stale))


def equivalents(path: Path = EQUIVALENTS) -> Mapping[Mutant, str]:
    """The mutants that nobody can tell from the module, each with the reason. Raises StackFailed for one without."""
    listed = tomllib.loads(path.read_text()).get("equivalent", [])
    found = {Mutant(**{name: value for name, value in each.items() if name != "why"}): each["why"] for each in listed}
    if not all(reason.strip() for reason in found.values()):
        raise StackFailed("An equivalent mutant stands in the list without a reason.")
    return found


async def try_all(name: str, subject: Subject, *, root: Path = ROOT) -> Tried:
    """Try each mutant of a subject. Raises StackFailed when its tests fail without one."""
    with tempfile.TemporaryDirectory() as scratch:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.security.mutants.nursery"),
            cwd=root,
            # CI: Hypothesis then takes the same examples every time.
            env={"PATH": "/usr/bin:/bin", "CI": "1", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        asked = json.dumps({**asdict(subject), "scratch": scratch}).encode()
        said, _ = await process.communicate(asked)
    lines = [json.loads(line) for line in said.splitlines()]
    refused = next((line["refused"] for line in lines if "refused" in line), None)
    if refused or process.returncode != 0 or not lines:
        raise StackFailed(f"{name}: {refused or 'the process that tries the mutants ended early.'}")
    return _sorted(name, lines)


def _sorted(name: str, lines: Iterable[Mapping[str, object]]) -> Tried:
    numbers, killed, survived = Counter[tuple[str, ...]](), set[Mutant](), set[Mutant]()
    for line in lines:
        parts = (str(line["where"]), str(line["was"]), str(line["becomes"]))
        numbers[parts] += 1
        mutant = Mutant(name, *parts, number=numbers[parts])
        if line["status"] in (NO_TESTS, CRASHED):
            raise StackFailed(f"{mutant}: the tests could not be run.")
        (survived if line["status"] == 0 else killed).add(mutant)
    return Tried(frozenset(killed), frozenset(survived))


async def run(*, quick: bool, modules: Sequence[str] = (), say: Callable[[str], None] = print) -> Sequence[Target]:
    """Some modules, or all of them; `quick` takes the first one."""
    unknown = set(modules) - set(SUBJECTS)
    if unknown:
        raise StackFailed(f"There is no such module; there are: {', '.join(SUBJECTS)}.")
    chosen = list(modules) or list(SUBJECTS)[: 1 if quick else None]
    listed, gate = equivalents(), asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Score:
        async with gate:
            tried = await try_all(name, SUBJECTS[name])
        return score(tried, [mutant for mutant in listed if mutant.subject == name])

    scores = dict(zip(chosen, await asyncio.gather(*map(one, chosen)), strict=True))
    say(f"{'module':<16}{'mutants':>9}{'killed':>8}{'survived':>10}{'equivalent':>12}{'score':>9}")
    for name, found in scores.items():
        survived = len(found.holes) + found.equivalent
        figures = f"{found.killed + survived:>9}{found.killed:>8}{survived:>10}{found.equivalent:>12}"
        say(f"{name:<16}{figures}{found.percent:>8.1f}%")
    for found in scores.values():
        for mutant in found.holes:
            say(f"survived: {mutant}")
        for mutant in found.stale:
            say(f"listed as equivalent, and is none: {mutant}")
    holes = sum(len(found.holes) for found in scores.values())
    tried = holes + sum(found.killed + found.equivalent for found in scores.values())
    return (
        Target("mutants tried", tried, at_least=1),
        Target("of these survived, and not equivalent", holes, at_most=0),
        Target("listed as equivalent, and are none", sum(len(found.stale) for found in scores.values()), at_most=0),
    )
