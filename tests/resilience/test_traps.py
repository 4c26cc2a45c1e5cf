"""A worker dies at the point that was named, and once."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.resilience.traps import Moment, Point, Trap

POINT = Point("store_credential", "secrets-manager.CreateSecret", Moment.DURING)
PLACE = (POINT.step, POINT.call, POINT.moment)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


def test_nothing_happens_where_no_trap_is_set(trap: Trap):
    assert not trap.springs(*PLACE)


def test_it_springs_once_and_for_every_process(trap: Trap, tmp_path: Path):
    trap.set(POINT)
    assert Trap(tmp_path).springs(*PLACE)
    assert not trap.springs(*PLACE)


def test_it_counts_to_its_number(trap: Trap):
    trap.set(replace(POINT, number=3))
    assert [trap.springs(*PLACE) for _ in range(4)] == [False, False, True, False]


@pytest.mark.parametrize(
    "place",
    [
        ("register_account", POINT.call, POINT.moment),
        (POINT.step, "secrets-manager.DescribeSecret", POINT.moment),
        (POINT.step, POINT.call, Moment.BEFORE),
    ],
    ids=["step", "call", "moment"],
)
def test_it_springs_nowhere_else(trap: Trap, place: tuple[str, str, Moment]):
    trap.set(POINT)
    assert not trap.springs(*place)
    assert trap.springs(*PLACE)
