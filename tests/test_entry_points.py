"""The two processes on their own, with neither Temporal nor AWS in reach: they start, say so, and stop when asked."""

import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from emulators.ports import HOST, free_port
from emulators.processes import Child, running
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.stack

ROOT = Path(__file__).resolve().parents[1]
Start = Callable[..., AbstractContextManager[Child]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def start(entry_point: str, **settings: str) -> AbstractContextManager[Child]:
        environment = {
            "HOME": str(tmp_path),
            "PLATFORM_AWS_ACCOUNT_ID": "111122223333",
            "AWS_ENDPOINT_URL": f"http://{HOST}:{free_port()}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "TEMPORAL_ADDRESS": f"{HOST}:{free_port()}",
            **settings,
        }
        command = [sys.executable, str(ROOT / entry_point)]
        return running(entry_point, command, log=tmp_path / "log", environment=environment, cwd=ROOT)

    return start


def answer(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, timeout=PATIENCE_SECONDS, trust_env=False)
    except httpx.TransportError:
        return None


def ended_by(child: Child, number: signal.Signals) -> int:
    child.process.send_signal(number)
    return child.process.wait(PATIENCE_SECONDS)


def test_the_api_lives_and_is_not_ready_while_what_it_needs_is_down(start: Start):
    port = free_port()
    health = f"http://{HOST}:{port}/api/v1/health"
    with start("main.py", API_PORT=str(port)) as api:
        api.wait_until(lambda: answer(f"{health}/live") is not None)
        ready = answer(f"{health}/ready")
        assert ready
        assert (ready.status_code, ready.json()["temporal"], ready.json()["dynamodb"]) == (
            503,
            "disconnected",
            "disconnected",
        )
        assert ended_by(api, signal.SIGTERM) == 0
    assert '"event": "api.stopped"' in api.log.read_text()


def test_the_api_says_which_port_is_taken(start: Start):
    with socket.create_server((HOST, 0)) as listening:
        port = listening.getsockname()[1]
        with start("main.py", API_PORT=str(port)) as api:
            assert api.process.wait(PATIENCE_SECONDS) == 2
    assert api.log.read_text().startswith(f"The API cannot listen on 127.0.0.1, port {port}: the port is in use")
    assert len(api.log.read_text().splitlines()) == 1


def test_a_worker_waits_for_temporal_and_can_be_stopped_meanwhile(start: Start):
    with start("worker.py") as worker:
        worker.wait_until(lambda: worker.log.read_text().count("temporal.unreachable") == 2)
        assert ended_by(worker, signal.SIGTERM) == 0


@pytest.mark.parametrize("entry_point", ["main.py", "worker.py"])
def test_a_wrong_setting_ends_a_process_with_its_sentence_and_code_two(start: Start, entry_point: str):
    with start(entry_point, LOG_LEVEL="verbose") as child:
        assert child.process.wait(PATIENCE_SECONDS) == 2
    assert child.log.read_text() == ("LOG_LEVEL has a wrong value: it must be one of DEBUG, INFO, WARNING and ERROR.\n")
