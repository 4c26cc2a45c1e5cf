"""API and worker of the embedded stack, replaced by ones that write down every call to AWS."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.counted import Program
from bench.testbed import Testbed, part
from emulators.processes import Child, running
from local.stack import ROOT, answers, has_started, process_environment


@dataclass
class CallLogs:
    """What has been written down, by program."""

    files: Mapping[Program, Path]
    _taken: Counter[str] = field(default_factory=Counter)

    def take(self) -> Counter[str]:
        """The calls since the last time, as in `worker kms.Decrypt`."""
        everything = Counter(
            f"{program} {call}" for program, file in self.files.items() for call in file.read_text().splitlines()
        )
        new = everything - self._taken
        self._taken = everything
        return new


@asynccontextmanager
async def counted_processes(bed: Testbed) -> AsyncIterator[CallLogs]:
    stack = bed.stack
    for name in ("The API", "The worker"):
        await asyncio.to_thread(part(stack, name).stop)
    logs = CallLogs({program: stack.folder / f"{program}.calls" for program in Program})
    with _counted(bed, Program.WORKER, logs) as worker, _counted(bed, Program.API, logs) as api:
        await asyncio.to_thread(worker.wait_until, partial(has_started, worker))
        await asyncio.to_thread(api.wait_until, partial(answers, f"{stack.api_url}/api/v1/health/ready"))
        yield logs


def _counted(bed: Testbed, program: Program, logs: CallLogs) -> AbstractContextManager[Child]:
    environment = process_environment(bed.stack.folder, ports=bed.ports, settings={"AWS_PROFILE": program.value})
    return running(
        f"The counted {program}",
        [sys.executable, "-m", "bench.counted", program.value, str(logs.files[program])],
        log=bed.stack.folder / f"logs/counted-{program}.log",
        environment=environment,
        cwd=ROOT,
    )
