"""A process of its own for a measurement: nothing else runs in it, and nothing of the developer's environment is in it.
It writes what it has found, and waits to be stopped."""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emulators.processes import running
from local.stack import ROOT

PATIENCE_SECONDS = 1800.0


async def measured(module: str, *arguments: str, folder: Path, environment: Mapping[str, str] | None = None) -> Any:
    """What `python -m module FILE arguments` has written into the file. Raises StackFailed when it ends before."""
    file = folder / f"{module}.json"
    command = [sys.executable, "-m", module, str(file), *arguments]
    log, environment = folder / f"{module}.log", environment or {"HOME": str(folder)}
    with running(f"The process of {module}", command, log=log, environment=environment, cwd=ROOT) as child:
        await asyncio.to_thread(child.wait_until, file.exists, patience=PATIENCE_SECONDS)
        return json.loads(file.read_text())


def tell(file: Path, found: Mapping[str, Any] | Sequence[Any]) -> None:
    """At once, so that whoever sees the file sees all of it."""
    unfinished = file.with_suffix(".part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(found))
    unfinished.rename(file)


def wait_to_be_stopped() -> None:
    signal.sigwait({signal.SIGTERM})


def hold_the_stop() -> None:
    """From now on, also in the threads that are still to start, SIGTERM waits until it is waited for."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
