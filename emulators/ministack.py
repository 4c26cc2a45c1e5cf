"""MiniStack, the AWS emulator: our AWS and the customers' AWS in one process, told apart by account number.

With AUTH=true it checks signatures and policies. A 12-digit access key id acts as the root of that account.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from emulators.ports import HOST, free_port
from emulators.processes import Child, running

REGION = "ap-south-1"


@contextmanager
def starting_ministack(log: Path, *, port: int) -> Iterator[Child]:
    """Start MiniStack without waiting for it. What it writes besides its log is in a folder beside that."""
    scratch = log.with_suffix(".d")
    scratch.mkdir(parents=True, exist_ok=True)
    environment = {
        "AUTH": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        # Listeners beside the HTTP one, which nobody here talks to.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "S3_DATA_DIR": str(scratch / "s3"),
        "STATE_DIR": str(scratch / "state"),
        # It would remove what it takes for its own leftovers from a Docker engine that it finds.
        "DOCKER_HOST": f"unix://{scratch}/no-docker",
    }
    command = [sys.executable, "-m", "ministack"]
    with running("MiniStack", command, log=log, environment=environment) as child:
        yield child


def ministack_is_ready(port: int) -> bool:
    url = f"http://{HOST}:{port}/_ministack/ready"
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def running_ministack(log: Path) -> Iterator[str]:
    """The endpoint URL of an empty MiniStack on a free port. Raises StackFailed when it does not start."""
    port = free_port()
    with starting_ministack(log, port=port) as child:
        child.wait_until(lambda: ministack_is_ready(port))
        yield f"http://{HOST}:{port}"
