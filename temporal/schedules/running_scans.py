"""The runs under way, asked of Temporal and told to stop."""

import asyncio

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateStage
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import Unavailable
from domain.onboarding.messages import Cancellation
from temporal.calls import call


class TemporalScans:
    """The `RunningScans` port, for threads. `cancel_update` is the name of the update that ends a run."""

    def __init__(self, client: Client, loop: asyncio.AbstractEventLoop, *, cancel_update: str) -> None:
        self._client = client
        self._loop = loop
        self._cancel_update = cancel_update

    def is_running(self, workflow_id: str) -> bool:
        try:
            described = call(self._loop, self._client.get_workflow_handle(workflow_id).describe())
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Unavailable from None
            return False
        return described.status is WorkflowExecutionStatus.RUNNING

    def cancel(self, workflow_id: str, cancellation: Cancellation) -> None:
        try:
            call(self._loop, self._cancel(workflow_id, cancellation))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Unavailable from None

    async def _cancel(self, workflow_id: str, cancellation: Cancellation) -> None:
        """Not waited for: an engine that does not answer would keep the caller. One that is ending refuses it."""
        update_id, stage = f"cancel:{cancellation.origin.request_id}", WorkflowUpdateStage.ACCEPTED
        handle = self._client.get_workflow_handle(workflow_id)
        await handle.start_update(self._cancel_update, cancellation, id=update_id, wait_for_stage=stage)
