"""A process that dies is started again, a few times, and what is said tells so."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from emulators.failures import StackFailed
from emulators.processes import Child, running
from local.kept import MAX_RESTARTS, Kept
from tests.local.test_processes import is_running
from tests.rig import eventually

LIVES = "import os, time; print('up', os.getpid(), flush=True); time.sleep(600)"
DIES = "raise SystemExit('no such table')"

Keep = Callable[[str], Kept]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    def keep(program: str) -> Kept:
        command = [sys.executable, "-c", program]
        start = partial(running, "The part", command, log=tmp_path / "part.log", environment={})
        return Kept("part", start, is_up, first_pause=0.01)

    return keep


def is_up(child: Child) -> bool:
    return b"up" in child.said()


async def test_what_is_killed_is_started_again_and_told(keep: Keep):
    said, restarted = list[str](), list[str]()

    async def is_up_again() -> bool:
        return bool(restarted)

    with keep(LIVES) as kept:
        await kept.until_ready()
        first = kept.child
        keeping = asyncio.create_task(kept.keep(said.append, lambda: restarted.append("part")))
        os.kill(first.pid, signal.SIGKILL)
        await eventually(is_up_again)
        second = kept.child
        assert (is_running(first.pid), is_running(second.pid)) == (False, True)
        assert second.said() == f"up {second.pid}\n".encode()
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
    assert not is_running(second.pid)
    assert said[0] == f"The part was killed by SIGKILL. It is started again in 0.01 s (1 of {MAX_RESTARTS} times)."
    assert re.fullmatch(rf"The part is up again after [0-9.]+ s, as process {second.pid}\. .*", said[1])


async def test_what_dies_again_and_again_is_given_up_with_its_last_words(keep: Keep):
    said = list[str]()
    with keep(DIES) as kept, pytest.raises(StackFailed) as failure:
        await kept.keep(said.append, lambda: None)
    assert len(said) == MAX_RESTARTS
    assert "The part ended with exit code 1" in str(failure.value)
    assert "no such table" in str(failure.value)
    assert str(failure.value).endswith("It was started again 5 times before.")
