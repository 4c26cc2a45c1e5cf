"""What a set-up command found and what it changed, one line a thing."""

from dataclasses import dataclass
from enum import StrEnum


class SetupState(StrEnum):
    FOUND = "found"
    CREATED = "created"
    REPAIRED = "repaired"


@dataclass(frozen=True)
class SetupFinding:
    """`thing` is a kind and a name ("table threat-engine-accounts"); `detail` says what was repaired."""

    thing: str
    state: SetupState
    detail: str = ""
