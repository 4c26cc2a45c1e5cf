"""How long a step may take and how it is retried: named sets, chosen by what the step talks to.

A start-to-close timeout is also how long a dead worker goes unnoticed, so it is just above what a healthy call takes.
Which errors are not retried is decided where they are raised (`activities/failures.py`), never here.
"""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy


class Timing(TypedDict, total=False):
    """Keyword arguments of `workflow.execute_activity_method`."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


STORE_CALL: Timing = {
    "start_to_close_timeout": timedelta(seconds=15),
    "schedule_to_close_timeout": timedelta(hours=24),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=15),
    ),
}
"""Our own AWS: two attempts of at most seven seconds in the client, and retries for a day, which outlives any outage
that operators would sit out. What is a bug of ours ends much earlier: see `activities.failures`."""

MENDING: Timing = {**STORE_CALL, "schedule_to_close_timeout": timedelta(minutes=5)}
"""A step of a sweep, which finds again what it could not mend."""

SWEEP: Timing = {
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(hours=1),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=1)),
}
"""All rows, page by page. It gives up before the next sweep begins."""

SEALING: Timing = {
    "start_to_close_timeout": timedelta(minutes=2),
    "heartbeat_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
}
"""One tenant's audit events. It gives up so that the next run, which waits for it, begins anew with everybody's."""

ENGINE_CALL: Timing = {
    "start_to_close_timeout": timedelta(seconds=60),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
}
"""One call of an engine elsewhere, whose outage is ridden out for a while."""

COLLECTION: Timing = {
    **ENGINE_CALL,
    "start_to_close_timeout": timedelta(minutes=5),
    "heartbeat_timeout": timedelta(seconds=10),
}
"""Fetch all findings and store them."""

DELIVERY: Timing = {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=2)),
}
"""A receiver that does not answer. The run stays open meanwhile, so this stays far below the shortest interval."""


def scan_in_process(max_seconds: int) -> Timing:
    """A long scan: heartbeats tell a dead worker within ten seconds, and another one starts it anew."""
    return {
        "start_to_close_timeout": timedelta(seconds=max_seconds),
        "heartbeat_timeout": timedelta(seconds=10),
        "schedule_to_close_timeout": timedelta(seconds=max_seconds),
        "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
    }


def engine_poll(max_seconds: float) -> Timing:
    """Each attempt is one look; the engine's own pace is the delay between two."""
    return {
        "start_to_close_timeout": timedelta(seconds=30),
        "schedule_to_close_timeout": timedelta(seconds=max_seconds),
        "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(seconds=30)),
    }


def cloud_call(patience_seconds: int) -> Timing:
    """A customer's cloud: heartbeats tell a dead worker within ten seconds; an outage is ridden out for a while."""
    return {
        "start_to_close_timeout": timedelta(seconds=60),
        "heartbeat_timeout": timedelta(seconds=10),
        "schedule_to_close_timeout": timedelta(seconds=patience_seconds),
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(seconds=1),
            backoff_coefficient=2,
            maximum_interval=timedelta(seconds=15),
        ),
    }
