"""The documentation as the tests read it: pages, sections, tables, names in back-ticks."""

import re
from collections.abc import Iterator
from pathlib import Path

from typer import Typer

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*DOCS, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]


def reference(name: str) -> str:
    return (ROOT / "docs/reference" / f"{name}.md").read_text()


def source(*patterns: str) -> str:
    """The code of all files that match."""
    return "\n".join(path.read_text() for pattern in patterns for path in sorted(ROOT.glob(pattern)))


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or a higher one."""
    level = heading.split(" ")[0]
    _, _, after = page.partition(f"{heading}\n")
    assert after, heading
    return re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, without their headings."""
    tables = re.findall(r"^\|[-|]+\|\n((?:\|.*\|\n?)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table.splitlines()]


def first_column(text: str) -> list[str]:
    """The names in back-ticks of the first column."""
    return [name for row in rows(text) for name in ticked(row[0])]


def commands(app: Typer, prefix: str = "") -> Iterator[str]:
    """Every command of a command line, with its group."""
    for command in app.registered_commands:
        yield f"{prefix}{command.name or getattr(command.callback, '__name__', '')}"
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{prefix}{group.name} ")
