"""How a command shows what it found: a table for people, JSON for machines (`-o json`)."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from stores.reading import watching_unreadable_rows

MAX_NAMED = 10

Row = Mapping[str, Any]


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


Output = Annotated[
    Format, typer.Option("-o", "--output", case_sensitive=False, help="A table for people, or JSON for machines.")
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many to show at most.")]


def show_list(rows: Iterable[Row], output: Format, *, columns: Sequence[str], thing: str, limit: int) -> None:
    """Print at most `limit` rows, and say on one line when there are none or more. `thing` is their plural."""
    shown: list[Row] = []
    more, left_out = False, set[str]()
    with watching_unreadable_rows(lambda table, key: left_out.add(f"{table} {key}")):
        for row in rows:
            if more := len(shown) == limit:
                break
            shown.append(row)
    if left_out:
        was = "was" if len(left_out) == 1 else "were"
        named = ", ".join(sorted(left_out)[:MAX_NAMED])
        print(
            f"{count(len(left_out), 'row')} cannot be read and {was} left out: {named}. See `doctor`.", file=sys.stderr
        )
    if output is Format.JSON:
        print(json.dumps(shown, indent=1))
    if more:
        # Not among what a machine reads, and not lost for who watches it.
        print(f"These are the first {limit}, and there are more {thing}; ask for them with --limit.", file=sys.stderr)
    if output is Format.JSON:
        return
    if not shown:
        print(f"There are no {thing}.")
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in shown:
        table.add_row(*(_text(row.get(column)) for column in columns))
    # No cell is cut and no id is wrapped where the output is not a terminal: grep reads it then.
    console = Console(width=None if sys.stdout.isatty() else 400, highlight=False, markup=False)
    console.print(table)


def show_one(row: Row, output: Format) -> None:
    """Print everything that is known of one thing."""
    if output is Format.JSON:
        print(json.dumps(row, indent=1))
        return
    width = max(len(name) for name in row)
    for name, value in row.items():
        print(f"{name:{width}}  {_text(value)}")


def public(thing: Any, *hidden: str) -> dict[str, Any]:
    """Return a dataclass as plain values, without the fields that are named."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(thing), default=str))
    return {name: value for name, value in found.items() if name not in hidden}


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 tenant`, `2 tenants`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def _text(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
