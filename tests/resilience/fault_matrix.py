"""Every call to AWS that an onboarding makes, failed in every way: each cell has a declared outcome, and whatever
happened, the account ends as it does when nothing happens. The calls are those of a run without faults, so a call
that nobody thought of is found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from bench.report import Report, Target
from tests.resilience.cells import Cell, Clean, Place, Rows, burn, clean_run, restart
from tests.resilience.declared import COLUMNS
from tests.resilience.declared_calls import DECLARED
from tests.resilience.faults import Call
from tests.resilience.ground import Ground, burning_ground
from tests.resilience.programs import Conditions

SETTINGS = {"ONBOARDING_LATE_WRITE_SECONDS": "1"}


async def run(conditions: Conditions) -> bool:
    async with burning_ground(conditions.folder, progress=conditions.progress, settings=SETTINGS) as ground:
        return await prove(ground, conditions)


async def prove(ground: Ground, conditions: Conditions) -> bool:
    report, cells, missing = conditions.report, list[Cell](), list[str]()
    for journey, rows in DECLARED.items():
        clean = await _clean(ground, journey)
        missing += _missing(rows, clean)
        places = _places(journey, rows, clean=clean, conditions=conditions)
        with conditions.progress.step(f"{journey}: {len(places)} faults"):
            burnt = [await _surely(ground, place, clean=clean, report=report) for place in places]
        _show(report, journey, burnt, calls=len(rows))
        cells += burnt
    broken = await ground.broken()
    report.heading("All journeys")
    _sum_up(report, cells)
    for what in (*missing, *broken):
        report.say(f"[red]{what}[/red]")
    return report.judge(
        [
            Target("cells with another outcome than the declared one", sum(not c.right for c in cells), at_most=0),
            Target("calls without a row, rows without a call", len(missing), at_most=0),
            Target("lost, doubled or orphaned", len(broken), at_most=0),
        ],
        counts=True,
    )


async def _surely(ground: Ground, place: Place, *, clean: Clean, report: Report) -> Cell:
    """Once more where the machine may have been too slow. What is not as declared is told at once: the other cells
    take minutes."""
    where = f"{place.call}, {place.column.title}"
    cell = await burn(ground, place, clean=clean)
    if cell.may_be_slowness:
        report.say(f"{where}: {cell.found}; the machine may be too slow, so it is tried once more.")
        cell = await burn(ground, place, clean=clean)
    if not cell.right:
        report.say(f"[red]{where}: declared {cell.declared}, found {cell.found}[/red]")
    return cell


async def _clean(ground: Ground, journey: str) -> Clean:
    """From fresh processes where the journey makes the calls of a process's first onboarding."""
    for program in sorted({row.program for row in DECLARED[journey].values() if row.cold}):
        await restart(ground, program)
    return await clean_run(ground, journey)


def _missing(rows: Rows, clean: Clean) -> list[str]:
    unmade = [call for call in rows if call not in clean.calls]
    unknown = sorted(clean.calls - rows.keys())
    return [f"A call without a row: {call}" for call in unknown] + [f"A row without a call: {call}" for call in unmade]


def _places(journey: str, rows: Rows, *, clean: Clean, conditions: Conditions) -> list[Place]:
    """Every cell that is under fire in a journey; in a small proof one of them, by the seed."""
    places = [
        Place(journey, call, column, row, fresh=_is_counted_from_the_start(call, rows))
        for call, row in rows.items()
        for column in COLUMNS
        if row.outcome is not None and call in clean.calls and not (conditions.small and row.cold)
    ]
    chance = Random(f"{conditions.seed} {journey}")
    return chance.sample(places, 1) if conditions.small else places


def _is_counted_from_the_start(call: Call, rows: Rows) -> bool:
    """Whether one of the calls of this name is made once in the life of a process."""
    return any(row.cold and replace(other, number=call.number) == call for other, row in rows.items())


def _show(report: Report, journey: str, cells: Sequence[Cell], *, calls: int) -> None:
    """A line for each call."""
    found = {(cell.place.call, cell.place.column): cell for cell in cells}
    columns = [column for column in COLUMNS if any(cell.place.column == column for cell in cells)]
    lines = []
    for call, row in {cell.place.call: cell.place.row for cell in cells}.items():
        here = [found[call, column] for column in columns if (call, column) in found]
        outcomes = [cell.found if cell.right else "[red]WRONG[/red]" for cell in here]
        lines.append((f"{call}, {row.purpose}", *outcomes))
    report.heading(f"{journey}: {calls} calls, {len(lines)} of them under fire here, {len(cells)} cells")
    report.table(("", *(column.title for column in columns)), lines)


def _sum_up(report: Report, cells: Sequence[Cell]) -> None:
    """How many cells came out how, by what was done to them."""
    counts = Counter((cell.place.column, cell.found if cell.right else "undeclared") for cell in cells)
    outcomes = sorted({outcome for _, outcome in counts})
    columns = [column for column in COLUMNS if any(cell.place.column == column for cell in cells)]
    lines = [(outcome, *(str(counts[column, outcome]) for column in columns)) for outcome in outcomes]
    report.table((f"{len(cells)} cells", *(column.title for column in columns)), lines)
