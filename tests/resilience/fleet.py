"""The whole system in processes that can be killed like a machine that loses its power, and started again where they
were: same ports, same settings, and for the Temporal server the same database file."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex

from temporalio.client import Client

from bench.tenants import FreshTenants
from config import TemporalConnection
from emulators.ministack import ministack_is_ready, starting_ministack
from emulators.ports import HOST, Ports, free_ports
from emulators.processes import running
from local.identities import AwsAccount, acting_as, make_process_identities
from local.progress import Progress
from local.settings import checked
from local.stack import (
    CUSTOMER_NUMBER,
    PLATFORM_NUMBER,
    ROOT,
    answers,
    has_started,
    process_environment,
    set_up,
    temporal_server,
)
from stores.dynamodb.tables import TableNames
from stores.dynamodb.tenants import DynamoTenantStore
from stores.session import AwsClients
from temporal.client import connect
from tests.resilience.keys import note_use
from tests.resilience.mortal import Life, Mortal

UNLIMITED = dict.fromkeys(("RATE_LIMIT_PER_KEY", "RATE_LIMIT_PER_TENANT", "RATE_LIMIT_PER_ADDRESS"), "0")
"""One caller stands for a crowd."""
OUR_PROGRAMS: Mapping[str, Sequence[str]] = {"worker": ["worker.py"], "api": ["main.py"]}


@dataclass(frozen=True)
class Fleet:
    """A running system and all that is needed for talking to it."""

    folder: Path
    api_url: str
    api_key: str
    """The platform administrator's."""
    temporal_address: str
    platform: AwsAccount
    customer: AwsAccount
    aws: AwsClients
    """Our AWS as its root sees it, past every process under fire."""
    client: Client
    """Of the Temporal server; it connects again when the server does."""
    worker: Mortal
    api: Mortal
    temporal: Mortal
    ministack: Mortal
    """It keeps everything in memory: it can be stopped and continued, but must not be killed."""

    def tenants(self) -> FreshTenants:
        return FreshTenants(DynamoTenantStore(self.aws.dynamodb, TableNames()))


async def _set_up(platform: AwsAccount, config_file: Path, temporal: TemporalConnection) -> str:
    user = await asyncio.to_thread(make_process_identities, platform, config_file)
    api_key = await set_up(
        await asyncio.to_thread(acting_as, "setup", user, platform), temporal, checked({}, account=PLATFORM_NUMBER)
    )
    await asyncio.to_thread(note_use, platform.clients(), api_key)
    return api_key


@asynccontextmanager
async def running_fleet(
    folder: Path,
    *,
    progress: Progress,
    programs: Mapping[str, Sequence[str]] | None = None,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Fleet]:
    """Everything up and set up. `programs` replaces the arguments of Python that start the `worker` or the `api`, and
    `settings` overrides what both get. Stops everything at the end, in every case. Raises StackFailed."""
    ports = free_ports()
    endpoint, address, api_url = (f"{HOST}:{port}" for port in (ports.aws, ports.temporal, ports.api))
    platform, customer = (
        AwsAccount(number, f"http://{endpoint}", token_hex(20)) for number in (PLATFORM_NUMBER, CUSTOMER_NUMBER)
    )
    environment = process_environment(folder, ports=ports, settings={**UNLIMITED, **(settings or {})})
    ministack, temporal, worker, api = parts = _parts(folder, ports, environment, {**OUR_PROGRAMS, **(programs or {})})
    try:
        with progress.step("Temporal, with a database file, and AWS (MiniStack), API and worker are up"):
            await asyncio.gather(temporal.start(), ministack.start())
            connection = TemporalConnection(address, ports.namespace)
            api_key = await _set_up(platform, Path(environment["AWS_CONFIG_FILE"]), connection)
            await asyncio.gather(worker.start(), api.start())
        yield Fleet(
            folder=folder,
            api_url=f"http://{api_url}",
            api_key=api_key,
            temporal_address=address,
            platform=platform,
            customer=customer,
            aws=platform.clients(),
            client=await connect(address, namespace=ports.namespace),
            worker=worker,
            api=api,
            temporal=temporal,
            ministack=ministack,
        )
    finally:
        for part in reversed(parts):
            await part.stop()


def _parts(
    folder: Path, ports: Ports, environment: Mapping[str, str], programs: Mapping[str, Sequence[str]]
) -> tuple[Mortal, Mortal, Mortal, Mortal]:
    worker = partial(_worker, programs["worker"], {**environment, "AWS_PROFILE": "worker"})
    api = partial(_api, programs["api"], {**environment, "AWS_PROFILE": "api"}, ports)
    logs = folder / "logs"
    return (
        Mortal("ministack", logs, partial(_ministack, ports)),
        Mortal("temporal", logs, partial(_temporal, ports, folder / "temporal.db")),
        Mortal("worker", logs, worker),
        Mortal("api", logs, api),
    )


@contextmanager
def _ministack(ports: Ports, log: Path) -> Iterator[Life]:
    with starting_ministack(log, port=ports.aws) as child:
        yield Life(child, partial(ministack_is_ready, ports.aws))


@contextmanager
def _temporal(ports: Ports, db: Path, log: Path) -> Iterator[Life]:
    with temporal_server(log, ports=ports, db=db) as server:
        yield Life(server.child, server.is_ready)


@contextmanager
def _worker(program: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Life]:
    command = [sys.executable, *program]
    with running("The worker", command, log=log, environment=environment, cwd=ROOT) as child:
        yield Life(child, partial(has_started, child))


@contextmanager
def _api(program: Sequence[str], environment: Mapping[str, str], ports: Ports, log: Path) -> Iterator[Life]:
    command = [sys.executable, *program]
    with running("The API", command, log=log, environment=environment, cwd=ROOT) as child:
        yield Life(child, partial(answers, f"http://{HOST}:{ports.api}/api/v1/health/live"))
