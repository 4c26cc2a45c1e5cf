"""Names: what may stand in them, and when two are the same."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.schemas import Name
from domain.names import folded, has_hidden, tidied

HIDDEN = [
    *("\u200b", "\u200d", "\ufeff", "\u00ad", "\u202e", "\u2066", "\u2028", "\U000e0041", "\U000e0101"),
    *("\u3164", "\uffa0", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u034f", "\ue000", "\x07", "\n"),
    *("\u2029", "\ud800", "\ufdd0"),  # a separator of paragraphs, half a pair, and what no alphabet will ever have
    *("\ufe00", "\ufe0f", "\U000e0100", "\U000e01ef"),  # the ends of the selectors
]


@pytest.mark.parametrize("sign", HIDDEN, ids=ascii)
def test_what_nobody_sees_is_found_wherever_it_stands(sign: str):
    assert all(has_hidden(name) for name in (f"Zed{sign}", f"{sign}Zed", f"Z{sign}ed"))


@given(st.text(st.characters(categories=["Cf"]), min_size=1))
def test_no_format_character_gets_through(text: str):
    assert has_hidden(f"Acme{text}")


def test_what_can_be_seen_is_not_taken_for_hidden():
    assert not has_hidden(string.ascii_letters + string.digits + string.punctuation)
    assert not has_hidden("\ufdff\ufe10")  # beside the selectors


def test_a_name_has_at_most_128_characters():
    names = TypeAdapter(Name)
    assert names.validate_python("x" * 128) == "x" * 128
    for refused in ("x" * 129, ""):
        with pytest.raises(ValidationError):
            names.validate_python(refused)


def test_blanks_are_plain_and_inside():
    assert tidied("\u2003Acme\u00a0Ltd\u3000") == "Acme Ltd"
    assert tidied("Zoe\u0308") == "Zoë"


@pytest.mark.parametrize("name", ["Acme", "Müller & Söhne", "株式会社", "Жёлтый Ёж", "شركة", "Zoë–2", "नमस्ते"])
def test_names_of_people_are_fine(name: str):
    assert not has_hidden(name)
    assert tidied(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "other",
    [
        *("ACME ltd", "\uff21cme Ltd", "acme  ltd", "Acme\u00a0Ltd", "ᴬcme Ltd", "Acme\u3000Ltd"),
        *("\u0410cme Ltd", "Acm\u0435 L\u0442d", "\u0391cm\u03b5 Ltd"),  # Cyrillic and Greek letters
    ],
    ids=ascii,
)
def test_what_looks_alike_is_one_name(other: str):
    assert folded(tidied(other)) == folded("Acme Ltd")


@given(st.text(max_size=40))
def test_folding_a_folded_name_changes_nothing(text: str):
    assert folded(folded(text)) == folded(text)
