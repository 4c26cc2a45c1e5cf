"""What the stand-in does in place of its answer, so many times."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

GARBAGE = b"<html><body>502 Bad Gateway</body></html>"
HUGE = b'"' + b"x" * (2 * 1024 * 1024) + b'"'


class Broken(Exception):
    """The connection is cut without an answer."""


@dataclass(frozen=True)
class Fault:
    """`match` is searched in `host/path`. Several effects may be combined."""

    match: str
    times: int = 1
    status: int = 503
    body: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    cut: bool = False
    drip_seconds: float = 0
    """The answer comes byte by byte, with this pause after each."""


class Faults:
    """Those that are still to come. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._waiting += faults

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, place: str) -> Fault | None:
        """The first one that fits, counted down."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if re.search(fault.match, place):
                    self._waiting[index : index + 1] = (
                        [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    )
                    return fault
        return None
