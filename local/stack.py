"""The whole system on this machine: Temporal, AWS, worker and API, started together and stopped together."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_hex

import httpx

from commands.bootstrap import add_administrator_key
from commands.setup import set_up_aws, set_up_temporal
from composition.deployment import deployment_name
from config import GivenSettings, Settings, TemporalConnection
from emulators.ministack import REGION, ministack_is_ready, starting_ministack
from emulators.ports import HOST, Ports, free_port
from emulators.processes import Child, running
from emulators.temporal import TemporalServer, starting_temporal
from local.identities import WORKER_ROLE, AwsAccount, acting_as, make_process_identities
from local.kept import WATCH_SECONDS, Kept, Say
from local.progress import Progress
from local.settings import checked, passed_on
from settings.secret_values import API_SECRETS, WORKER_SECRETS, unneeded
from stores.dynamodb.api_keys import DynamoApiKeyStore
from stores.session import AwsClients
from temporal.client import connect
from temporal.pollers import strangers
from workflows import search_attributes
from workflows.ids import QUEUES

ROOT = Path(__file__).resolve().parents[1]
PLATFORM_NUMBER, CUSTOMER_NUMBER = "111122223333", "444455556666"


@dataclass(frozen=True)
class Stack:
    """A running stack and all that is needed for talking to it."""

    folder: Path
    api_url: str
    api_key: str
    temporal: TemporalServer
    platform: AwsAccount
    customer: AwsAccount
    servers: tuple[Child, ...]
    """What ends the stack when it ends."""
    kept: tuple[Kept, ...]
    """What is started again."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """The address of the metrics of each process, api and worker."""

    async def strangers(self) -> Sequence[str]:
        """Who else polls the queues of this stack, a sentence each."""
        settings = GivenSettings.of(
            platform_aws_account_id=self.platform.number, aws_region=REGION, aws_endpoint_url=self.platform.endpoint
        )
        client = await connect(self.temporal.address, namespace=self.temporal.namespace)
        return [
            f"A stranger, {identity}, polls the queue {queue} and takes steps from it. Stop it."
            for queue in QUEUES
            for identity in await strangers(client, queue, deployment=deployment_name(settings))
        ]

    @property
    def children(self) -> tuple[Child, ...]:
        return (*self.servers, *(kept.child for kept in self.kept))

    async def watch(self, say: Say, restarted: Callable[[], None] = lambda: None) -> None:
        """Starts API and worker again when they die, and runs until that is of no use, then raises StackFailed."""
        watches = [self._servers_run(), *(kept.keep(say, restarted) for kept in self.kept)]
        tasks = [asyncio.create_task(watch) for watch in watches]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _servers_run(self) -> None:
        while True:
            for server in self.servers:
                server.check()
            await asyncio.sleep(WATCH_SECONDS)


@asynccontextmanager
async def running_stack(
    folder: Path,
    *,
    ports: Ports,
    progress: Progress,
    settings: Mapping[str, str] | None = None,
    temporal_db: Path | None = None,
) -> AsyncIterator[Stack]:
    """Everything up and set up, in an empty `folder`. `settings` override what the processes get. Raises
    StackFailed when a part does not start; stops everything at the end, in every case."""
    chosen = checked({**passed_on(), **(settings or {})}, account=PLATFORM_NUMBER)
    with ExitStack() as parts:
        temporal = parts.enter_context(temporal_server(folder / "logs/temporal.log", ports=ports, db=temporal_db))
        ministack = parts.enter_context(starting_ministack(folder / "logs/ministack.log", port=ports.aws))
        with progress.step("Temporal and AWS (MiniStack) are up"):
            await asyncio.gather(
                asyncio.to_thread(temporal.child.wait_until, temporal.is_ready),
                asyncio.to_thread(ministack.wait_until, partial(ministack_is_ready, ports.aws)),
            )
        endpoint = f"http://{HOST}:{ports.aws}"
        platform = AwsAccount(PLATFORM_NUMBER, endpoint, token_hex(20))
        customer = AwsAccount(CUSTOMER_NUMBER, endpoint, token_hex(20))
        environment = process_environment(folder, ports=ports, settings=settings or {})
        with progress.step("the platform's own roles exist in AWS"):
            user = await asyncio.to_thread(make_process_identities, platform, Path(environment["AWS_CONFIG_FILE"]))
        metrics = {name: f"{HOST}:{free_port()}" for name in ("worker", "api")}
        api_url = f"http://{HOST}:{ports.api}"
        is_ready = {"worker": has_started, "api": lambda _: answers(f"{api_url}/api/v1/health/ready")}
        kept = tuple(
            parts.enter_context(
                Kept(name, partial(_ours, name, folder, {**environment, "METRICS_ADDRESS": address}), is_ready[name])
            )
            for name, address in metrics.items()
        )
        with progress.step("keys, tables and search attributes are set up"):
            operator = await asyncio.to_thread(acting_as, "setup", user, platform)
            api_key = await set_up(operator, TemporalConnection(temporal.address, ports.namespace), chosen)
        with progress.step("API and worker are up"):
            for each in kept:
                await each.until_ready()
        servers = (temporal.child, ministack)
        parts.callback(progress.say, "Stopping everything ...")
        urls = {name: f"http://{address}/metrics" for name, address in metrics.items()}
        yield Stack(folder, api_url, api_key, temporal, platform, customer, servers, kept, urls)


def temporal_server(log: Path, *, ports: Ports, db: Path | None) -> AbstractContextManager[TemporalServer]:
    """With our search attributes; started, not yet ready."""
    return starting_temporal(
        log,
        port=ports.temporal,
        ui_port=ports.temporal_ui,
        db=db,
        namespace=ports.namespace,
        search_attributes={key.name: key.indexed_value_type.name.title() for key in search_attributes.ALL},
    )


def process_environment(folder: Path, *, ports: Ports, settings: Mapping[str, str]) -> dict[str, str]:
    """What the API and the worker find: the settings of an operator who runs them against the emulator."""
    endpoint = f"http://{HOST}:{ports.aws}"
    return {
        **passed_on(),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "API_HOST": HOST,
        "API_PORT": str(ports.api),
        "PUBLIC_API_URL": f"http://{HOST}:{ports.api}",
        "TEMPORAL_ADDRESS": f"{HOST}:{ports.temporal}",
        "TEMPORAL_NAMESPACE": ports.namespace,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": str(folder / "aws-config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CUSTOMER_AWS_ENDPOINT_URL": endpoint,
        "PLATFORM_AWS_ACCOUNT_ID": PLATFORM_NUMBER,
        "PLATFORM_ROLE_NAME": WORKER_ROLE,
        **settings,
    }


def _ours(name: str, folder: Path, environment: Mapping[str, str]) -> AbstractContextManager[Child]:
    """One of our processes, with the identity of its own that it has in AWS."""
    entry_point, title, needed = {
        "api": ("main.py", "The API", API_SECRETS),
        "worker": ("worker.py", "The worker", WORKER_SECRETS),
    }[name]
    return running(
        title,
        [sys.executable, str(ROOT / entry_point)],
        log=folder / f"logs/{name}.log",
        environment={**_without(unneeded(needed, environment), environment), "AWS_PROFILE": name},
        cwd=ROOT,
    )


def _without(names: Collection[str], environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in names}


async def set_up(aws: AwsClients, temporal: TemporalConnection, settings: Settings) -> str:
    """The same set-up as `python cli.py setup` and `keys bootstrap`. Returns the administrator key."""
    identity = bool(settings.identity_issuer_url)
    await asyncio.gather(
        asyncio.to_thread(set_up_aws, aws, settings.tables, settings.buckets, identity=identity),
        set_up_temporal(temporal),
    )
    text, _ = await asyncio.to_thread(add_administrator_key, DynamoApiKeyStore(aws.dynamodb, settings.tables))
    return text


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def has_started(worker: Child) -> bool:
    return b"worker.started" in worker.said()
