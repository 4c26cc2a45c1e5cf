"""The proofs of `make prove`, each a small one, on one fleet whose calls to AWS fail."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from bench.report import Report
from local.progress import Progress
from tests.resilience import duplicates, fault_matrix, five_percent, outages
from tests.resilience.fault_matrix import SETTINGS
from tests.resilience.ground import Ground, burning_ground
from tests.resilience.programs import Conditions

pytestmark = [pytest.mark.stack]

Proof = Callable[[Ground, Conditions], Awaitable[bool]]


@pytest_asyncio.fixture(scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    folder = tmp_path_factory.mktemp("fire")
    async with burning_ground(folder, progress=Progress(Console(file=io.StringIO())), settings=SETTINGS) as ground:
        yield ground


@pytest.mark.parametrize(
    "prove",
    [
        pytest.param(fault_matrix.prove, id="each call fails as declared"),
        pytest.param(five_percent.prove, id="faults in everything are ridden out"),
        pytest.param(duplicates.prove, id="duplicates have one effect while the API is killed"),
        pytest.param(outages.prove, id="an outage is told and everything goes on after it"),
    ],
)
async def test_it_holds(ground: Ground, tmp_path: Path, prove: Proof):
    printed = io.StringIO()
    console = Console(file=printed, width=160)
    conditions = Conditions(tmp_path, seed=1, small=True, report=Report(console), progress=Progress(console))
    assert await prove(ground, conditions), printed.getvalue()
