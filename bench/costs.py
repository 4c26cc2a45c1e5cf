"""What an onboarding costs beside time: the events of its history, and the actions that Temporal Cloud would bill.

Which events are actions: docs.temporal.io/evaluate/cloud/actions, read in August 2026. Heartbeats and queries
leave no event; a step of an onboarding that takes milliseconds sends none.
"""

from collections import Counter
from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

ACTIONS = {
    "WORKFLOW_EXECUTION_STARTED",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    "ACTIVITY_TASK_SCHEDULED",
    "TIMER_STARTED",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
    "WORKFLOW_EXECUTION_SIGNALED",
    "MARKER_RECORDED",
}


def events_by_type(history: Iterable[HistoryEvent]) -> Counter[str]:
    return Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history)


def actions(history: Iterable[HistoryEvent]) -> int:
    """Every repeated attempt of an activity is one more."""
    count = 0
    for event in history:
        count += EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") in ACTIONS
        if event.HasField("activity_task_started_event_attributes"):
            count += event.activity_task_started_event_attributes.attempt - 1
    return count
