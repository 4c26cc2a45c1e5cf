"""Cron expressions: read as croniter reads them, or refused with the reason."""

from contextlib import suppress

import pytest
from croniter import croniter
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.schedules import cron

FIRST_AND_LAST = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NAMES: tuple[dict[int, str], ...] = ({}, {}, {}, dict(enumerate(MONTHS, 1)), dict(enumerate(DAYS)))


@st.composite
def fields(draw: st.DrawFn, number: int) -> str:
    """A field as people write it, and now and then as they should not."""
    first, last = FIRST_AND_LAST[number]

    def value() -> str:
        found = draw(st.integers(first, last + (number == 4)))
        name = NAMES[number].get(found)
        return draw(st.sampled_from((name, name.upper()))) if name and draw(st.booleans()) else str(found)

    def part() -> str:
        text = draw(st.sampled_from(("*", "value", "range")))
        text = {"value": value(), "range": f"{value()}-{value()}"}.get(text, text)
        return text + (f"/{draw(st.integers(1, last))}" if draw(st.booleans()) else "")

    return ",".join(part() for _ in range(draw(st.integers(1, 3))))


@st.composite
def expressions(draw: st.DrawFn) -> str:
    parts = [draw(fields(number)) for number in range(5)]
    parts[draw(st.sampled_from((2, 4)))] = draw(st.sampled_from(("*", "?")))
    blanks = st.sampled_from((" ", "  ", "\t", " \t "))
    return "".join(part + (draw(blanks) if number < 4 else "") for number, part in enumerate(parts))


def read(expression: str) -> list[set[int]]:
    """The values of each field, as croniter reads them."""
    found = croniter(expression).expanded
    return [
        set(range(first, last + 1)) if "*" in values else {int(value) for value in values}
        for values, (first, last) in zip(found, FIRST_AND_LAST, strict=True)
    ]


@given(expressions())
@example("0 2 * * 1/2")
@example("0 2 * * 7")
@example("0 2 * * 5-7")
@example("0 2 * * 1-7/2")
@example("0 2 * * sun/2")
@example("0 2 */10 * ?")
@example("5/15 2/5 10/10 3/4 ?")
def test_what_is_taken_is_read_as_croniter_reads_it(expression: str):
    written_out = None
    with suppress(cron.Unreadable):
        written_out = cron.canonical(expression)
    assume(written_out is not None)
    assert read(written_out or "") == read(expression)


@pytest.mark.parametrize(
    ("expression", "written_out"),
    [
        ("0 2 * * 1/2", "0 2 * * 1,3,5"),
        ("0 2 * * 7", "0 2 * * 0"),
        ("0 2 * * fri-7", "0 2 * * 0,5,6"),
        ("*/20  2\t* JAN ?", "0,20,40 2 * 1 *"),
        ("0 2 1-31 * *", "0 2 * * *"),
        ("0 */6,3 * * *", "0 0,3,6,12,18 * * *"),
        ("@Daily ", "@daily"),
        ("0\u00a02 * * *\n", "0 2 * * *"),
    ],
)
def test_each_field_is_written_out(expression: str, written_out: str):
    assert cron.canonical(expression) == written_out


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("0 2 L * *", "takes no L, W, #"),
        ("0 2 * * 5#2", "takes no L, W, #"),
        ("0 2 15W * *", "takes no L, W, #"),
        ("0 2 * * 5L", "takes no L, W, #"),
        ("H 2 * * *", "takes no L, W, #"),
        ("0 2 * * 6-1", "from a smaller value to a larger"),
        ("5-5/2 2 * * *", "from a smaller value to a larger"),
        ("*/90 2 * * *", "step of the minute is a number from 1 to 59"),
        ("*/0 2 * * *", "step of the minute"),
        ("60 2 * * *", "a number from 0 to 59"),
        ("0 2 0 * *", "a number from 1 to 31"),
        ("0 2 * * 8", "7 for Sunday"),
        ("0 2 * foo *", "a name such as feb"),
        ("0 2 ?/2 * 1", "both"),
        ("? 2 * * *", "A ? stands alone"),
        ("0 2 * * 1-", "a list of these"),
        ("0 2 * * 1,,2", "a list of these"),
        ("1/2/3 2 * * *", "a list of these"),
        ("0 0 2 * * *", "Write five fields"),
    ],
)
def test_what_programs_read_differently_is_refused_with_the_reason(expression: str, word: str):
    with pytest.raises(cron.Unreadable, match=word.replace("?", r"\?")) as refused:
        cron.canonical(expression)
    assert len(refused.value.message) < 200
