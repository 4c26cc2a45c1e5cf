"""The sandbox of our workflows: strict, guarded, and not entered for questions whose answer is known outside.

The SDK asks the workflow up to four times for each payload, to which activity or child it belongs, so that a codec or
an external storage can be told. Each question enters the sandbox, which took a quarter of a worker's time. There is
neither on this side: a guard around the sandbox checks and signs payloads, and knows their places from the commands.
"""

from dataclasses import dataclass, replace

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info, SandboxImportNotificationPolicy

from temporal.signing.guard import Guard
from temporal.signing.signatures import Signer


def strict_sandbox(signer: Signer | None = None) -> WorkflowRunner:
    """A workflow file that imports something outside its pass-through block fails at once, by name."""
    policy = SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    return LeanSandbox(restrictions=SandboxRestrictions.default.with_import_notification_policy(policy), signer=signer)


@dataclass(frozen=True)
class LeanSandbox(SandboxedWorkflowRunner):
    """Without a signer nothing is checked or signed, as for the replay of a history."""

    signer: Signer | None = None

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        if self.signer is None:
            return ContextFree(super().create_instance(det))
        # What an earlier run of the same schedule left is signed for that run, and none of ours reads it.
        det.last_completion_result.Clear()
        return ContextFree(super().create_instance(replace(det, last_failure=None)), Guard(self.signer, det.info))


class ContextFree(WorkflowInstance):
    """The sandboxed instance, without a context for its payloads, behind a guard."""

    def __init__(self, sandboxed: WorkflowInstance, guard: Guard | None = None) -> None:
        self._sandboxed = sandboxed
        self._guard = guard

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        guard = self._guard
        if guard is None or any(job.HasField("remove_from_cache") for job in act.jobs):
            return self._sandboxed.activate(act)
        guard.receive(act)
        # What a history holds is gone through first, so that the end fits it. A query has no part in a history.
        if guard.broken and (not act.is_replaying or any(job.HasField("query_workflow") for job in act.jobs)):
            return guard.refusal(act)
        completion = self._sandboxed.activate(act)
        guard.send(completion)
        return completion

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)
