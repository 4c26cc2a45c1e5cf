"""`make run` as a newcomer meets it: how long until the demo's account is active, and what the whole takes afterwards.

Resident memory is counted twice: summed up over the processes, where a page that two of them share counts for each, and
shared out among them."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import residents_of
from bench.report import Report, Target
from emulators.failures import StackFailed
from emulators.reaper import ending_with_us

MAX_ACTIVE_SECONDS = 10
MAX_RESIDENT_MB = 800
ROOT = Path(__file__).resolve().parents[1]
NAMES = {"local": "local", "temporal": "Temporal", "ministack": "MiniStack", "worker.py": "worker", "main.py": "API"}
IDLE_SECONDS = 15
PATIENCE_SECONDS = 180
MB = 2**20

_ACTIVE = re.compile(r"is active after ([0-9.]+) s")


@dataclass(frozen=True)
class Plan:
    runs: int
    counts: bool = True


FULL = Plan(runs=3)
QUICK = Plan(runs=1, counts=False)


@dataclass(frozen=True)
class Demo:
    active_seconds: float
    residents: Mapping[str, tuple[int, int]]
    """Bytes by process: resident, and shared out."""

    @property
    def resident_mb(self) -> float:
        return sum(resident for resident, _ in self.residents.values()) / MB


async def run(plan: Plan, *, folder: Path, report: Report) -> bool:
    """Whether both targets were met, by the worst of the runs."""
    demos = []
    for number in range(plan.runs):
        demos.append(demo := await asyncio.to_thread(watch, folder / f"run-{number}"))
        report.heading(f"The demo: active after {demo.active_seconds:.1f} s, then idle with {demo.resident_mb:.0f} MB")
        report.machine()
        rows = [(name, *(f"{size / MB:.0f}" for size in sizes)) for name, sizes in demo.residents.items()]
        report.table(("", "resident MB", "shared out MB"), rows)
    active, resident = (
        max(figures) for figures in zip(*((d.active_seconds, d.resident_mb) for d in demos), strict=True)
    )
    targets = [
        Target("seconds until the demo's account is active", active, at_most=MAX_ACTIVE_SECONDS),
        Target("MB resident of all processes when idle", resident, at_most=MAX_RESIDENT_MB),
    ]
    return report.judge(targets, counts=plan.counts)


def watch(folder: Path) -> Demo:
    """Raises StackFailed when the demo does not succeed."""
    with launched(folder) as (process, output):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "Press Ctrl-C" not in output.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StackFailed(f"The demo did not come up:\n{output.read_text()}")
            time.sleep(0.1)
        time.sleep(IDLE_SECONDS)
        residents = {_name(pid): residents_of(pid) for pid in with_children(process.pid)}
        return Demo(float(_ACTIVE.findall(output.read_text())[0]), residents)


@contextmanager
def launched(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The stack as a process, and the file of what it prints."""
    folder.mkdir(parents=True)
    output = folder / "output.txt"
    command = [sys.executable, "-m", "local", "--folder", str(folder / ".local")]
    with output.open("wb") as writing:
        process = subprocess.Popen(command, cwd=ROOT, stdout=writing, stderr=subprocess.STDOUT, process_group=0)
    with ending_with_us(process.pid):
        try:
            yield process, output
        finally:
            process.terminate()
            process.wait()


def with_children(pid: int) -> list[int]:
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _name(pid: int) -> str:
    words = {Path(word).name for word in Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:3]}
    return next((name for word, name in NAMES.items() if word in words), f"process {pid}")
