"""Cursors: they lead on in the list they were given for, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from stores import cursors
from tests.strategies import ids, texts

scopes = st.lists(texts, min_size=1, max_size=4).map(tuple)


@given(position=ids, scope=scopes)
def test_a_cursor_leads_to_its_position(position: str, scope: tuple[str, ...]):
    assert cursors.decode(cursors.encode(position, scope), scope) == position


@given(position=ids, given_for=scopes, used_for=scopes)
def test_a_cursor_serves_one_list(position: str, given_for: tuple[str, ...], used_for: tuple[str, ...]):
    if given_for != used_for:
        with pytest.raises(InvalidInput):
            cursors.decode(cursors.encode(position, given_for), used_for)


@given(text=st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_anything_else_is_refused_and_not_echoed(text: str):
    with pytest.raises(InvalidInput) as caught:
        cursors.decode(text, ("accounts",))
    assert [(problem.code, problem.pointer) for problem in caught.value.problems] == [("bad_cursor", "/cursor")]


@pytest.mark.parametrize("position", ["", "x" * (cursors.MAX_BYTES + 1)], ids=["empty", "too long"])
def test_a_forged_position_that_no_key_can_have_is_refused(position: str):
    with pytest.raises(InvalidInput):
        cursors.decode(cursors.encode(position, ("accounts",)), ("accounts",))


@given(position=st.text(min_size=1, max_size=500).filter(lambda text: text.isprintable()))
def test_a_cursor_leads_past_the_key_of_a_foreign_row(position: str):
    assert cursors.decode(cursors.encode(position, ("accounts",)), ("accounts",)) == position


def test_a_cursor_has_one_spelling():
    cursor = cursors.encode("position", ("accounts",))
    for other in (cursor + "=", cursor + "\n", f" {cursor}"):
        with pytest.raises(InvalidInput):
            cursors.decode(other, ("accounts",))


def test_a_cursor_goes_into_a_url_as_it_is():
    assert set(cursors.encode("2026-11-24T10:00:00.000Z#~", ("audit", "x"))).isdisjoint("+/=?&# ")
