"""Every test starts from the same environment: nothing on the developer's machine decides a result."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.clouds.table import lines

# How long an example may take is no promise: on a machine that is busy each takes longer.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

WHOLE_STACKS = (
    "tests/e2e/",
    "tests/bench/",
    "tests/resilience/",
    "tests/security/",
    "tests/telemetry/test_exposed.py",
    "tests/deploy/test_compose_commands.py",
)
"""Where tests start the whole system in processes of its own. One such stack after the other is quicker than two that
take the processors from each other, and they share the stack that serves."""

KEEP = ("PATH", "TMPDIR", "LANG", "LC_", "LD_", "CI", "PYTEST", "PYTHON")

# HOME is empty too: ~/.aws and the Temporal profile would be found there
CLEAN = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "ap-south-1",
    "AWS_DEFAULT_REGION": "ap-south-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class OneStackAtATime(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """What starts whole stacks is one piece of work, for one of the processes that share the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return "whole stacks" if nodeid.startswith(WHOLE_STACKS) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    return OneStackAtATime(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of the clouds: what each test said of its cell."""
    cells = [
        cell
        for report in terminalreporter.getreports("passed")
        for name, cell in report.user_properties
        if name == "cell"
    ]
    if cells:
        terminalreporter.section("clouds")
        for line in lines(cells):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Lists what stays, not what goes, so that a new setting cannot leak in. No real account is in reach."""
    before = dict(os.environ)
    for name in [name for name in before if not name.startswith(KEEP)]:
        del os.environ[name]
    os.environ.update(CLEAN, HOME=str(tmp_path_factory.mktemp("home")))
    yield
    os.environ.clear()
    os.environ.update(before)
