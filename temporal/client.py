"""The one way to connect to Temporal: API, worker, operators and tests share this plugin, and so the sandbox, the
failure hygiene and the converter."""

from collections.abc import Callable, Mapping
from typing import Any

from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from temporal.interceptors import FailureHygiene

AsFailure = Callable[[Exception], ApplicationError]


async def connect(
    address: str,
    *,
    namespace: str,
    as_failure: AsFailure | None = None,
    lazy: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Client:
    """A client, and through it workers, with our plugin. `as_failure` maps errors to failures: workers need it. `lazy`
    connects at the first call; `options` are further ones of `Client.connect` (TLS, API key, ...)."""
    further = {name: value for name, value in (options or {}).items() if name not in ("target_host", "namespace")}
    return await Client.connect(address, namespace=namespace, lazy=lazy, plugins=[plugin(as_failure)], **further)


def plugin(as_failure: AsFailure | None = None) -> SimplePlugin:
    """Our wiring, for clients, workers and replayers."""
    return SimplePlugin(
        "threat-engine-onboarding",
        interceptors=[FailureHygiene(as_failure)] if as_failure else None,
        workflow_runner=_strict_sandbox,
    )


def _strict_sandbox(_: WorkflowRunner | None) -> WorkflowRunner:
    """A workflow file that imports something outside its pass-through block fails at once, by name."""
    policy = SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    restrictions = SandboxRestrictions.default.with_import_notification_policy(policy)
    return SandboxedWorkflowRunner(restrictions=restrictions)
