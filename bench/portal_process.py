"""The API in a process of its own, on ports in memory, and a client of it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar
from uuid import uuid4

from bench.portal_client import PortalClient, portal_client
from bench.processes import Observed
from bench.testbed import Testbed
from domain.callers.api_keys import new_key_text
from emulators.ports import HOST, free_port
from emulators.processes import running
from local.stack import ROOT, answers


@dataclass(frozen=True)
class PortalProcess:
    name: ClassVar[str] = "API"

    http: PortalClient
    tenant_id: str
    accounts: int
    """Of the tenant."""
    observed: Observed


@asynccontextmanager
async def portal_process(bed: Testbed, *, accounts: int = 0) -> AsyncIterator[PortalProcess]:
    """Without `accounts`, whatever account is asked for is in progress."""
    port, tenant_id, key = free_port(), str(uuid4()), new_key_text()
    server = bed.stack.temporal
    command = [sys.executable, "-m", "bench.portal", server.address, server.namespace, str(port), tenant_id, key]
    command += ["--accounts", str(accounts)]
    log, home = bed.stack.folder / f"logs/portal-{port}.log", {"HOME": str(bed.stack.folder)}
    with running("The API to be measured", command, log=log, environment=home, cwd=ROOT) as child:
        url = f"http://{HOST}:{port}"
        await asyncio.to_thread(child.wait_until, partial(answers, f"{url}/api/v1/health/ready"))
        async with portal_client(url, key) as http:
            yield PortalProcess(http, tenant_id, accounts, Observed(PortalProcess.name, child.pid))
