"""Child processes of the embedded stack: each with a log file, a readiness check and a certain end.

A child leads its own process group, so that Ctrl-C in the terminal reaches this process only, which then
stops the parts in order; the group is also what is signalled at the end, so that a child's own children go
too. When this process is killed, the reaper ends the group.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from emulators.failures import StackFailed
from emulators.reaper import ending_with_us

START_PATIENCE_SECONDS = 180.0
"""A child that ends is told at once. This bound is for one that hangs, on a machine that has much else to do."""
STOP_PATIENCE_SECONDS = 12.0
POLL_SECONDS = 0.02
LAST_LINES = 12

# A child sees what it needs to run and nothing of the developer's own AWS or Temporal configuration.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE")

# Without a limit glibc keeps freed memory in a heap for each of several threads; this is some 50 MB of the stack.
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}


@dataclass(frozen=True)
class Child:
    """A running child process."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]
    log_begins_at: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until(self, ready: Callable[[], bool], *, patience: float = START_PATIENCE_SECONDS) -> None:
        """Return when `ready` says so. Raises StackFailed when the child ends first or takes too long."""
        deadline = time.monotonic() + patience
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise StackFailed(self.describe(f"was not ready after {patience:.0f} s"))
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raises StackFailed when the child has ended."""
        if how := self.ended():
            raise StackFailed(self.describe(how))

    def ended(self) -> str:
        """How it ended, in words; empty while it runs."""
        code = self.process.poll()
        if code is None:
            return ""
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def said(self) -> bytes:
        """What it has written; its log holds what others of its name wrote before it."""
        return self.log.read_bytes()[self.log_begins_at :]

    def stop(self, *, patience: float = STOP_PATIENCE_SECONDS) -> None:
        """Ask the group to end, then make it. Harmless on a child that has ended."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def describe(self, what: str) -> str:
        """What happened to it, and its last words."""
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        intro = f"{self.name} {what}; its log {self.log} " + ("ends:" if lines else "is empty.")
        return "\n  ".join([intro, *lines])


@contextmanager
def running(
    name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path | None = None
) -> Iterator[Child]:
    """Start a child with its output in `log`, and stop it at the end whatever happened meanwhile. When this
    yields it is started, not yet ready."""
    log.parent.mkdir(parents=True, exist_ok=True)
    passed_on = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    with log.open("ab") as output:
        log_begins_at = output.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=passed_on | FRUGAL | dict(environment),
            cwd=cwd,
            process_group=0,
        )
    child = Child(name, log, process, log_begins_at)
    with ending_with_us(child.pid):
        try:
            yield child
        finally:
            child.stop()
