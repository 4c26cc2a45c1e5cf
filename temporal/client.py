"""The one way to connect to Temporal: API, worker, operators and tests share this plugin, and so the sandbox, the
failure hygiene, the converter and the signatures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from temporalio.client import Client, ClientConfig
from temporalio.exceptions import ApplicationError
from temporalio.plugin import SimplePlugin
from temporalio.worker import Interceptor, WorkerConfig

from temporal.interceptors import FailureHygiene, NothingUnsigned
from temporal.sandbox import strict_sandbox
from temporal.signing.converters import signed_converter
from temporal.signing.signatures import Signer

AsFailure = Callable[[Exception], ApplicationError]


async def connect(
    address: str,
    *,
    namespace: str,
    signer: Signer | None = None,
    as_failure: AsFailure | None = None,
    interceptors: Sequence[Interceptor] = (),
    lazy: bool = False,
    identity: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Client:
    """A client, and through it workers, with our plugin. `signer` signs what it sends and checks what it receives:
    whoever starts, changes or runs something needs it. `as_failure` maps errors to failures: workers need it.
    `interceptors` watch, and see a failure as the history does. `lazy` connects at the first call; `identity`
    is the name that others see of a worker; `options` are further ones of `Client.connect` (TLS, API key, ...)."""
    further = {name: value for name, value in (options or {}).items() if name not in ("target_host", "namespace")}
    ours = plugin(as_failure, interceptors, signer)
    return await Client.connect(address, namespace=namespace, lazy=lazy, identity=identity, plugins=[ours], **further)


def plugin(
    as_failure: AsFailure | None = None, interceptors: Sequence[Interceptor] = (), signer: Signer | None = None
) -> SimplePlugin:
    """Our wiring, for clients, workers and replayers. Without a signer nothing is signed, and nothing is refused."""
    return Wiring(as_failure, interceptors, signer)


class Wiring(SimplePlugin):
    def __init__(
        self, as_failure: AsFailure | None, interceptors: Sequence[Interceptor], signer: Signer | None
    ) -> None:
        ours = [*interceptors]
        ours += [FailureHygiene(as_failure)] if as_failure else []
        ours += [NothingUnsigned(signer)] if signer else []
        super().__init__(
            "threat-engine-onboarding", interceptors=ours, workflow_runner=lambda _: strict_sandbox(signer)
        )
        self._signer = signer

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        config = super().configure_client(config)
        if self._signer:
            config["data_converter"] = signed_converter(self._signer)
        return config

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        config = super().configure_worker(config)
        if self._signer:
            config["client"] = _on_the_other_end(config["client"], self._signer)
        return config


def _on_the_other_end(client: Client, signer: Signer) -> Client:
    """The same connection, with the converter of those who receive commands. Its plugins have done their part."""
    settings = client.config(active_config=True)
    settings |= {"data_converter": signed_converter(signer, worker=True), "plugins": []}
    return Client(**settings)
