"""Child processes: they start, say when they are ready, and are gone at the end whatever happened."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from emulators.failures import StackFailed
from emulators.processes import Child, running
from tests.patience import PATIENCE_SECONDS

Start = Callable[[str], AbstractContextManager[Child]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a child that runs a piece of Python."""

    def start(program: str) -> AbstractContextManager[Child]:
        return running("The part", [sys.executable, "-c", program], log=tmp_path / "part.log", environment={})

    return start


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether the process is there and no mere zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def wrote(child: Child, text: str) -> Callable[[], bool]:
    return lambda: text in child.log.read_text()


def test_what_a_child_prints_is_in_its_log(start: Start):
    with start("import sys; print('out', flush=True); print('err', file=sys.stderr, flush=True); input()") as child:
        child.wait_until(lambda: child.process.poll() is not None)
    assert child.log.read_text().splitlines()[:2] == ["out", "err"]


def test_a_child_is_gone_after_the_block(start: Start):
    with start("import time; time.sleep(60)") as child:
        assert is_running(child.pid)
    assert not is_running(child.pid)


def test_a_child_is_gone_after_an_error_in_the_block(start: Start):
    with pytest.raises(ZeroDivisionError), start("import time; time.sleep(60)") as child:
        1 / 0  # noqa: B018
    assert not is_running(child.pid)


def test_a_child_that_ignores_sigterm_is_killed(start: Start):
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    with start(program) as child:
        wait_for(wrote(child, "deaf"))
        child.stop(patience=0.1)
    assert child.process.returncode == -9


def test_a_childs_own_children_go_with_it(start: Start):
    program = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); sys.exit()"
    with start(program) as child:
        wait_for(lambda: child.process.poll() == 0)
        grandchild = int(child.log.read_text())
        assert is_running(grandchild)
    wait_for(lambda: not is_running(grandchild))


def test_a_child_that_ends_before_it_is_ready_is_named_with_its_last_words(start: Start):
    last_words = r"(?s)The part ended with exit code 1; .*part\.log ends:.*no such table"
    with start("import sys; sys.exit('no such table')") as child, pytest.raises(StackFailed, match=last_words):
        child.wait_until(lambda: False)


def test_a_child_that_was_killed_is_named_with_the_signal(start: Start):
    with start("import time; time.sleep(60)") as child:
        os.kill(child.pid, 9)
        wait_for(lambda: child.process.poll() is not None)
        with pytest.raises(StackFailed, match=r"The part was killed by SIGKILL; .* is empty"):
            child.check()


def test_a_child_that_takes_too_long_is_named(start: Start):
    late = "The part was not ready after 0 s"
    with start("import time; time.sleep(60)") as child, pytest.raises(StackFailed, match=late):
        child.wait_until(lambda: False, patience=0.05)


@pytest.fixture
def developers_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")


@pytest.mark.usefixtures("developers_aws")
def test_a_child_sees_nothing_of_the_developers_configuration(start: Start):
    with start("import os; print(os.environ.get('AWS_PROFILE', 'nothing'), 'PATH' in os.environ)") as child:
        wait_for(lambda: child.process.poll() == 0)
    assert child.log.read_text() == "nothing True\n"
