"""Logs: one JSON line per event, and no way for a value to get into one."""

import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
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
