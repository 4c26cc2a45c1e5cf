"""A part dies at once and for certain, and lives again under the same name."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulators.failures import StackFailed
from emulators.processes import running
from tests.resilience.mortal import Life, Mortal

# It does not heed a request to end, as a process that hangs.
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@contextmanager
def stubborn(log: Path) -> Iterator[Life]:
    with running("It", [sys.executable, "-c", STUBBORN], log=log, environment={}) as child:
        yield Life(child, lambda: log.read_text() == "up\n")


@contextmanager
def stillborn(log: Path) -> Iterator[Life]:
    with running("It", [sys.executable, "-c", "raise SystemExit(3)"], log=log, environment={}) as child:
        yield Life(child, lambda: False)


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[Mortal]:
    mortal = Mortal("it", tmp_path, stubborn)
    yield mortal
    if mortal.alive:
        await mortal.kill()


async def test_it_is_ready_when_it_is_started(mortal: Mortal):
    assert not mortal.alive
    await mortal.start()
    assert mortal.alive


async def test_it_dies_whatever_it_does_with_signals(mortal: Mortal):
    await mortal.start()
    await mortal.kill()
    assert not mortal.alive


async def test_each_life_has_another_process_and_a_log_of_its_own(mortal: Mortal, tmp_path: Path):
    pids = set()
    for _ in range(2):
        await mortal.start()
        pids.add(mortal.pid)
        await mortal.kill()
    logs = [tmp_path / "it-1.log", tmp_path / "it-2.log"]
    assert [log.read_text() for log in logs] == ["up\n", "up\n"]
    assert (len(pids), mortal.lives) == (2, 2)


async def test_killing_the_dead_changes_nothing(mortal: Mortal):
    await mortal.start()
    await mortal.kill()
    await mortal.kill()
    assert not mortal.alive


async def test_one_that_dies_on_the_way_up_is_told(tmp_path: Path):
    with pytest.raises(StackFailed, match="ended with exit code 3"):
        await Mortal("it", tmp_path, stillborn).start()


async def test_one_that_never_lived_can_be_stopped(tmp_path: Path):
    await Mortal("it", tmp_path, stubborn).stop()
