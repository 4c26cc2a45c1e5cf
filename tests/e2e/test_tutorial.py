"""The tutorial is typed in as it is written, and the answers it shows are those it gets."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.conftest import ROOT, Run

TUTORIAL = (ROOT / "docs/tutorial/first-account.md").read_text()
MARK = "--- next block ---"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial is written for curl"),
]

# Ids, times and how long ago something was are those of one run.
OF_ONE_RUN = {
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "<id>",
    r"te-[0-9a-f]{32}": "<external id>",
    r"\d{4}-\d\d-\d\dT[0-9:.]+Z": "<time>",
    r"(now|\d+ \w+ ago)": "<moment>",
    r" +": " ",
}


class Exchange(NamedTuple):
    """What is typed, and what is shown of the answer; the kind says whether that is JSON."""

    typed: str
    kind: str
    answer: str


def exchanges() -> list[Exchange]:
    found = re.findall(
        r"^```sh\n(.*?)^```$(?:(?:(?!^```).)*?^```(json|)\n(.*?)^```$)?", TUTORIAL, re.DOTALL | re.MULTILINE
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


def patient(typed: str) -> str:
    """Temporal's list follows the workflows with a delay that a person does not notice."""
    return re.sub(
        r"^(\S+/temporal workflow list .*)$", r"until \1 | grep -q Completed; do :; done\n\1", typed, flags=re.MULTILINE
    )


@pytest.fixture(scope="module")
def outputs(served: Run) -> list[str]:
    """What each block printed."""
    script = f"\necho '{MARK}'\n".join(patient(exchange.typed) for exchange in exchanges())
    script = script.replace(".local/", f"{served.folder}/").replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    environment = {"PATH": os.environ["PATH"], "HOME": str(served.folder)}
    done = subprocess.run(
        ["bash", "-eu", "-c", script],  # noqa: S607
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"{MARK}\n")


@pytest.mark.parametrize("number", range(len(exchanges())))
def test_a_block_of_the_tutorial_answers_what_it_says(number: int, outputs: list[str]):
    exchange, output = exchanges()[number], outputs[number]
    if exchange.kind == "json":
        assert is_shown(json.loads(general(exchange.answer)), json.loads(general(output))), output
    else:
        assert general(exchange.answer) in general(output)


def test_the_tutorial_ends_with_an_active_account():
    answers = [exchange.answer for exchange in exchanges()]
    assert sum('"status": "active"' in answer and '"success": true' in answer for answer in answers) == 1
