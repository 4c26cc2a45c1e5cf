"""What an engine can be asked for, and what is wrong with a scope that asks for something else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.errors import Problem
from domain.schedules.schedule import ScanScope

MAX_NAMED = 3
"""How many unknown places of one list are pointed at: each of them says what is known."""


@dataclass(frozen=True)
class EngineOffer:
    """An engine elsewhere says nowhere which services it knows, and of most clouds the regions change daily: then the
    list is empty, and what is asked for is passed on."""

    engines: tuple[str, ...]
    """The names of what can scan the cloud here; the first one does."""
    regions: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def problems_of(scope: ScanScope, offer: EngineOffer) -> Iterator[Problem]:
    """A scope that scans nothing would be a success every night."""
    for number in _unknown(scope.regions, offer.regions):
        message = f"The engine knows no such region. It knows: {', '.join(offer.regions)}."
        yield Problem("unknown_region", message, f"/regions/{number}")
    for field, asked in (("services", scope.services), ("exclude_services", scope.exclude_services)):
        for number in _unknown(asked, offer.services):
            message = f"The engine knows no such service. It knows: {', '.join(offer.services)}."
            yield Problem("unknown_service", message, f"/{field}/{number}")
    chosen = set(scope.services or offer.services)
    if chosen and chosen <= set(scope.exclude_services):
        message = "Every service that would be scanned is left out; leave one in."
        yield Problem("nothing_to_scan", message, "/exclude_services")


def _unknown(asked: Sequence[str], known: Sequence[str]) -> Sequence[int]:
    """Where the first of them stand."""
    return [number for number, name in enumerate(asked) if known and name not in known][:MAX_NAMED]
