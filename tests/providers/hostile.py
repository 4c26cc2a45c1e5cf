"""Values that want to lead elsewhere, and a watch on where this process goes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ELSEWHERE = [
    "attacker.example",
    "https://attacker.example/",
    "//attacker.example/",
    "@attacker.example/",
    "x@attacker.example",
    "../../attacker.example",
    "..%2f..%2fattacker.example",
    "%2e%2e%2fattacker",
    "\\\\attacker.example\\share",
    "eu-frankfurt-1.attacker.example/",
    "attacker.example#",
    "attacker.example?x=",
    "x\r\nHost: attacker.example",
    "x\nX-Header: 1",
    "x\x00y",
    "\u2028x",
    "\uff11\u0665",
    "attacker\u3002example",
    "169.254.169.254",
    "2130706433",
    "0x7f.1",
    "[::ffff:127.0.0.1]",
    "[::1]:443",
    "localhost:443",
    "file:///etc/passwd",
    "/etc/passwd",
    "~/.ssh/id_rsa",
    "$(cat /etc/passwd)",
    "a{namespace}",
    "{0.__class__}",
]

_found: list[str] = []
_watched: set[str] = set()


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _watched:
        _found.append(f"{event} {arguments[0] if event == 'open' else arguments[1:]}")


@contextmanager
def watch() -> Iterator[list[str]]:
    """The files that this process opens meanwhile, the names that it looks up, and where it connects to."""
    _found.clear()
    _watched.update({"open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"})
    try:
        yield _found
    finally:
        _watched.clear()


sys.addaudithook(_note)  # there is no way to take it away again, so it is told when to listen
