"""What a process started ends with it, however it ended: SIGKILL too, after which nothing of that process runs.

A small process beside it, the reaper, reads a pipe that only the watched process writes. The system closes that pipe
when the watched process is gone, and the reaper then ends the process groups that it was told of. This works alike on
Linux and macOS, for programs that are not ours, and for what they started in turn.
"""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import BinaryIO

GRACE_SECONDS = 3.0
"""Between SIGTERM and SIGKILL. Whoever killed the parent wants its ports back soon."""


@contextmanager
def ending_with_us(group: int) -> Iterator[None]:
    """While this lasts, the death of this process ends that process group."""
    _REAPER.watch(group)
    try:
        yield
    finally:
        _REAPER.forget(group)


class _Reaper:
    """The reaper of this process. It starts with the first group, and once more if somebody has killed it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()
        self._lock = Lock()

    def watch(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)
            self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        with self._lock:
            self._groups.discard(group)
            self._tell(f"-{group}")

    def _tell(self, line: str) -> None:
        if self._process is None or self._process.poll() is not None:
            self._start()
        else:
            # It can die between the look and the line; the next line finds out.
            with suppress(BrokenPipeError):
                self._write(line)

    def _start(self) -> None:
        # A session of its own: neither Ctrl-C nor the end of the terminal may reach it before its work is done.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        atexit.register(_dismiss, self._process)
        for group in self._groups:
            self._write(f"+{group}")

    def _write(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(f"{line}\n".encode())


_REAPER = _Reaper()


def _dismiss(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe at an ordinary end, when no group is left."""
    with suppress(BrokenPipeError):
        process.communicate()


def main(told: BinaryIO) -> None:
    """The reaper itself: keep the list of groups until the pipe is closed, then end what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in told:
        sign, group = line[:1], int(line[1:])
        (groups.add if sign == b"+" else groups.discard)(group)
    _end(groups)


def _end(groups: Iterable[int]) -> None:
    left = {group for group in groups if _signalled(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if _signalled(group, 0)}
    for group in left:
        _signalled(group, signal.SIGKILL)


def _signalled(group: int, number: int) -> bool:
    """Whether there still was such a group."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(sys.stdin.buffer)
