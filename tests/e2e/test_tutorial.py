"""The tutorial is typed in as it is written, and the answers it shows are those it gets."""

import json
import re
import shutil

import pytest

from tests.e2e.conftest import ROOT, Run
from tests.e2e.typed_in import exchanges, general, is_shown, type_in

EXCHANGES = exchanges((ROOT / "docs/tutorial/first-account.md").read_text())
MARK = "--- next block ---"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial is written for curl"),
]


def patient(typed: str) -> str:
    """Temporal's list follows the workflows with a delay that a person does not notice."""
    return re.sub(
        r"^(\S+/temporal workflow list .*)$", r"until \1 | grep -q Completed; do :; done\n\1", typed, flags=re.MULTILINE
    )


@pytest.fixture(scope="module")
def outputs(served: Run) -> list[str]:
    """What each block printed."""
    script = f"\necho '{MARK}'\n".join(patient(exchange.typed) for exchange in EXCHANGES)
    done = type_in(script, served, seconds=50)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"{MARK}\n")


@pytest.mark.parametrize("number", range(len(EXCHANGES)))
def test_a_block_of_the_tutorial_answers_what_it_says(number: int, outputs: list[str]):
    exchange, output = EXCHANGES[number], outputs[number]
    if exchange.kind == "json":
        assert is_shown(json.loads(general(exchange.answer)), json.loads(general(output))), output
    else:
        assert general(exchange.answer) in general(output)


def test_the_tutorial_ends_with_an_active_account():
    answers = [exchange.answer for exchange in EXCHANGES]
    assert sum('"status": "active"' in answer and '"success": true' in answer for answer in answers) == 1
