"""What an activity raises reaches a history as our own words only."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import ActivityFailureError, Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.failures import as_failure
from domain.errors import NotFound
from temporal.client import connect

CANARY = "AKIA-canary-value"


@activity.defn
def leak() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        raise KeyError(CANARY) from error


@activity.defn
def refuse() -> None:
    raise NotFound


async def failure_of(step: Callable[[], None], bare: Client) -> ApplicationError:
    """What the server keeps of the failure of an activity."""
    client = await connect(bare.service_client.config.target_host, namespace=bare.namespace, as_failure=as_failure)
    queue = f"test-{uuid4()}"
    with ThreadPoolExecutor(2) as executor:
        async with Worker(client, task_queue=queue, activities=[leak, refuse], activity_executor=executor):
            handle = await client.start_activity(
                step,
                id=queue,
                task_queue=queue,
                start_to_close_timeout=timedelta(minutes=5),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
            with pytest.raises(ActivityFailureError) as raised:
                await handle.result()
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause


async def test_a_foreign_exception_and_its_causes_leave_only_a_class_name(bare: Client):
    failure = await failure_of(leak, bare)
    assert failure.type == "internal"
    assert "KeyError" in failure.message
    assert failure.failure is not None
    assert CANARY.encode() not in failure.failure.SerializeToString()
    assert not failure.failure.HasField("cause")


async def test_a_domain_error_keeps_its_code(bare: Client):
    failure = await failure_of(refuse, bare)
    assert (failure.type, failure.non_retryable) == (NotFound.code, True)
