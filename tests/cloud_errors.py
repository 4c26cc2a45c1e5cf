"""docs/reference/cloud-errors.md, made from the tables that decide: `python -m tests.cloud_errors` writes it anew."""

import ast
import importlib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from types import ModuleType

from providers.error_rules import Row
from tests.pages import ROOT

EXTERNAL_IDS = ROOT / "providers/external_ids.py"
PAGE = ROOT / "docs/reference/cloud-errors.md"
CLOUDS = {
    "azure": "Azure",
    "gcp": "Google Cloud",
    "alicloud": "AliCloud",
    "oci": "Oracle Cloud Infrastructure",
    "ibm": "IBM Cloud",
}
STEP_MAKERS = ("failed", "warned")
INTRODUCTION = """\
# What the clouds answer, and what it means

Made from the tables in `providers/*/errors.py`, which decide. A row is chosen by HTTP status and the cloud's own
code, never by a message; the first one that fits counts. Whatever fits no row is looked at by its status: 429 is
`throttled`, 500 and more, and what is not the cloud's own answer, is `unavailable`, and the rest is
`platform_config`: an answer that nobody knows is never the customer's fault.

`throttled` and `unavailable` are tried again, after the time that the cloud asks for. `clock_skew` (our clock) and
`platform_config` (our TLS, proxy, name server or identity) are tried again too, and operators are told
([alerts](../how-to/watch-it.md)). Every other meaning is the code of a step that failed. Those of AWS are
in [errors](errors.md#steps-of-a-validation).
"""


def page() -> str:
    return "\n".join([INTRODUCTION, *(line for cloud, name in CLOUDS.items() for line in _chapter(cloud, name))])


def codes() -> set[str]:
    """Every code of a step that the page explains."""
    return {code for cloud in CLOUDS for code, *_ in (*_reasons(cloud), *_findings(cloud))}


def _chapter(cloud: str, name: str) -> Iterator[str]:
    yield f"## {name}\n"
    for title, table in _tables(_failures(cloud)):
        yield from _lines(title, ("Status", "Code", "Meaning"), list(_rows(table)))
    reasons = [(f"`{code}`", message, remedy) for code, message, remedy in _reasons(cloud)]
    yield from _lines("What a refused call comes to", ("Code of the step", "It says", "And advises"), reasons)
    findings = [(f"`{code}`", f"`{step}`") for code, step in sorted(set(_findings(cloud)))]
    yield from _lines("What else a step can find", ("Code", "Step"), findings)


def _lines(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"### {title}\n"
    yield from (f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows))
    yield ""


def _rows(table: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
    """The statuses of one code and meaning in one line."""
    for (code, meaning, timed), rows in groupby(table, lambda row: (row.code, row.meaning, row.timed)):
        says = f"`{meaning}`" + (", or `clock_skew` when our clock is wrong" if timed else "")
        yield ", ".join(str(row.status or "any") for row in rows), f"`{code}`" if code else "any", says


def _failures(cloud: str) -> ModuleType:
    return importlib.import_module(f"providers.{cloud}.errors")


def _tables(module: ModuleType) -> Iterator[tuple[str, Sequence[Row]]]:
    """The main one last: the others are for one kind of call, which their names tell."""
    for name in sorted((name for name in vars(module) if name.endswith("TABLE")), reverse=True):
        of = name.removesuffix("TABLE").strip("_").lower()
        yield (f"Answers, {of} calls" if of else "Answers"), getattr(module, name)


def _reasons(cloud: str) -> Iterator[tuple[str, str, str]]:
    sentences: dict[StrEnum, tuple[str, str]] = _failures(cloud).SENTENCES
    yield from ((reason.value, *sentences[reason]) for reason in sentences)


def _findings(cloud: str) -> Iterator[tuple[str, str]]:
    """Codes that stand in a step itself, also in the steps that clouds with external ids share."""
    own = sorted(Path(ROOT, "providers", cloud).glob("*.py"))
    shared = [EXTERNAL_IDS] if any("providers.external_ids" in path.read_text() for path in own) else []
    for path in (*own, *shared):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name(id=maker), args=[ast.Constant(value=str(step)), ast.Constant(value=str(code))]
                ) if maker in STEP_MAKERS:
                    yield code, step


if __name__ == "__main__":
    PAGE.write_text(page())
