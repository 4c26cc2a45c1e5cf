"""Which cadences are accepted, and which of their moments count."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schedules.cadence import next_change_of_clocks, problems_of, repeats, tidied, unusable
from domain.schedules.cron import ALIASES
from domain.schedules.schedule import Cadence, ScheduleType
from domain.timestamps import stamp

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def cron(expression: str, timezone: str = "UTC") -> Cadence:
    return Cadence(ScheduleType.CRON, cron_expression=expression, timezone=timezone)


def codes(cadence: Cadence) -> list[str]:
    return [problem.code for problem in problems_of(cadence, now=NOW, min_interval_seconds=3600)]


@pytest.mark.parametrize(
    "expression", ["0 2 * * *", "*/30 * * * *", "0 2 * * MON-FRI", "0 0 1,15 * ?", "15 6 1 JAN *", *ALIASES]
)
def test_what_a_cron_program_takes_is_taken(expression: str):
    assert codes(cron(expression)) == []


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "0 2 * *",
        "0 2 * * * 2027",
        "@every 1h",
        "@reboot",
        "0 2 * * * # nightly",
        "CRON_TZ=UTC 0 2 * * *",
    ],
)
def test_what_the_server_would_take_differently_is_refused(expression: str):
    assert codes(cron(expression)) == ["invalid"]


@pytest.mark.parametrize("expression", ["0 2 1 * MON", "0 0 13 * 5", "0 0 */2 * 1-5"])
def test_both_days_together_are_refused(expression: str):
    assert codes(cron(expression)) == ["both_days"]


def test_a_long_expression_is_refused():
    assert codes(cron("0," * 200 + "0 * * * *")) == ["too_long"]


@pytest.mark.parametrize(
    "timezone",
    [
        "",
        "Mars/Phobos",
        "Europe/../UTC",
        "/etc/localtime",
        "localtime",
        "Factory",
        "posixrules",
        "UTC+1",
        "a" * 3000,
        "\0",
    ],
)
def test_a_zone_is_one_of_the_iana_database(timezone: str):
    assert codes(cron("0 2 * * *", timezone)) == ["unknown_timezone"]


def test_what_is_written_carelessly_is_stored_tidily():
    assert tidied(cron(" 0  2\t* * MON", "europe/berlin")) == cron("0 2 * * MON", BERLIN)


@pytest.mark.parametrize(
    ("cadence", "code"),
    [
        (cron("0 2 * * *", "Mars/Phobos"), "unknown_timezone"),
        (Cadence(ScheduleType.INTERVAL, interval_seconds=0), "out_of_range"),
        (Cadence(ScheduleType.CRON), "missing"),
    ],
)
def test_a_stored_cadence_that_nothing_can_follow_says_why(cadence: Cadence, code: str):
    found = unusable(cadence)
    assert found is not None
    assert found.code == code
    assert not repeats(cadence, SECOND)
    assert next_change_of_clocks("Mars/Phobos", NOW) is None


@pytest.mark.parametrize(("seconds", "found"), [(3600, []), (3599, ["out_of_range"]), (1, ["out_of_range"])])
def test_an_interval_is_an_hour_or_more(seconds: int, found: list[str]):
    assert codes(Cadence(ScheduleType.INTERVAL, interval_seconds=seconds)) == found


@pytest.mark.parametrize("seconds", [0, -3600, 10**12])
def test_an_interval_has_bounds(seconds: int):
    assert codes(Cadence(ScheduleType.INTERVAL, interval_seconds=seconds)) == ["out_of_range"]


def test_a_moment_that_has_passed_is_refused():
    assert codes(Cadence(ScheduleType.ONE_TIME, run_at=stamp(NOW))) == ["never_fires"]
    assert codes(Cadence(ScheduleType.ONE_TIME, run_at=stamp(NOW + timedelta(seconds=1)))) == []


@pytest.mark.parametrize("kind", ScheduleType)
def test_each_type_needs_its_own_field_and_no_other(kind: ScheduleType):
    assert codes(Cadence(kind)) == ["missing"]
    everything = Cadence(kind, cron_expression="0 2 * * *", interval_seconds=7200, run_at=stamp(NOW + timedelta(1)))
    assert codes(everything) == ["unexpected", "unexpected"]


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str):
    assert set(codes(cron(text))) <= {"invalid", "both_days"}


@given(st.text(max_size=40))
def test_any_zone_is_judged(text: str):
    assert set(codes(cron("0 2 * * *", text))) <= {"unknown_timezone"}


# Clocks in Berlin go back on 25 October 2026: 02:00 to 03:00 comes at 00:00 UTC, and again at 01:00 UTC.
FIRST, SECOND = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("expression", ["30 2 * * *", "30 2 25 * *", "30 2,14 * * *", "@daily"])
def test_a_time_of_day_that_comes_twice_counts_once(expression: str):
    cadence = cron(expression, BERLIN)
    assert (repeats(cadence, FIRST), repeats(cadence, SECOND)) == (False, True)


@pytest.mark.parametrize(
    "cadence",
    [
        cron("30 * * * *", BERLIN),
        cron("30 */2 * * *", BERLIN),
        cron("@hourly", BERLIN),
        cron("@HOURLY", BERLIN),
        cron("30 0-23 * * *", BERLIN),
        cron("30 2 * * *", "UTC"),
        Cadence(ScheduleType.INTERVAL, interval_seconds=3600, timezone=BERLIN),
    ],
)
def test_what_fires_in_every_hour_fires_in_the_repeated_one(cadence: Cadence):
    assert not repeats(cadence, SECOND)


def test_the_next_change_of_clocks_is_found():
    spring, autumn = next_change_of_clocks(BERLIN, NOW), next_change_of_clocks("America/New_York", JUNE)
    assert [str(moment) for moment in spring or ()] == ["2027-03-28 02:00:00", "2027-03-28 03:00:00"]
    assert [str(moment) for moment in autumn or ()] == ["2026-11-01 02:00:00", "2026-11-01 01:00:00"]
    assert next_change_of_clocks("Asia/Kolkata", NOW) is None
