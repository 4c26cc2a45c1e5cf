"""The metrics of our own: their names, labels and buckets, in one place for those who record them, who serve them and
who document them.

A label takes its values from a set that the code closes: an enum, the routes, the steps, the AWS operations that we
call. Never a tenant, an account, an id or a text from outside.
"""

from dataclasses import dataclass
from enum import StrEnum

OTHER = "other"
"""The value of a label in place of one that is not in its set."""

SECONDS = "seconds"
"""The unit of a histogram."""

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 24 * 3600.0


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


_SUFFIXES = {Kind.COUNTER: "_total", Kind.GAUGE: "", Kind.HISTOGRAM: f"_{SECONDS}"}


@dataclass(frozen=True)
class Metric:
    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram; every one is of seconds."""

    @property
    def exposed(self) -> str:
        """The name under which Prometheus reads it."""
        return f"{self.name}{_SUFFIXES[self.kind]}"


ONBOARDING_DURATION = Metric(
    "onboarding_duration",
    Kind.HISTOGRAM,
    ("provider", "outcome"),
    "Time from the start of an onboarding until its outcome is certain.",
    (0.1, 0.5, 1, 5, 15, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY),
)
SUBMISSION_DURATION = Metric(
    "onboarding_submission_duration",
    Kind.HISTOGRAM,
    ("provider", "result"),
    "Time from the acceptance of a credential by a worker until its answer.",
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, _MINUTE, 5 * _MINUTE, 15 * _MINUTE),
)
ONBOARDINGS_ENDED = Metric(
    "onboardings_ended",
    Kind.COUNTER,
    ("provider", "outcome"),
    "Onboardings whose outcome is certain.",
)
SUBMISSIONS = Metric(
    "onboarding_submissions",
    Kind.COUNTER,
    ("provider", "result"),
    "Submitted credentials that were answered, by their result.",
)
REFUSALS = Metric(
    "onboarding_refusals",
    Kind.COUNTER,
    ("provider", "step", "code"),
    "Credentials that were refused, by the step of the validation that failed and its code.",
)
STEP_FAILURES = Metric(
    "onboarding_step_failures",
    Kind.COUNTER,
    ("step", "code"),
    "Attempts of an activity that ended with an error, by activity and the code of the error.",
)
STEPS_RETRYING = Metric(
    "onboarding_steps_retrying",
    Kind.COUNTER,
    ("step",),
    "Attempts of an activity that ended with an error after many others had: it does not pass by itself.",
)
RUNNING = Metric(
    "onboardings_running", Kind.GAUGE, ("state",), "Onboardings under way, by the state they are found by."
)
WAITING_LONG = Metric(
    "onboardings_waiting_long", Kind.GAUGE, (), "Onboardings that have waited for a credential for more than 3 days."
)
COUNTED_AT = Metric(
    "onboardings_counted_timestamp_seconds",
    Kind.GAUGE,
    (),
    "When the two gauges above were last right, as Unix time.",
)
AWS_REQUESTS = Metric(
    "aws_requests",
    Kind.COUNTER,
    ("service", "operation", "result"),
    "Requests to AWS, each attempt by itself, to our own account and to customers' ones.",
)
SCHEDULE_DRIFT = Metric(
    "schedule_drift",
    Kind.COUNTER,
    ("kind",),
    "What sweeps found to be otherwise than the rows of schedules say, and mended.",
)
SCANS_ENDED = Metric(
    "scans_ended", Kind.COUNTER, ("provider", "outcome"), "Scans that were let in and have ended, by how they ended."
)
SCANS_SKIPPED = Metric("scans_skipped", Kind.COUNTER, ("reason",), "Runs that ended without a scan, by the reason.")
SCAN_DURATION = Metric(
    "scan_duration",
    Kind.HISTOGRAM,
    ("provider", "outcome"),
    "Time from the start of a run until its scan has ended.",
    (1, 5, 15, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR),
)
SCAN_CHECKS = Metric(
    "scan_checks", Kind.COUNTER, ("provider", "status"), "Checks of completed scans, by what they found."
)
SCAN_COMPLETED_AT = Metric(
    "scan_completed_timestamp_seconds",
    Kind.GAUGE,
    ("provider",),
    "When the last scan was completed, as Unix time.",
)
DELIVERIES = Metric(
    "notification_deliveries",
    Kind.COUNTER,
    ("channel", "state"),
    "Notifications that were delivered, or given up after all attempts.",
)
UNSIGNED_COMMANDS = Metric(
    "unsigned_commands",
    Kind.COUNTER,
    ("kind", "outcome"),
    "Commands and answers that came through Temporal without our signature for their place.",
)
UNREADABLE_ROWS = Metric(
    "unreadable_rows",
    Kind.COUNTER,
    ("table",),
    "Readings of rows that do not have the form that this version knows, and that lists leave out.",
)
AUDIT_EVENTS_SEALED = Metric(
    "audit_events_sealed",
    Kind.COUNTER,
    ("arrival",),
    "Audit events that were put into signed digests.",
)
AUDIT_SEALED_AT = Metric(
    "audit_sealed_timestamp_seconds",
    Kind.GAUGE,
    (),
    "When the last sealing began that left over no audit event due for it, as Unix time.",
)
RATE_STORE_FAILURES = Metric(
    "rate_limit_store_failures",
    Kind.COUNTER,
    (),
    "Times that the shared store of rates did not answer, so that a process counted for itself.",
)
HTTP_DURATION = Metric(
    "http_server_request_duration",
    Kind.HISTOGRAM,
    ("method", "route", "status"),
    "Time of a request to the API, until its answer is sent.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

ALL = (
    ONBOARDING_DURATION,
    SUBMISSION_DURATION,
    ONBOARDINGS_ENDED,
    SUBMISSIONS,
    REFUSALS,
    STEP_FAILURES,
    STEPS_RETRYING,
    RUNNING,
    WAITING_LONG,
    COUNTED_AT,
    AWS_REQUESTS,
    SCHEDULE_DRIFT,
    SCANS_ENDED,
    SCANS_SKIPPED,
    SCAN_DURATION,
    SCAN_CHECKS,
    SCAN_COMPLETED_AT,
    DELIVERIES,
    UNSIGNED_COMMANDS,
    UNREADABLE_ROWS,
    AUDIT_EVENTS_SEALED,
    AUDIT_SEALED_AT,
    RATE_STORE_FAILURES,
    HTTP_DURATION,
)
