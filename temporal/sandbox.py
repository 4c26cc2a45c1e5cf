"""The sandbox of our workflows: strict, and not entered for questions whose answer is always the same.

The SDK asks the workflow up to four times for each payload, to which activity or child it belongs, so that a codec or
an external storage can be told. Each question enters the sandbox, which took a quarter of a worker's time. We have
neither, so the answer does not matter: whoever adds one takes `LeanSandbox` out.
"""

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info, SandboxImportNotificationPolicy


def strict_sandbox(_: WorkflowRunner | None) -> WorkflowRunner:
    """A workflow file that imports something outside its pass-through block fails at once, by name."""
    policy = SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    return LeanSandbox(restrictions=SandboxRestrictions.default.with_import_notification_policy(policy))


class LeanSandbox(SandboxedWorkflowRunner):
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return ContextFree(super().create_instance(det))


class ContextFree(WorkflowInstance):
    """The sandboxed instance, without a context for its payloads."""

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)
