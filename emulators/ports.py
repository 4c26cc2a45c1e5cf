"""Where a run of the stack is: which port each part listens on (a configured one, else the usual one, else any free
one), and the Temporal namespace that no other run uses."""

import fcntl
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from secrets import randbelow, token_hex
from tempfile import gettempdir

from emulators.failures import StackFailed

HOST = "127.0.0.1"
FIRST_FREE, LAST_FREE = 20_000, 32_000
USUAL_PORTS = {"API_PORT": 8000, "TEMPORAL_PORT": 7233, "TEMPORAL_UI_PORT": 8233, "AWS_PORT": 4566, "CLOUDS_PORT": 8443}


def new_namespace() -> str:
    # A worker that another run left behind may still ask at our port for work. It asks in another namespace.
    return f"run-{token_hex(4)}"


@dataclass(frozen=True)
class Ports:
    api: int
    temporal: int
    temporal_ui: int
    aws: int
    clouds: int = 0
    """Of the stand-in clouds; 0 is any free one."""
    namespace: str = field(default_factory=new_namespace)


def free_ports() -> Ports:
    """None of the usual ones: a stack of a test or a benchmark does not meet one that somebody works with."""
    return Ports(api=free_port(), temporal=free_port(), temporal_ui=free_port(), aws=free_port())


def choose_ports() -> Ports:
    """Raises StackFailed for a configured port that is in use or is no port number."""
    api, temporal, temporal_ui, aws, clouds = (_choose(variable) for variable in USUAL_PORTS)
    return Ports(api=api, temporal=temporal, temporal_ui=temporal_ui, aws=aws, clouds=clouds)


def free_port() -> int:
    """A port that nothing uses now. It is none of those that the system hands out by itself, because one of them
    could be gone again before the part that it is meant for takes it."""
    while True:
        port = FIRST_FREE + randbelow(LAST_FREE - FIRST_FREE)
        if _take(port):
            return port


def _take(port: int) -> bool:
    """Whether it is free and no other process is about to start a part of its own there. The lock ends with this
    process."""
    if not is_free(port):
        return False
    folder = Path(gettempdir()) / f"onboarding-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _choose(variable: str) -> int:
    configured, usual = os.environ.get(variable), USUAL_PORTS[variable]
    if configured is None:
        return usual if _take(usual) else free_port()
    if not configured.isascii() or not configured.isdigit() or not 0 < int(configured) < 65536:
        raise StackFailed(f"{variable} must be a port number from 1 to 65535.")
    if not is_free(int(configured)):
        raise StackFailed(f"Port {configured} ({variable}) is in use; stop what uses it or choose another.")
    return int(configured)
