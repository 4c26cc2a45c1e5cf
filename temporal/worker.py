"""A worker as we run one: blocking activities on threads, bounded, and stopped with time for what is under way."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum, Worker

GRACE_SECONDS = 10.0
FINISH_FIRST = PollerBehaviorSimpleMaximum(5)
"""One poller for workflows that are new here and four for those that have begun. A number that grows with the load lets
in more than there is time for, and what has begun takes longer, at the same rate."""


def build_worker(
    client: Client,
    *,
    queue: str,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]],
    executor: ThreadPoolExecutor,
    concurrency: int,
    max_cached_workflows: int = 1000,
) -> Worker:
    """A worker of `queue` that runs at most `concurrency` activities at once; `executor` has a thread for each."""
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=activities,
        activity_executor=executor,
        max_concurrent_activities=concurrency,
        max_concurrent_workflow_tasks=min(20, max(2, concurrency)),
        max_cached_workflows=max_cached_workflows,
        workflow_task_poller_behavior=FINISH_FIRST,
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=timedelta(seconds=GRACE_SECONDS),
    )
