"""A process is watched when its settings say so, and not otherwise."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from emulators.ports import HOST, free_port
from emulators.processes import Child, running
from telemetry.process import begin
from tests.pages import ROOT
from tests.patience import PATIENCE_SECONDS
from tests.telemetry.collector import read


@contextmanager
def started(folder: Path, entry_point: str, **settings: str) -> Iterator[Child]:
    """With neither Temporal nor AWS in reach."""
    nowhere = f"{HOST}:{free_port()}"
    environment = {
        "HOME": str(folder),
        "PLATFORM_AWS_ACCOUNT_ID": "111122223333",
        "AWS_ENDPOINT_URL": f"http://{nowhere}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "TEMPORAL_ADDRESS": nowhere,
        "API_PORT": str(free_port()),
        **settings,
    }
    command = [sys.executable, str(ROOT / entry_point)]
    with running(entry_point, command, log=folder / "log", environment=environment, cwd=ROOT) as child:
        yield child


def listens(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def serves(port: int) -> bool:
    try:
        return httpx.get(
            f"http://{HOST}:{port}/api/v1/health/live", timeout=PATIENCE_SECONDS, trust_env=False
        ).is_success
    except httpx.TransportError:
        return False


def test_without_settings_nothing_is_watched():
    watched = begin("api", "1", metrics=None, traces=None)

    async def app(*_: object) -> None:
        """An application."""

    assert (watched.meter, watched.tracers, watched.interceptors()) == (None, None, ())
    assert watched.application(app, untraced="/health") is app


@pytest.mark.stack
@pytest.mark.parametrize("entry_point", ["main.py", "worker.py"])
def test_metrics_are_served_while_everything_else_is_down(tmp_path: Path, entry_point: str):
    address = f"{HOST}:{free_port()}"
    with started(tmp_path, entry_point, METRICS_ADDRESS=address) as child:
        child.wait_until(lambda: listens(address))
        assert read(f"http://{address}/metrics").text is not None


@pytest.mark.stack
@pytest.mark.parametrize("entry_point", ["main.py", "worker.py"])
def test_an_address_that_is_taken_ends_the_process_with_a_sentence(tmp_path: Path, entry_point: str):
    with socket.create_server((HOST, 0)) as taken:
        address = f"{HOST}:{taken.getsockname()[1]}"
        with started(tmp_path, entry_point, METRICS_ADDRESS=address) as child:
            assert child.process.wait(PATIENCE_SECONDS) == 2
    assert child.log.read_text().startswith("The metrics cannot be served: the port of METRICS_ADDRESS is in use")
    assert len(child.log.read_text().splitlines()) == 1


@pytest.mark.stack
def test_a_collector_that_is_gone_does_not_hold_up_the_end(tmp_path: Path):
    endpoint = f"http://{HOST}:{free_port()}/v1/traces"
    port = free_port()
    with started(tmp_path, "main.py", TRACES_ENDPOINT=endpoint, API_PORT=str(port)) as api:
        api.wait_until(lambda: serves(port))
        api.process.terminate()
        assert api.process.wait(PATIENCE_SECONDS) == 0
