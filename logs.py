"""Logs that cannot carry a value by accident: one line per event, with fields from a closed list.

Our own events go through structlog; records of libraries, which use `logging`, end in the same formatter,
where only the constant part of their message survives. An exception is shown as the names of its classes
and the lines of ours that it passed, for its text may hold what a customer submitted.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog
import temporalio.activity
import temporalio.workflow
from opentelemetry import trace
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

ROOT = Path(__file__).resolve().parent
MAX_TEXT = 300

FIELDS = (
    *("at", "level", "event", "error", "where", "code", "request_id", "trace_id", "method", "route", "status"),
    *("milliseconds", "actor", "workflow_id", "workflow_type", "run_id", "activity_type", "attempt", "task_queue"),
    *("host", "port", "version", "retry_in_seconds", "setting", "logger", "dropped_fields"),
)
"""Every field that may be logged, in the order of a line: names, ids, codes, counts and times."""

QUIET = (
    # These write what they send, headers and bodies, when they are asked for details.
    *("aws_encryption_sdk", "boto3", "botocore", "hpack", "httpcore", "httpx", "opentelemetry", "urllib3"),
    # Of these our own events tell the same.
    *("asyncio", "temporalio.worker", "uvicorn"),
)
"""Libraries of which warnings are enough, whatever the level."""

CONSTANT_TEXTS = ("uvicorn.error", "temporalio.core")
"""Loggers whose messages are shown although they are put together before we see them: they tell of life cycles."""


def configure(level: str, *, stream: TextIO = sys.stderr) -> None:
    """Send every log of the process to `stream`: JSON lines, or coloured text when a person is watching."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(for_a_person=stream.isatty()))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a record that cannot be written would be printed with its values
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda hook: _log_uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)
    # Their default is to append every detail of the activity or workflow to the message.
    temporalio.activity.logger.activity_info_on_message = False
    temporalio.workflow.logger.workflow_info_on_message = False


def _formatter(*, for_a_person: bool) -> ProcessorFormatter:
    renderer: Processor = structlog.processors.JSONRenderer()
    if for_a_person:
        renderer = structlog.dev.ConsoleRenderer(timestamp_key="at")
    return ProcessorFormatter(
        foreign_pre_chain=[_keep_constant_text, *_SHARED],
        processors=[_name_error, _keep_known_fields, renderer],
        use_get_message=False,
        pass_foreign_args=True,
    )


def _keep_constant_text(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A message with arguments is a constant until they are put in, and our own files are held to constants
    by the linter. Any other message may have been put together from values."""
    record: logging.LogRecord = event["_record"]
    constant = event.pop("positional_args") or _is_ours(record.pathname) or record.name in CONSTANT_TEXTS
    if not constant:
        event.update(event="(text withheld)", where=f"{record.filename}:{record.lineno}")
    for details in ("temporal_activity", "temporal_workflow"):
        event.update((n, v) for n, v in getattr(record, details, {}).items() if n in FIELDS)
    return event


def _name_trace(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A trace carries no ids: from the line that has them one comes to the trace."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def _name_error(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event.update(describe(error))
    return event


def _keep_known_fields(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    ProcessorFormatter.remove_processors_meta(logger, method, event)
    known = {name: _plain(event[name]) for name in FIELDS if name in event}
    dropped = len(event) - len(known)
    return known | ({"dropped_fields": dropped} if dropped else {})


def _plain(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    return value[:MAX_TEXT] if isinstance(value, str) else f"({type(value).__name__})"


def describe(error: BaseException) -> dict[str, str]:
    """An exception without its text: its class and those of its causes, and the lines of our code it
    passed."""
    classes = " < ".join(type(link).__name__ for link in _causes(error))
    frames = [frame for link in _causes(error) for frame in traceback.extract_tb(link.__traceback__)]
    ours = [f"{Path(f.filename).relative_to(ROOT)}:{f.lineno}" for f in frames if _is_ours(f.filename)]
    return {"error": classes, "where": " > ".join(ours)}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_ours(file: str) -> bool:
    path = Path(file)
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] != ".venv"


def _log_uncaught(_: type[BaseException], error: BaseException | None, __: TracebackType | None) -> None:
    structlog.get_logger("process").critical("process.uncaught", exc_info=error)


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    _name_trace,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)
