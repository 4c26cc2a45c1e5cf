"""The arithmetic of the benchmarks: samples, ratios, targets, growth, and what counts as an action."""

import asyncio
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from bench import api, onboarding, soak
from bench.costs import actions, events_by_type
from bench.counted import Program
from bench.counted_stack import CallLogs
from bench.load import Sample, sample, together
from bench.one_account import UNJUSTIFIED, Spent, show
from bench.processes import this_process
from bench.reasons import EVENTS
from bench.report import Report, Target
from tests.workflows.record import HISTORIES


def of(*latencies: float, seconds: float = 1.0, cpu: float = 0.0) -> Sample:
    return Sample(seconds, latencies, {"worker": cpu})


def event(name: str, **attributes: int) -> HistoryEvent:
    found = HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{name}"))
    if attributes:
        found.activity_task_started_event_attributes.attempt = attributes["attempt"]
    return found


@pytest.fixture
def output() -> StringIO:
    return StringIO()


@pytest.fixture
def report(output: StringIO) -> Report:
    return Report(Console(file=output, width=150))


@pytest.mark.parametrize(("percent", "latency"), [(1, 1), (50, 5), (51, 6), (90, 9), (99, 10), (100, 10)])
def test_a_percentile_is_the_smallest_latency_that_so_many_do_not_exceed(percent: float, latency: int):
    assert of(*range(10, 0, -1)).percentile(percent) == latency


def test_a_single_latency_is_every_percentile():
    assert {of(3.0).percentile(percent) for percent in (0, 50, 99, 100)} == {3.0}


def test_rounds_add_up():
    whole = together([of(1, 2, seconds=2, cpu=1.0), of(3, seconds=4, cpu=2.0)])
    assert (whole.count, whole.seconds, whole.rate) == (3, 6, 0.5)
    assert (whole.cpu_each("worker"), whole.cpu_together) == (1.0, 1.0)
    assert whole.cpu_each("a process that was not watched") == 0.0


async def test_the_loop_does_as_many_as_asked_for_and_never_more_at_once():
    running, most = 0, 0

    async def work() -> float:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return 0.25

    found = await sample(work, count=20, in_flight=3, watched=[this_process("driver")])
    assert (found.latencies, most) == ([0.25] * 20, 3)
    assert found.cpu_seconds["driver"] >= 0
    assert found.seconds > 0


async def test_the_first_error_ends_the_loop():
    done = 0

    async def work() -> float:
        nonlocal done
        done += 1
        if done == 3:
            raise ValueError("broken")
        return 0.0

    with pytest.raises(ExceptionGroup) as failed:
        await sample(work, count=100, in_flight=1)
    assert failed.group_contains(ValueError, match="broken")
    assert done == 3


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("rate", 0.85, at_least=0.85), True),
        (Target("rate", 0.849, at_least=0.85), False),
        (Target("p50", 1.25, at_most=1.25), True),
        (Target("p50", 1.251, at_most=1.25), False),
    ],
    ids=lambda value: value.name + str(value.measured) if isinstance(value, Target) else str(value),
)
def test_a_target_is_met_up_to_its_bound(report: Report, output: StringIO, target: Target, met: bool):
    assert target.met is met
    assert report.judge([target], counts=True) is met
    assert ("met" if met else "MISSED") in output.getvalue()


def test_a_quick_run_is_not_judged(report: Report, output: StringIO):
    assert report.judge([Target("rate", 0.1, at_least=0.85)], counts=False)
    assert "not judged" in output.getvalue()


def test_ours_is_compared_with_the_limit_round_by_round():
    limit, ours = [of(0.1, seconds=1), of(0.4, seconds=4)], [of(0.2, seconds=2), of(0.4, seconds=8)]
    rate, p50 = onboarding.targets_of(limit, ours, in_flight=20)
    assert (rate.measured, p50.measured) == (0.5, 1.5)
    assert (rate.at_least, p50.at_most) == (0.85, 1.25)


def test_memory_is_compared_with_what_it_was_when_caches_were_full():
    assert soak.growth("API", [10, 100, 100, 100, 110]).measured == 1.1
    assert soak.growth("API", [10, 10, 100, 100, 0, 0, 0, 0, 150, 250]).measured == 2.0


def test_a_page_reads_as_many_rows_from_a_thousand_accounts_as_from_a_hundred_thousand():
    assert [api.rows_read(accounts) for accounts in api.FULL.sizes] == [api.PAGE, api.PAGE]


def test_what_temporal_bills_is_counted():
    history = [event(name) for name in ("WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_SCHEDULED", "TIMER_STARTED")]
    assert actions(history) == 2
    assert events_by_type(history)["TIMER_STARTED"] == 1


def test_each_repeated_attempt_of_an_activity_is_an_action():
    history = [event("ACTIVITY_TASK_SCHEDULED"), event("ACTIVITY_TASK_STARTED", attempt=3)]
    assert actions(history) == 3


def test_there_is_a_reason_for_every_event_of_an_onboarding_that_succeeds():
    text = (HISTORIES / "onboard_account.active.json").read_text()
    assert set(events_by_type(WorkflowHistory.from_json("recorded", text).events)) <= set(EVENTS)


def test_what_has_no_reason_is_shown_as_such(report: Report, output: StringIO):
    justified = Spent({"worker kms.Decrypt": 1}, [event("TIMER_STARTED")])
    wasted = Spent({"worker kms.Encrypt": 1}, [event("MARKER_RECORDED")])
    assert (justified.justified, wasted.justified) == (True, False)
    show(report, justified)
    assert UNJUSTIFIED not in output.getvalue()
    show(report, wasted)
    assert output.getvalue().count(UNJUSTIFIED) == 2


def test_calls_are_counted_since_the_last_look(tmp_path: Path):
    files = {program: tmp_path / program for program in Program}
    for file in files.values():
        file.write_text("kms.Decrypt\n")
    logs = CallLogs(files)
    assert logs.take() == {"api kms.Decrypt": 1, "worker kms.Decrypt": 1}
    files[Program.API].write_text("kms.Decrypt\nkms.GenerateMac\nkms.Decrypt\n")
    assert logs.take() == {"api kms.Decrypt": 1, "api kms.GenerateMac": 1}
    assert not logs.take()
