"""What a process uses, as Linux tells it: processor time, resident memory, threads and open files.

Processor time hardly depends on what else the machine is doing, so it is shown beside every rate."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Observed:
    """A running process under the name that a table gives it."""

    name: str
    pid: int

    def cpu_seconds(self) -> float:
        """Of all its threads, since its start."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = int(fields[11]), int(fields[12])
        return (user + system) / TICKS_PER_SECOND

    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_BYTES

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def open_files(self) -> int:
        """Sockets among them."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def residents_of(pid: int) -> tuple[int, int]:
    """Bytes of physical memory: all that it uses, and with what it shares with others divided among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return kilobytes["Rss"] * 1024, kilobytes["Pss"] * 1024


def this_process(name: str) -> Observed:
    return Observed(name, os.getpid())


def load_average() -> float:
    """Of the last minute: how many processes wanted a processor."""
    return os.getloadavg()[0]


def shape_of_the_machine() -> str:
    """For the heading of a table of figures."""
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE_BYTES / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {os.uname().sysname} {os.uname().machine}"
