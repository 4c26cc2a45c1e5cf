"""Time zones: every name of the IANA database, whatever the machine has."""

import subprocess
import sys
import zoneinfo
from importlib.resources import files

import pytest

from domain.schedules import zones

EVERY = (files("tzdata") / "zones").read_text().split()


def test_every_name_and_link_of_the_database_can_be_used():
    assert set(zones.names()) == set(EVERY) - zones.NO_ZONES
    assert {str(zones.zone(name)) for name in zones.names()} == set(zones.names())
    assert {"US/Eastern", "Asia/Calcutta", "GB", "Etc/GMT+5"} <= set(zones.names())


@pytest.mark.parametrize(
    ("sent", "meant"), [("us/eastern", "US/Eastern"), ("utc", "UTC"), ("ASIA/KOLKATA", "Asia/Kolkata")]
)
def test_upper_and_lower_case_do_not_matter(sent: str, meant: str):
    assert zones.named(sent) == meant


def test_no_two_names_differ_in_case_alone():
    assert len({name.casefold() for name in EVERY}) == len(EVERY)


@pytest.mark.parametrize(
    "name",
    ["localtime", "Factory", "posixrules", "../UTC", "Europe/../UTC", "/usr/share/zoneinfo/UTC", "", "\0", "Europe"],
)
def test_what_is_no_zone_is_none(name: str):
    assert zones.zone(name) is None


def test_the_zone_files_of_the_machine_are_not_looked_at():
    assert zoneinfo.TZPATH == ()
    # Also when somebody names other files in the environment.
    program = "import domain.schedules.zones as z; print(z.zone('US/Eastern'), z.zone('here'))"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONTZPATH": "/etc"}
    )
    assert found.stdout == "US/Eastern None\n"
