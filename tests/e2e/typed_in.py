"""Pages whose commands are typed in as they are written: their blocks, and whether an answer is as it is shown."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.e2e.conftest import ROOT, Run

# Ids, times and how long ago something was are those of one run.
OF_ONE_RUN = {
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "<id>",
    r"te-[0-9a-f]{32}": "<external id>",
    r"ThreatEngineReadOnly-[0-9a-f]{8}": "<role>",
    r"127\.0\.0\.1:\d+": "<address>",
    r"\d{4}-\d\d-\d\dT[0-9:.]+Z": "<time>",
    r"(\d+ \w+ from now|\bnow\b|\d+ \w+ ago)": "<moment>",
    r"attempt \d+": "attempt <number>",
    r" +": " ",
}


class Exchange(NamedTuple):
    """What is typed, and what is shown of the answer; the kind says whether that is JSON."""

    typed: str
    kind: str
    answer: str


def exchanges(page: str) -> list[Exchange]:
    found = re.findall(
        r"^```sh\n(.*?)^```$(?:(?:(?!^```|^#).)*?^```(json|)\n(.*?)^```$)?", page, re.DOTALL | re.MULTILINE
    )
    return [Exchange(*parts) for parts in found]


def general(text: str) -> str:
    for particular, word in OF_ONE_RUN.items():
        text = re.sub(particular, word, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def is_shown(documented: object, real: object) -> bool:
    """Whether a part of an answer is documented as it is. A list may be shortened."""
    if isinstance(documented, dict) and isinstance(real, dict):
        return documented.keys() == real.keys() and all(is_shown(documented[name], real[name]) for name in real)
    if isinstance(documented, list) and isinstance(real, list):
        return bool(documented) == bool(real) and all(any(is_shown(d, r) for r in real) for d in documented)
    return documented == real


def type_in(script: str, served: Run, *, seconds: float, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a page in the project's folder, with the folder of the stack and the programs that are here."""
    programs = Path(sys.executable).parent
    script = script.replace(".local/", f"{served.folder}/").replace(".venv/bin/", f"{programs}/")
    environment: Mapping[str, str] = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(served.folder),
        **variables,
    }
    return subprocess.run(
        ["bash", "-eu", "-c", script],  # noqa: S607
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
