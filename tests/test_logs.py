"""Logs: one JSON line per event, and no way for a value to get into one."""

import io
import json
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
import temporalio.activity
import temporalio.workflow
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from temporalio import activity
from temporalio.testing import ActivityEnvironment

import logs

CANARY = "canary-7f3a"

Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def logged() -> Iterator[Lines]:
    """What was logged meanwhile, at the most talkative level."""
    root, stream = logging.getLogger(), io.StringIO()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, logging.raiseExceptions)
    logs.configure("DEBUG", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:], root.level, sys.excepthook, threading.excepthook, logging.raiseExceptions = before


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logged() as lines:
        yield lines


def fail() -> None:
    """Raises an error whose text, and whose cause's text, hold the canary."""
    try:
        os.environ[CANARY]
    except KeyError as cause:
        raise ValueError(CANARY) from cause


def test_an_event_is_a_line_with_its_fields(lines: Lines):
    structlog.get_logger("api").info("request.finished", status=200, route="/api/v1/tenants")
    [line] = lines()
    assert line["event"] == "request.finished"
    assert (line["logger"], line["level"], line["status"]) == ("api", "info", 200)
    assert line["at"].endswith("Z")


def test_an_unknown_field_is_dropped_and_counted(lines: Lines):
    structlog.get_logger().info("request.finished", status=200, body=CANARY, secret_access_key=CANARY)
    [line] = lines()
    assert line["dropped_fields"] == 2
    assert CANARY not in json.dumps(line)


def test_a_field_that_is_not_plain_shows_its_type_only(lines: Lines):
    structlog.get_logger().info("request.finished", code={"secret": CANARY}, route=["a"])
    [line] = lines()
    assert (line["code"], line["route"]) == ("(dict)", "(list)")


def test_a_long_text_is_cut(lines: Lines):
    structlog.get_logger().info("request.finished", route="x" * 10_000)
    assert len(lines()[0]["route"]) == logs.MAX_TEXT


def test_the_request_id_is_on_every_line_of_its_request(lines: Lines):
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger().info("request.finished")
        logging.getLogger("library").warning("slow %s", CANARY)
    assert [line["request_id"] for line in lines()] == ["r-1", "r-1"]


def test_of_a_librarys_message_only_the_constant_part_is_kept(lines: Lines):
    logging.getLogger("library").info("sending %s to %s", CANARY, CANARY)
    [line] = lines()
    assert line["event"] == "sending %s to %s"
    assert CANARY not in json.dumps(line)


def test_a_librarys_message_that_is_put_together_already_is_withheld(lines: Lines):
    record = logging.LogRecord("library", logging.ERROR, "/lib/client.py", 2, f"sending {CANARY}", (), None)
    logging.getLogger("library").handle(record)
    [line] = lines()
    assert (line["event"], line["where"], line["logger"]) == ("(text withheld)", "client.py:2", "library")
    assert CANARY not in json.dumps(line)


def handled(name: str, path: str, text: str, *arguments: object, **more: object) -> None:
    """Log as a library at that place does."""
    record = logging.LogRecord(name, logging.ERROR, path, 2, text, arguments, None)
    record.__dict__.update(more)
    logging.getLogger(name).handle(record)


def test_a_constant_text_of_a_library_is_shown_without_what_is_put_in(lines: Lines):
    handled("library", "/lib/client.py", "sending %s", CANARY)
    assert [line["event"] for line in lines()] == ["sending %s"]
    assert "dropped_fields" not in lines()[0]


def test_a_library_in_our_folder_is_none_of_ours(lines: Lines):
    handled("library", str(logs.ROOT / ".venv" / "lib" / "client.py"), f"sending {CANARY}")
    handled("library", str(logs.ROOT / "client.py"), "sent")
    assert [line["event"] for line in lines()] == ["(text withheld)", "sent"]


@pytest.mark.parametrize("name", ["uvicorn.error", "temporalio.core"])
def test_what_servers_say_of_their_life_is_shown(lines: Lines, name: str):
    handled(name, "/lib/server.py", "Started server process")
    assert [line["event"] for line in lines()] == ["Started server process"]


@pytest.mark.parametrize("details", ["temporal_workflow", "temporal_activity"])
def test_of_a_step_only_the_known_details_are_taken(lines: Lines, details: str):
    handled("temporalio.workflow", "/lib/w.py", "%s", 1, **{details: {"workflow_id": "w-1", "namespace": CANARY}})
    [line] = lines()
    assert line["workflow_id"] == "w-1"
    assert CANARY not in json.dumps(line)
    assert "dropped_fields" not in line


def test_nothing_is_written_elsewhere_when_a_line_cannot_be():
    with logged():
        assert logging.raiseExceptions is False
        assert temporalio.activity.logger.activity_info_on_message is False
        assert temporalio.workflow.logger.workflow_info_on_message is False


def test_an_exception_on_the_way_from_another_shows_both_unless_it_hides_it(lines: Lines):
    for hidden in (False, True):
        try:
            try:
                os.environ[CANARY]
            except KeyError:
                if hidden:
                    raise ValueError(CANARY) from None
                raise ValueError(CANARY)  # noqa: B904  # that is what is tested
        except ValueError:
            structlog.get_logger("api").exception("request.failed")
    assert [line["error"] for line in lines()] == ["ValueError < KeyError", "ValueError"]


def test_an_exception_that_is_given_is_shown_where_none_is_being_handled(lines: Lines):
    structlog.get_logger("api").error("request.failed", exc_info=ValueError(CANARY))
    structlog.get_logger("api").error("request.failed", code=None)
    given, nothing = lines()
    assert (given["error"], given["where"]) == ("ValueError", "")
    assert nothing["code"] is None
    assert "error" not in nothing


def test_the_places_of_an_exception_are_ours_with_their_lines_in_order(lines: Lines):
    try:
        fail()
    except ValueError:
        structlog.get_logger("api").exception("request.failed")
    assert re.fullmatch(r"tests/test_logs\.py:\d+( > tests/test_logs\.py:\d+)+", lines()[0]["where"])


def test_a_line_within_a_span_has_the_id_of_its_trace(lines: Lines):
    structlog.get_logger("api").info("request.finished")
    with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(0xABC, 1, is_remote=False))):
        structlog.get_logger("api").info("request.finished")
    outside, inside = lines()
    assert "trace_id" not in outside
    assert inside["trace_id"] == f"{0xABC:032x}"


def test_an_event_of_ours_is_not_put_together_from_values(lines: Lines):
    structlog.get_logger("api").info("sent %s", CANARY)
    assert CANARY not in json.dumps(lines())


def test_an_exception_shows_its_classes_and_our_lines(lines: Lines):
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("request.failed")
    [line] = lines()
    assert line["error"] == "ValueError < KeyError"
    assert line["where"].startswith("tests/test_logs.py:")
    assert CANARY not in json.dumps(line)


def test_a_librarys_exception_is_shown_the_same_way(lines: Lines):
    try:
        fail()
    except ValueError:
        logging.getLogger("library").exception("failed with %s", CANARY)
    assert lines()[0]["error"] == "ValueError < KeyError"
    assert CANARY not in json.dumps(lines())


def test_what_nobody_caught_is_logged_without_its_text(lines: Lines):
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    [line] = lines()
    assert (line["event"], line["error"]) == ("process.uncaught", "ValueError < KeyError")
    assert (line["logger"], line["level"]) == ("process", "critical")
    assert CANARY not in json.dumps(line)


def test_a_warning_does_not_show_its_text(lines: Lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARY, stacklevel=1)
    assert lines()[0]["logger"] == "py.warnings"
    assert CANARY not in json.dumps(lines())


@pytest.mark.parametrize("name", [*logs.QUIET, "botocore.endpoint", "urllib3.connectionpool", "httpcore.http11"])
def test_a_library_that_writes_bodies_is_quiet_even_at_debug(lines: Lines, name: str):
    logging.getLogger(name).debug("body %s", CANARY)
    logging.getLogger(name).info("body %s", CANARY)
    assert lines() == []


def test_a_message_of_an_activity_names_its_workflow_and_nothing_else_of_it(lines: Lines):
    def step(argument: str) -> None:
        activity.logger.info("Nothing to close.")

    ActivityEnvironment().run(step, CANARY)
    [line] = lines()
    assert (line["event"], line["workflow_id"], line["activity_type"]) == ("Nothing to close.", "test", "unknown")
    assert CANARY not in json.dumps(line)


@given(st.dictionaries(st.from_regex("[a-df-z][a-z_]{0,12}", fullmatch=True), st.text() | st.binary() | st.none()))
def test_whatever_is_logged_no_field_outside_the_list_appears(fields: dict[str, Any]):
    with logged() as lines:
        structlog.get_logger().info("anything", **fields)
        assert set(lines()[0]) <= set(logs.FIELDS)
