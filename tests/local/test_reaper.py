"""What a process started ends with it, also when it is killed and can do nothing itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulators.processes import Child, running
from tests.local.test_processes import is_running, wait_for
from tests.pages import ROOT

# One part that has a child of its own and ends when it is asked to, and one that is deaf to that.
PARENT = """
import os, sys, time
from pathlib import Path
from emulators.processes import running
from emulators.reaper import _REAPER

folder = Path(sys.argv[1])
POLITE = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"

def said(child):
    child.wait_until(lambda: child.log.read_text().endswith("\\n"))
    return child.log.read_text()

with running("One", [sys.executable, "-c", POLITE], log=folder / "one", environment={}) as one:
    grandchild = int(said(one))
    if sys.argv[2] == "again":
        _REAPER._process.kill()
        _REAPER._process.wait()
    with running("Two", [sys.executable, "-c", DEAF], log=folder / "two", environment={}) as two:
        said(two)
        print(one.pid, grandchild, two.pid, flush=True)
        time.sleep(600)
"""


@contextmanager
def parent(folder: Path, how: str) -> Iterator[tuple[Child, list[int]]]:
    """A process with two children, and the pids of these and of a grandchild."""
    command = [sys.executable, "-c", PARENT, str(folder), how]
    with running("The parent", command, log=folder / "parent", environment={}, cwd=ROOT) as child:
        child.wait_until(lambda: child.log.read_text().endswith("\n"))
        pids = [int(word) for word in child.log.read_text().split()]
        assert all(map(is_running, pids))
        try:
            yield child, pids
        finally:
            for pid in filter(is_running, pids):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", ["once", "again"])
def test_children_and_theirs_end_with_a_parent_that_is_killed_also_when_the_reaper_was_killed_before(
    tmp_path: Path, how: str
):
    with parent(tmp_path, how) as (child, pids):
        os.kill(child.pid, signal.SIGKILL)
        wait_for(lambda: not any(map(is_running, pids)))


def test_a_program_that_ends_by_itself_is_not_held_up_and_leaves_no_reaper(tmp_path: Path):
    program = """
import sys
from pathlib import Path
from emulators.processes import running
from emulators.reaper import _REAPER

with running("It", ["sleep", "600"], log=Path(sys.argv[1]), environment={}):
    print(_REAPER._process.pid)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not is_running(int(said))
