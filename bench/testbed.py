"""What the comparison runs on: the embedded stack, whose own worker serves lane (c), and a worker each for lanes (a)
and (b) on the same Temporal server. Every part is a process; the lanes are driven from this one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client

from api.onboarding_calls import OnboardingCalls
from bench.lanes import Lane, NoOpLane, OurLane
from bench.portal import services
from bench.portal_client import portal_client
from bench.ports import EXTERNAL_ID, AssumedAccounts, PlainSealer
from bench.processes import Observed, this_process
from bench.tenants import FreshTenants
from bench.worker import Kind
from domain.onboarding.credentials import Credential
from domain.ports import CredentialSealer
from emulators.ports import Ports, free_ports
from emulators.processes import Child, running
from emulators.temporal import TemporalServer
from local.demo import deploy
from local.progress import Progress
from local.stack import ROOT, Stack, running_stack
from stores.dynamodb.tables import TableNames
from stores.dynamodb.tenants import DynamoTenantStore
from stores.kms.command_keys import KmsCommandKeys
from stores.secrets.sealing import KmsSealer
from temporal.client import connect
from temporal.signing.signatures import Signer
from tests.fakes_clouds import ROLE_ARN
from workflows.ids import ONBOARDING_QUEUE

SECRETS_KEY, COMMANDS_KEY = "alias/threat-engine-secrets", "alias/threat-engine-commands"
SERVER, WORKER, DRIVER, EMULATOR = "server", "worker", "driver", "MiniStack"


@dataclass(frozen=True)
class Entrant:
    """A lane and the processes whose time it takes."""

    lane: Lane
    watched: Sequence[Observed]


@dataclass(frozen=True)
class Testbed:
    stack: Stack
    ports: Ports
    client: Client
    entrants: Sequence[Entrant]
    tenants: FreshTenants
    in_memory: Child
    """The worker of lane (b)."""


@asynccontextmanager
async def testbed(folder: Path, progress: Progress) -> AsyncIterator[Testbed]:
    """Raises StackFailed when a part does not start."""
    ports = free_ports()
    async with running_stack(folder, ports=ports, progress=progress) as stack:
        server = stack.temporal
        with running_worker(Kind.NOOP, server, folder) as noop, running_worker(Kind.MEMORY, server, folder) as memory:
            for child in (noop, memory):
                await asyncio.to_thread(child.wait_until, partial(has_started, child))
            client = await connect(server.address, namespace=server.namespace)
            platform = stack.platform.clients()
            tenants = FreshTenants(DynamoTenantStore(platform.dynamodb, TableNames()))
            sealer = KmsSealer(platform.kms, key_id=SECRETS_KEY)
            # The stack's own worker takes signed commands only.
            keys = KmsCommandKeys(platform.kms, key_id=COMMANDS_KEY)
            signing = await connect(
                server.address, namespace=server.namespace, signer=Signer(keys, key_name=COMMANDS_KEY)
            )
            lanes: Sequence[Lane] = (
                NoOpLane(client),
                in_memory(client),
                await on_ministack(signing, stack, sealer, tenants),
            )
            workers = (noop, memory, part(stack, "The worker"))
            entrants = [Entrant(lane, watched(stack, worker)) for lane, worker in zip(lanes, workers, strict=True)]
            yield Testbed(stack, ports, client, entrants, tenants, memory)


@contextmanager
def running_worker(kind: Kind, server: TemporalServer, folder: Path) -> Iterator[Child]:
    command = [sys.executable, "-m", "bench.worker", kind.value, server.address, server.namespace]
    log = folder / f"logs/bench-{kind.value}.log"
    with running(f"The {kind.value} worker", command, log=log, environment={"HOME": str(folder)}, cwd=ROOT) as child:
        yield child


def has_started(child: Child) -> bool:
    return b".started" in child.log.read_bytes()


def in_memory(client: Client) -> OurLane:
    tenant_id = str(uuid4())
    calls = OnboardingCalls(services(client, tenant_id, accounts=AssumedAccounts(tenant_id)))
    return OurLane("(b) ours, memory", calls, PlainSealer(), role(ROLE_ARN), lambda: tenant_id)


async def on_ministack(client: Client, stack: Stack, sealer: CredentialSealer, tenants: FreshTenants) -> OurLane:
    """The customer deploys our template once."""
    async with portal_client(stack.api_url, stack.api_key) as portal:
        offered = await portal.get("/onboarding/aws/cloudformation-template", external_id=EXTERNAL_ID)
    outputs = await asyncio.to_thread(deploy, stack.customer, offered["template"])
    accounts = AssumedAccounts("")
    calls = OnboardingCalls(services(client, str(uuid4()), accounts=accounts, queue=ONBOARDING_QUEUE))
    return OurLane("(c) ours, MiniStack", calls, sealer, role(outputs["RoleArn"]), tenants.take)


def role(arn: str) -> Credential:
    return Credential("aws_iam_role", {"role_arn": arn})


def part(stack: Stack, name: str) -> Child:
    """The part of the stack with that name."""
    return next(child for child in stack.children if child.name == name)


def watched(stack: Stack, worker: Child) -> list[Observed]:
    server, emulator = stack.temporal.child, part(stack, "MiniStack")
    return [
        Observed(SERVER, server.pid),
        Observed(WORKER, worker.pid),
        this_process(DRIVER),
        Observed(EMULATOR, emulator.pid),
    ]
