"""Where else a secret could lie: with the processes themselves, in files beside the stack's folder, on the pages of the
API, and the planting of a text where the story itself cannot leave one."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from emulators.ports import HOST, free_port
from emulators.processes import Child
from local.stack import ROOT
from telemetry.runtime import build_runtime
from telemetry.spans import sending_spans
from tests.e2e.canary import Evidence
from tests.patience import PATIENCE_SECONDS
from tests.telemetry.collector import Collector

OTHERS = frozenset({".venv", ".git", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
"""Of the checkout: what other programs keep for themselves."""
FOR_EVERYBODY = tuple(Path(place) for place in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"]))
TESTS_OWN = "pytest-"
"""How the folders of tests begin: what the stand-ins of clouds know lies there, and is their customers' own."""


def processes(children: Sequence[Child]) -> Evidence:
    """The command line and the environment of each of them, and of what each has started."""
    return {
        f"{name} of {child.name}, process {pid}": (Path("/proc") / pid / name).read_bytes()
        for child in children
        for pid in _group(child.pid)
        for name in ("cmdline", "environ")
    }


def written_since(began: float, *, beside: Path) -> Evidence:
    """What was written since that time (of the file system) in the checkout and where everybody may write, but for
    `beside`, which is searched by itself. The processes have no other home and no other temporary folder."""
    new = [entry for place in FOR_EVERYBODY if place.is_dir() for entry in _changed(place, began)]
    roots = [*new, *(entry for entry in ROOT.iterdir() if entry.name not in OTHERS)]
    found = {}
    for path in (path for root in roots for path in _regular(root) if not path.is_relative_to(beside)):
        with suppress(OSError):  # it has gone meanwhile
            if path.stat().st_mtime >= began:
                found[f"file {path}"] = path.read_bytes()
    return found


def open_elsewhere(children: Sequence[Child], folder: Path) -> list[str]:
    """The regular files that a process holds open for writing and that are not in the folder."""
    held = [fd for child in children for pid in _group(child.pid) for fd in (Path("/proc") / pid / "fd").iterdir()]
    return [str(target) for fd in held if _is_written(fd) and not (target := fd.readlink()).is_relative_to(folder)]


def pages(api_url: str) -> Evidence:
    """What the API tells of itself to everybody."""
    return {
        path: httpx.get(f"{api_url}{path}", timeout=PATIENCE_SECONDS, trust_env=False).raise_for_status().content
        for path in ("/openapi.json", "/docs")
    }


@contextmanager
def metrics_with(text: str) -> Iterator[str]:
    """The address of metrics that have that text as a label, served as those of the processes are."""
    address = f"{HOST}:{free_port()}"
    runtime = build_runtime(address)
    runtime.metric_meter.create_counter("planted", "Has a label.").add(1, {"label": text})
    yield f"http://{address}/metrics"


def send_a_span_with(text: str, collector: Collector) -> None:
    """As the processes send theirs."""
    tracers = sending_spans("planted", "1", collector.url)
    tracers.get_tracer("planted").start_span(text).end()
    tracers.shutdown()


def _group(leader: int) -> Iterator[str]:
    """The processes of the group that a child leads."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if os.getpgid(int(process.name)) == leader:
                    yield process.name


def _changed(place: Path, began: float) -> Iterator[Path]:
    for entry in place.iterdir():
        with suppress(OSError):
            if entry.lstat().st_mtime >= began and not entry.name.startswith(TESTS_OWN):
                yield entry


def _regular(root: Path) -> Iterator[Path]:
    paths = (Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    return (path for path in (paths if root.is_dir() else [root]) if path.is_file() and not path.is_symlink())


def _is_written(fd: Path) -> bool:
    """Whether it was opened for writing, by its flags in /proc."""
    with suppress(OSError):
        lines = (fd.parent.parent / "fdinfo" / fd.name).read_text().splitlines()
        flags = next(int(line.split()[1], 8) for line in lines if line.startswith("flags:"))
        return fd.is_file() and flags & os.O_ACCMODE != os.O_RDONLY
    return False
