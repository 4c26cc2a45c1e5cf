"""Every page of the documentation: what it points at is there, its commands can be typed, and it is on the map."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli
from tests.pages import DOCS, PAGES, ROOT, blocks, commands, ticked

DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
COMMANDS = set(commands(cli.app))
GENERATED = (".local/", ".venv/", "build/")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def dead_links(text: str, folder: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)):
        path, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        found = folder / path
        headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE) if anchor and found.is_file() else []
        if not found.exists() or (anchor and anchor not in map(slug, headings)):
            yield target


def missing_targets(text: str) -> Iterator[str]:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)
    yield from (f"make {name}" for name in named if name not in targets)


def missing_commands(text: str) -> Iterator[str]:
    known = COMMANDS | {command.split()[0] for command in COMMANDS}
    named = re.findall(r"python cli\.py ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", text)
    yield from (f"cli.py {name}" for name in named if not {name, name.split()[0]} & known)


def missing_paths(text: str) -> Iterator[str]:
    """Of names in back-ticks: with a slash and the first part a folder of ours, or with the ending of a file."""
    for name in ticked(text):
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", name) or name.startswith(GENERATED):
            continue
        ours = "/" in name and (ROOT / name.split("/")[0]).is_dir()
        file = re.search(r"\.(py|md|toml|txt)$", name)
        anywhere = file and "/" not in name and any(p for p in ROOT.rglob(name) if ".venv" not in p.parts)
        if (ours or file) and not (ROOT / name).exists() and not anywhere:
            yield name


def findings(text: str, folder: Path) -> list[str]:
    return [*dead_links(text, folder), *missing_targets(text), *missing_commands(text), *missing_paths(text)]


@each_page
def test_a_page_points_at_nothing_that_is_not_there(page: Path):
    assert findings(page.read_text(), page.parent) == []


def test_a_page_that_points_at_nothing_is_found():
    text = "[a](gone.md) [b](README.md#gone) `make gone` `python cli.py gone` `domain/gone.py` `gone.py` `README.md`"
    expected = ["gone.md", "README.md#gone", "make gone", "cli.py gone", "domain/gone.py", "gone.py"]
    assert findings(text, ROOT) == expected


@each_page
def test_shell_blocks_are_well_formed(page: Path):
    for block in blocks(page.read_text(), "sh"):
        checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)  # noqa: S607
        assert checked.returncode == 0, checked.stderr


def test_every_page_is_on_the_map():
    linked = re.findall(r"\]\(([^)#\s]+)", (ROOT / "docs/index.md").read_text())
    assert {(ROOT / "docs" / path).resolve() for path in linked} >= {page for page in DOCS if page.name != "index.md"}


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_short_and_has_its_five_parts(page: Path):
    text = page.read_text()
    parts = ["Context", "Decision", "Consequences", "Alternatives", "References"]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == parts
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert len(text.splitlines()) <= 60
