"""What a workflow receives is checked, and what it sends is signed, outside of its sandbox.

The SDK would ask the sandbox, for each payload, which activity or child it belongs to. That took a quarter of a
worker's time. The guard sees all commands of a workflow pass, so it knows.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.workflow import Info

from domain.commands import CommandKind
from domain.errors import UnsignedCommand
from temporal.signing.signatures import Place, Signer, Way, refuse

_FIRING = re.compile(r"-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
"""What the server adds to the id of a workflow that a Temporal Schedule starts."""

log = structlog.get_logger("temporal")


class Guard:
    """Of one run of a workflow. Where it is handed something that is not ours, the run ends."""

    def __init__(self, signer: Signer, info: Info) -> None:
        self._signer = signer
        self._info = info
        own = Place(info.namespace, info.workflow_id)
        self._there, self._back = own.label(Way.THERE), own.label(Way.BACK)
        self._activities: dict[int, bytes] = {}
        self._children: dict[int, bytes] = {}
        self.broken = False

    def receive(self, act: WorkflowActivation) -> None:
        """Check an activation. An update or a signal that is refused is marked, so that it alone is refused, unless the
        history says that it was accepted once."""
        for job in act.jobs:
            variant = str(job.WhichOneof("variant"))
            if (look := _INBOUND.get(variant)) and not look(self, getattr(job, variant), not act.is_replaying):
                self._break(variant)

    def send(self, completion: WorkflowActivationCompletion) -> None:
        """Sign a completion."""
        for command in completion.successful.commands:
            variant = str(command.WhichOneof("variant"))
            if handle := _OUTBOUND.get(variant):
                handle(self, getattr(command, variant))

    def refusal(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """In place of what the workflow would do: it ends, and tells nothing."""
        completion = WorkflowActivationCompletion(run_id=act.run_id)
        completion.successful.SetInParent()
        queries = [job.query_workflow.query_id for job in act.jobs if job.HasField("query_workflow")]
        for query_id in queries:
            answer = completion.successful.commands.add().respond_to_query
            answer.query_id = query_id
            answer.failed.message = UnsignedCommand.default_message
        if not queries:
            failure = completion.successful.commands.add().fail_workflow_execution.failure
            failure.message = UnsignedCommand.default_message
            failure.application_failure_info.type = UnsignedCommand.code
            failure.application_failure_info.non_retryable = True
            self._signer.sign_failure(failure, self._back)
        return completion

    def _break(self, what: str) -> None:
        if not self.broken:
            self.broken = True
            log.error(
                "temporal.unsigned_command",
                received=what,
                workflow_id=self._info.workflow_id,
                workflow_type=self._info.workflow_type,
            )

    # Each says whether the run may go on.

    def _start(self, job: Any, live: bool) -> bool:
        labels = [self._there]
        without_time = _FIRING.sub("", self._info.workflow_id)
        if without_time != self._info.workflow_id:
            labels.append(Place(self._info.namespace, without_time).label(Way.THERE))
        return self._signer.accepts(job.arguments, *labels, kind=CommandKind.WORKFLOW, counted=live)

    def _update(self, job: Any, live: bool) -> bool:
        accepted = self._signer.accepts(job.input, self._there, kind=CommandKind.UPDATE, counted=live)
        if not accepted and live:
            _mark(job.input)
        return accepted or live

    def _signal(self, job: Any, live: bool) -> bool:
        if not self._signer.accepts(job.input, self._there, kind=CommandKind.SIGNAL, counted=live):
            _mark(job.input)
        return True

    def _activity_ended(self, job: Any, live: bool) -> bool:
        return self._result(job.result, self._activities.pop(job.seq, b""), live)

    def _child_ended(self, job: Any, live: bool) -> bool:
        return self._result(job.result, self._children.pop(job.seq, b""), live)

    def _result(self, result: Any, label: bytes, live: bool) -> bool:
        match result.WhichOneof("status"):
            case "completed":
                payloads = [result.completed.result] if result.completed.HasField("result") else []
                return self._signer.accepts(payloads, label, kind=CommandKind.RESULT, counted=live)
            case "failed":
                return self._signer.accepts_failure(result.failed.failure, label, counted=live)
            case "cancelled":
                return self._signer.accepts_failure(result.cancelled.failure, label, counted=live)
            case _:
                return True

    # Each signs what it is given.

    def _schedule_activity(self, command: Any) -> None:
        place = Place(self._info.namespace, self._info.workflow_id, command.activity_type, command.activity_id)
        self._activities[command.seq] = place.label(Way.BACK)
        self._sign(command.arguments, place.label(Way.THERE))

    def _start_child(self, command: Any) -> None:
        place = Place(command.namespace or self._info.namespace, command.workflow_id)
        self._children[command.seq] = place.label(Way.BACK)
        self._sign(command.input, place.label(Way.THERE))

    def _signal_other(self, command: Any) -> None:
        target = command.workflow_execution
        workflow_id = target.workflow_id or command.child_workflow_id
        self._sign(command.args, Place(target.namespace or self._info.namespace, workflow_id).label(Way.THERE))

    def _continue(self, command: Any) -> None:
        self._sign(command.arguments, self._there)

    def _complete(self, command: Any) -> None:
        self._sign([command.result], self._back)

    def _fail(self, command: Any) -> None:
        self._signer.sign_failure(command.failure, self._back)

    def _answer_update(self, command: Any) -> None:
        match command.WhichOneof("response"):
            case "completed":
                self._sign([command.completed], self._back)
            case "rejected":
                self._signer.sign_failure(command.rejected, self._back)

    def _answer_query(self, command: Any) -> None:
        if command.HasField("succeeded"):
            self._sign([command.succeeded.response], self._back)

    def _sign(self, payloads: Sequence[Payload], label: bytes) -> None:
        for payload in payloads:
            self._signer.sign(payload, label)


_INBOUND: dict[str, Callable[[Guard, Any, bool], bool]] = {
    "initialize_workflow": Guard._start,
    "do_update": Guard._update,
    "signal_workflow": Guard._signal,
    "resolve_activity": Guard._activity_ended,
    "resolve_child_workflow_execution": Guard._child_ended,
}
_OUTBOUND: dict[str, Callable[[Guard, Any], None]] = {
    "schedule_activity": Guard._schedule_activity,
    "schedule_local_activity": Guard._schedule_activity,
    "start_child_workflow_execution": Guard._start_child,
    "signal_external_workflow_execution": Guard._signal_other,
    "continue_as_new_workflow_execution": Guard._continue,
    "complete_workflow_execution": Guard._complete,
    "fail_workflow_execution": Guard._fail,
    "update_response": Guard._answer_update,
    "respond_to_query": Guard._answer_query,
}


def _mark(payloads: Any) -> None:
    """Also where there is none: a handler without an input is not to run either."""
    if not payloads:
        payloads.add()
    for payload in payloads:
        refuse(payload)
