"""`make run` as a person runs it: a process, its output, and the processes below it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from emulators.ports import USUAL_PORTS, free_port
from emulators.reaper import ending_with_us

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300
STOP_SECONDS = 120
"""For a run that hangs: it is waited for what is awaited, however slow the machine is meanwhile."""

ORIGIN = "http://localhost:3000"
PATIENT = {"VALIDATE_WAIT_SECONDS": "60"}
"""A verdict that a slow machine makes late is waited for."""


class Run:
    """One `python -m local` under way."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, output: Path) -> None:
        self.process = process
        self.folder = folder
        self.seen: dict[str, int] = {}
        self._output = output

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def env_file(self) -> Path:
        return self.folder / "stack.env"

    def environment(self) -> dict[str, str]:
        lines = self.env_file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def parts(self) -> dict[str, int]:
        """The pid of each part so far: temporal, ministack, worker.py, main.py. One that was started again is the new
        one."""
        commands = {
            child: Path(f"/proc/{child}/cmdline").read_text().split("\0") for child in children_of(self.process.pid)
        }
        known = ("temporal", "ministack", "worker.py", "main.py")
        self.seen |= {
            name: pid
            for pid, words in commands.items()
            for name in known
            if name in {Path(word).name for word in words[:3]}
        }
        return dict(self.seen)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def serving(self) -> "Run":
        self.wait_until(lambda: "Press Ctrl-C" in self.output or self.process.poll() is not None)
        assert self.process.poll() is None, self.output
        return self

    def end(self, *signals: signal.Signals) -> int:
        """The exit code after these signals, a moment apart, or after none."""
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.1)
        return self.process.wait(STOP_SECONDS)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pids: dict[str, int]) -> set[str]:
    """Which of them still run; a zombie does not."""

    def runs(pid: int) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        return False

    return {name for name, pid in pids.items() if runs(pid)}


@contextmanager
def launched(folder: Path, *arguments: str, **environment: str) -> Iterator[Run]:
    """The process is started, on ports that nobody else uses, and ended with everything below it when the test is
    over, or is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output.txt"
    command = [sys.executable, "-m", "local", "--folder", str(folder / ".local"), *arguments]
    ports = {variable: str(free_port()) for variable in USUAL_PORTS}
    with output.open("w") as writing:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ports, **environment},
            stdout=writing,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
    run = Run(process, folder / ".local", output)
    with ending_with_us(process.pid):
        try:
            yield run
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(STOP_SECONDS)
            for name in alive(run.seen):
                os.kill(run.seen[name], signal.SIGKILL)


@pytest.fixture
def launch(tmp_path: Path) -> Callable[..., object]:
    return lambda *arguments, **environment: launched(tmp_path, *arguments, **environment)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A stack that serves, for the tests that only look at it. SIGTERM is what stops it, and everything with it."""
    with launched(tmp_path_factory.mktemp("served"), CORS_ORIGINS=ORIGIN, **PATIENT) as run:
        yield run.serving()
        parts = run.parts()
        assert run.end(signal.SIGTERM) == 0, run.output
        assert alive(parts) == set()
        assert not run.env_file.exists()
