"""Every command of ours in docker-compose.yml, run in its order as it is written there: from the files of the image,
with the environment of its service, under the role and the policy that it gets. Only addresses and paths differ."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from emulators.ports import HOST, free_port
from emulators.processes import Child, running
from emulators.temporal import TemporalServer, running_temporal
from local.demo import onboard
from local.identities import AwsAccount
from local.progress import Progress
from local.stack import CUSTOMER_NUMBER, PLATFORM_NUMBER, Stack
from tests.deploy.composition import example, interpolated, services
from tests.pages import ROOT
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.stack]


@dataclass(frozen=True)
class Host:
    """What the containers have around them."""

    app: Path
    folder: Path
    temporal: TemporalServer
    aws_port: int
    api_port: int

    def environment(self, name: str) -> dict[str, str]:
        given = interpolated(services()[name].get("environment", {}), example())
        elsewhere = {
            "temporal:7233": self.temporal.address,
            "http://ministack:4566": f"http://{HOST}:{self.aws_port}",
            "/etc/threat-engine/aws-config": str(ROOT / self.mounted(name) / "aws-config"),
            "/tmp": str(self.folder),
            "0.0.0.0": HOST,  # noqa: S104
            "8000": str(self.api_port),
            "4566": str(self.aws_port),
        }
        return {key: elsewhere.get(value, value) for key, value in given.items()}

    def mounted(self, name: str) -> str:
        """The folder of a service's own."""
        [volume] = interpolated(services()[name].get("volumes", [""]), example())
        return str(volume).partition(":")[0]

    def run(self, name: str, command: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        """To its end."""
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        return subprocess.run(
            self.words(command or services()[name]["command"]),
            cwd=self.app,
            env=kept | self.environment(name),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def start(self, name: str, command: list[str] | None = None) -> AbstractContextManager[Child]:
        return running(
            name,
            self.words(command or services()[name]["command"]),
            log=self.folder / f"{name}.log",
            environment=self.environment(name),
            cwd=self.app,
        )

    def healthy(self, name: str) -> bool:
        return self.check(name).returncode == 0

    def check(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.run(name, services()[name]["healthcheck"]["test"][1:])

    def words(self, command: list[str]) -> list[str]:
        assert command[0] == "python"
        ports = {"http://127.0.0.1:4566": f"http://{HOST}:{self.aws_port}"}
        return [sys.executable, *(_replaced(word, ports) for word in command[1:])]


def _replaced(word: str, addresses: dict[str, str]) -> str:
    for there, here in addresses.items():
        word = word.replace(there, here)
    return word


@pytest.fixture(scope="module")
def host(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """With Temporal and MiniStack up, and the namespace and everything else still to be made."""
    folder = tmp_path_factory.mktemp("host")
    with running_temporal(folder / "temporal.log", ui=False) as temporal:
        host = Host(image, folder, temporal, aws_port=free_port(), api_port=free_port())
        with host.start("ministack", ["python", "-m", "ministack"]) as ministack:
            ministack.wait_until(lambda: host.healthy("ministack"))
            yield host


@pytest.fixture(scope="module")
def prepared(host: Host) -> Host:
    """After the services that run once."""
    for name in ("ministack-roles", "setup"):
        ended = host.run(name)
        assert ended.returncode == 0, ended.stderr
    return host


def test_setup_makes_everything_under_its_own_policy_and_can_be_repeated(prepared: Host):
    assert prepared.run("ministack-roles").returncode == 0
    again = prepared.run("setup")
    assert again.returncode == 0, again.stderr
    lines = again.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {"found"}
    assert {line.split()[1] for line in lines} == {"key", "table", "bucket", "namespace", "search"}
    assert "namespace onboarding" in again.stdout


def test_a_check_tells_that_a_process_is_not_there(prepared: Host):
    assert (prepared.check("api").returncode, prepared.check("api").stderr) == (1, "The API does not answer.\n")
    worker = prepared.check("worker")
    silent = "Temporal has not heard from this worker lately, on: onboarding, scans.\n"
    assert (worker.returncode, worker.stderr) == (1, silent)


async def test_an_account_becomes_active_with_the_policies_that_are_published(prepared: Host):
    with both(prepared) as children:
        key = prepared.run("setup", ["python", "cli.py", "keys", "bootstrap"])
        assert key.returncode == 0, key.stderr
        stack = Stack(
            folder=prepared.folder,
            api_url=f"http://{HOST}:{prepared.api_port}",
            api_key=key.stdout.strip(),
            temporal=prepared.temporal,
            platform=AwsAccount(PLATFORM_NUMBER, f"http://{HOST}:{prepared.aws_port}", "x"),
            customer=AwsAccount(CUSTOMER_NUMBER, f"http://{HOST}:{prepared.aws_port}", "x"),
            servers=children,
            kept=(),
        )
        demo = await onboard(stack, Progress(Console(quiet=True)))
    assert (demo.status, demo.account_number) == ("active", CUSTOMER_NUMBER)


def has_started(child: Child, name: str) -> bool:
    return f"{name}.started".encode() in child.log.read_bytes()


@contextmanager
def both(host: Host) -> Iterator[tuple[Child, ...]]:
    """Worker and API, well by their own checks; each ends by itself when it is asked to."""
    with host.start("worker") as worker, host.start("api") as api:
        for child, name in ((worker, "worker"), (api, "api")):
            child.wait_until(partial(has_started, child, name))
            child.wait_until(partial(host.healthy, name))
        yield worker, api
        for child in (api, worker):
            child.process.send_signal(signal.SIGTERM)
            assert child.process.wait(PATIENCE_SECONDS) == 0
