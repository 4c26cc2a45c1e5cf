"""Times as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.timestamps import parse, stamp
from tests.strategies import moments, offsets


@given(moment=moments)
def test_a_stamp_is_read_back_to_the_millisecond(moment: datetime):
    assert parse(stamp(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(first=moments, second=moments)
def test_stamps_sort_as_the_times_do(first: datetime, second: datetime):
    if first <= second:
        assert stamp(first) <= stamp(second)


@given(moment=moments.filter(lambda m: 1971 < m.year < 2199), offset=offsets)
def test_every_zone_is_written_as_utc(moment: datetime, offset: timedelta):
    assert stamp(moment.astimezone(timezone(offset))) == stamp(moment)


def test_a_stamp_has_the_form_of_the_contract():
    assert stamp(datetime(2026, 11, 24, 8, 5, 3, 70_999, tzinfo=UTC)) == "2026-11-24T08:05:03.070Z"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        stamp(datetime(2026, 11, 24))  # noqa: DTZ001


@given(text=st.text(max_size=30))
def test_another_text_is_no_stamp(text: str):
    with pytest.raises(ValueError):  # noqa: PT011
        parse(text)
