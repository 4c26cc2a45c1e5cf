"""The command as an operator runs it."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cli import main
from commands.doctor.command import text_of
from commands.doctor.finding import Finding, Level
from config import TemporalConnection
from emulators.ports import free_port
from emulators.processes import running
from local.stack import ROOT
from tests.commands.conftest import SECRET, Environment

KNOWN = ("AWS_", "PLATFORM_", "TEMPORAL_", "HOME")


class Finished(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Finished]

on_ministack = pytest.mark.parametrize("environment", ["ministack"], indirect=True, scope="module")


def test_a_finding_is_a_line_with_what_to_do_below_it_and_the_levels_are_counted():
    findings = [Finding(Level.OK, "clock", "0 s"), Finding(Level.FAIL, "table a", "is missing", "Make it.")]
    assert text_of(findings).splitlines() == [
        "ok        clock: 0 s",
        "fail      table a: is missing",
        "          -> Make it.",
        "",
        "1 ok, 0 warn, 1 fail, 0 unknown",
    ]


@pytest.fixture
def run(
    environment: Environment,
    busy_namespace: TemporalConnection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs the command with the environment variables of an operator."""
    for name, value in environment.settings.model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(name.upper(), str(value))
    monkeypatch.setenv("TEMPORAL_ADDRESS", busy_namespace.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", busy_namespace.namespace)

    def run(*arguments: str) -> Finished:
        with pytest.raises(SystemExit) as exit:
            main(["doctor", *arguments])
        return Finished(int(exit.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def worker(run: Run, tmp_path: Path) -> Iterator[None]:
    """A worker process of the environment."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(KNOWN)}
    log, command = tmp_path / "worker.log", [sys.executable, str(ROOT / "worker.py")]
    with running("The worker", command, log=log, environment=environment, cwd=ROOT) as child:
        child.wait_until(lambda: b"worker.started" in log.read_bytes())
        yield


@on_ministack
@pytest.mark.usefixtures("worker")
def test_when_all_is_well_the_exit_code_is_zero_and_no_secret_is_shown(run: Run):
    finished = run()
    assert (finished.code, finished.err) == (0, ""), finished.out
    assert finished.out.splitlines()[-1].endswith("1 warn, 0 fail, 3 unknown"), finished.out
    assert SECRET not in finished.out


@on_ministack
def test_when_something_fails_the_exit_code_is_one(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    finished = run()
    assert finished.code == 1
    assert "does not answer, or refuses us\n          -> Start it, or correct TEMPORAL_ADDRESS" in finished.out


@on_ministack
def test_machines_get_the_same_as_json(run: Run):
    findings = json.loads(run("--json").out)
    assert {"level": "ok", "thing": "Secrets Manager", "found": "answers", "remedy": ""} in findings
    assert all(found["remedy"] for found in findings if found["level"] in ("fail", "warn"))
