"""The how-to pages are typed in as they are written, section by section, each against an onboarding in the situation
that the section is for. Of the pages whose other commands need what is not here, every `temporal` command is."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Run
from tests.e2e.operated import Onboarding, Operated, operating
from tests.e2e.scheduled import Scheduled, ScheduledAccounts
from tests.e2e.typed_in import exchanges, general, is_shown, type_in

PAGES = sorted((ROOT / "docs/how-to").glob("*.md"))
NOT_HERE = (
    *("change-a-workflow", "run-on-aws", "run-with-docker-compose", "watch-it", "add-a-cloud", "sign-in-with-oidc"),
    "ship-logs-to-cloudwatch",
    *(f"connect-{cloud}" for cloud in ("azure", "gcp", "alicloud", "oci", "ibm")),
)
"""Pages whose other commands change the working tree, or need a real cloud account, an issuer, Docker or Prometheus."""

WORDS = (
    "activity",
    "batch",
    "config",
    "env",
    "nexus",
    "operator",
    "schedule",
    "server",
    "task-queue",
    "worker",
    "workflow",
)
TEMPORAL = re.compile(rf"(?<![\w./-])(?:\.venv/bin/)?temporal(?= +(?:{'|'.join(WORDS)})\b)")
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)

MARK = "--- next block ---"
COUNTED = """
ran() { local number=$1 status=0; shift; "$@" || status=$?; echo "$number $status" >> "$RAN"; return $status; }
"""

pytestmark = [
    pytest.mark.stack,
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the pages are written for curl"),
]


@dataclass(frozen=True)
class Section:
    page: str
    heading: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Each `temporal` command of any block, to the end of its line."""
        text = "\n".join(FENCED.findall(self.text)).replace("\\\n", " ")
        return [line[found.start() :] for line in text.splitlines() for found in TEMPORAL.finditer(line)]

    @property
    def blocks(self) -> list[str]:
        if self.page in NOT_HERE:
            return self.commands
        return [exchange.typed for exchange in exchanges(self.text)]

    def __str__(self) -> str:
        return f"{self.page}: {self.heading}"


def sections(path: Path) -> Iterator[Section]:
    """The parts of a page. What it says before its first heading of that level has none."""
    heading, text, fenced = "", "", False
    for line in path.read_text().splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            yield Section(path.stem, heading, text)
            heading, text = line[3:].strip(), ""
        text += line
    yield Section(path.stem, heading, text)


EVERY = [section for path in PAGES for section in sections(path)]
SECTIONS = [section for section in EVERY if section.blocks or section.commands]
SHELL = next(section for section in EVERY if section.heading == "Your shell")


def counted(script: str) -> str:
    """Each `temporal` command notes its number and its exit status."""
    numbers = iter(range(len(script)))
    return TEMPORAL.sub(lambda found: f"ran {next(numbers)} {found[0]}", script)


@pytest.fixture(scope="module")
def operated(served: Run) -> Iterator[Operated]:
    with operating(served) as stack:
        yield stack


@pytest.fixture(scope="module")
def waiting(operated: Operated) -> Onboarding:
    """For the sections that only look."""
    return operated.refused()


Subject = Onboarding | Scheduled


def situation(section: Section, operated: Operated, waiting: Onboarding) -> AbstractContextManager[Subject]:
    if section.page == "run-scans":
        return scan_situation(section, ScheduledAccounts(operated))
    if section.heading == "When it is not sealed":
        return operated.unsealed()
    if section.page == "unstick-an-onboarding":
        return operated.stuck()
    if section.heading == "One that was terminated":
        return nullcontext(operated.terminated())
    if section.page == "end-an-onboarding":
        return nullcontext(operated.refused())
    return nullcontext(waiting)


def scan_situation(section: Section, accounts: ScheduledAccounts) -> AbstractContextManager[Scheduled]:
    match section.heading:
        case "A scan that does not end" | "Stop a scan" | "Stop a scan through Temporal":
            return accounts.scanning()
        case "A run that was terminated":
            return accounts.terminated()
        case "Find a run":
            return nullcontext(accounts.scanned())
        case "A schedule that failed repeatedly":
            return nullcontext(accounts.failing())
        case "Reconcile now":
            return nullcontext(accounts.out_of_step())
        case _:
            return nullcontext(accounts.new())


def is_ended(reason: str) -> Callable[[Operated, Onboarding], bool]:
    def holds(operated: Operated, onboarding: Onboarding) -> bool:
        return operated.row(onboarding) == ("cancelled", reason) and not operated.has_secret(onboarding)

    return holds


def has_run(expected: str, operated: Operated, scheduled: Scheduled) -> bool:
    """Whether the one run has ended so and let the schedule go; a failure is named by its code."""
    accounts = ScheduledAccounts(operated)
    ended, schedule = accounts.execution(scheduled), accounts.schedule(scheduled)
    return expected in (ended["status"], ended["error_code"]) and schedule["running_execution_id"] is None


def is_scheduled(status: str, operated: Operated, scheduled: Scheduled) -> bool:
    return bool(ScheduledAccounts(operated).schedule(scheduled)["status"] == status)


def fires_again(operated: Operated, scheduled: Scheduled) -> bool:
    return ScheduledAccounts(operated).schedule(scheduled)["next_run_at"] is not None


def is_sealed_again(operated: Operated, _: Onboarding) -> bool:
    return operated.is_sealing()


def was_scanned(operated: Operated, scheduled: Scheduled) -> bool:
    """Temporal's own trigger may have come while this run was under way, and then left."""
    runs = ScheduledAccounts(operated).executions(scheduled)
    return [run["status"] for run in runs if run["triggered_by"] == "manual"] == ["completed"]


EFFECTS: Mapping[str, Callable[[Operated, Any], bool]] = {
    "Through the API": is_ended("cancelled"),
    "Through Temporal": is_ended("cancelled_by_operator"),
    "Many at once": is_ended("cancelled_by_operator"),
    "One that was terminated": is_ended("cancelled"),
    "When it is not sealed": is_sealed_again,
    "Scan now": was_scanned,
    "Stop a scan": partial(has_run, "cancelled"),
    "Stop a scan through Temporal": partial(has_run, "cancelled"),
    "A run that was terminated": partial(has_run, "abandoned"),
    "Pause a schedule": partial(is_scheduled, "paused"),
    "A schedule that failed repeatedly": partial(is_scheduled, "active"),
    "Reconcile now": fires_again,
}


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_a_section_can_be_typed_in(section: Section, operated: Operated, waiting: Onboarding, tmp_path: Path):
    ran = tmp_path / "ran"
    ran.touch()
    typed = counted(f"\necho '{MARK}'\n".join(section.blocks))
    with situation(section, operated, waiting) as subject:
        variables = {**subject.variables, "RAN": str(ran)}
        done = type_in(f"{shell()}{COUNTED}{typed}", operated.served, seconds=50, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert statuses(ran) == dict.fromkeys(range(len(section.commands)), 0), done.stdout + done.stderr
    if section.page not in NOT_HERE:
        assert_shown(section, done.stdout)
    if section.heading in EFFECTS:
        operated.eventually(lambda: EFFECTS[section.heading](operated, subject))


def shell() -> str:
    return "\n".join(SHELL.blocks)


def statuses(ran: Path) -> dict[int, int]:
    """The last exit status of each command that was executed, by its number."""
    return {int(number): int(status) for number, status in map(str.split, ran.read_text().splitlines())}


def assert_shown(section: Section, stdout: str) -> None:
    for exchange, output in zip(exchanges(section.text), stdout.split(f"{MARK}\n"), strict=True):
        if exchange.kind == "json":
            assert is_shown(json_of(exchange.answer), json_of(output)), output
        else:
            assert general(exchange.answer) in general(output)


def json_of(text: str) -> object:
    return json.loads(general(text))


def test_every_effect_belongs_to_a_section():
    assert EFFECTS.keys() <= {section.heading for section in SECTIONS}


def test_every_page_that_is_not_typed_in_whole_is_there():
    assert {path.stem for path in PAGES} >= set(NOT_HERE)


def test_a_step_that_could_not_be_done_is_done_once_it_can(operated: Operated):
    with operated.stuck() as onboarding:
        assert "platform_config" in operated.describe(onboarding)
    operated.eventually(lambda: operated.view(onboarding)["attempts"] == 1)


def test_a_terminated_onboarding_is_open_and_its_credential_stays(operated: Operated):
    onboarding = operated.terminated()
    assert operated.row(onboarding) == ("in_progress", None)
    assert operated.has_secret(onboarding)
    assert (operated.submit(onboarding).status_code, operated.cancel(onboarding)) == (503, 503)


def test_an_onboarding_that_goes_on_after_it_was_terminated_keeps_what_it_had(operated: Operated):
    onboarding = operated.terminated()
    deadline = operated.view(onboarding)["expires_at"]
    words = ("--type", "LastWorkflowTask", "--reason", "it was terminated")
    operated.temporal("workflow", "reset", "--workflow-id", onboarding.workflow_id, *words)
    assert operated.submit(onboarding).status_code == 400
    view = operated.view(onboarding)
    assert (view["state"], view["attempts"], view["expires_at"]) == ("waiting_for_credential", 2, deadline)


def test_of_an_open_onboarding_that_was_deleted_nothing_is_left_to_mend(operated: Operated):
    operated.hold_the_sweep()
    onboarding = operated.refused()
    operated.temporal("workflow", "delete", "--workflow-id", onboarding.workflow_id, "--yes")
    operated.eventually(lambda: operated.cancel(onboarding) == 503)
    assert operated.row(onboarding) == ("in_progress", None)
    assert operated.has_secret(onboarding)
