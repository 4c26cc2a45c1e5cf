"""The one way to connect to Temporal: API, worker, operators and tests share this plugin, and so the sandbox, the
failure hygiene and the converter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.plugin import SimplePlugin
from temporalio.worker import Interceptor

from temporal.interceptors import FailureHygiene
from temporal.sandbox import strict_sandbox

AsFailure = Callable[[Exception], ApplicationError]


async def connect(
    address: str,
    *,
    namespace: str,
    as_failure: AsFailure | None = None,
    interceptors: Sequence[Interceptor] = (),
    lazy: bool = False,
    identity: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Client:
    """A client, and through it workers, with our plugin. `as_failure` maps errors to failures: workers need it.
    `interceptors` watch, and see a failure as the history does. `lazy` connects at the first call; `identity` is the
    name that others see of a worker; `options` are further ones of `Client.connect` (TLS, API key, ...)."""
    further = {name: value for name, value in (options or {}).items() if name not in ("target_host", "namespace")}
    ours = plugin(as_failure, interceptors)
    return await Client.connect(address, namespace=namespace, lazy=lazy, identity=identity, plugins=[ours], **further)


def plugin(as_failure: AsFailure | None = None, interceptors: Sequence[Interceptor] = ()) -> SimplePlugin:
    """Our wiring, for clients, workers and replayers."""
    return SimplePlugin(
        "threat-engine-onboarding",
        interceptors=[*interceptors, *([FailureHygiene(as_failure)] if as_failure else [])],
        workflow_runner=strict_sandbox,
    )
