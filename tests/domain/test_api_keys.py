"""API keys: what a key looks like, and which text is one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Role
from domain.api_keys import ApiKey, digest_of, is_valid, key_id_of, new_key_text

TEXT = new_key_text()
NOW = "2026-11-24T10:00:00.000Z"
KEY = ApiKey(
    key_id=key_id_of(TEXT) or "",
    tenant_id="platform",
    name="first administrator",
    digest=digest_of(TEXT),
    role=Role.ADMIN,
    created_at="2026-11-24T09:00:00.000Z",
    expires_at="2026-11-25T09:00:00.000Z",
)


def test_a_key_has_a_prefix_an_id_and_160_bits_of_secret():
    prefix, key_id, rest = TEXT.split("_")
    assert (prefix, len(key_id), len(rest)) == ("tek", 16, 38)
    assert key_id_of(TEXT) == key_id


def test_no_two_keys_are_alike():
    assert len({new_key_text() for _ in range(200)}) == 200


@given(position=st.integers(0, len(TEXT) - 1), character=st.characters(codec="ascii"))
def test_a_mistyped_character_is_noticed(position: int, character: str):
    typed = TEXT[:position] + character + TEXT[position + 1 :]
    assert (key_id_of(typed) is not None) == (typed == TEXT)


@given(text=st.text(max_size=80))
def test_another_text_is_no_key(text: str):
    assert key_id_of(text) is None


@pytest.mark.parametrize("text", [TEXT + "\n", " " + TEXT, TEXT.upper(), TEXT[:-1], TEXT + "0", ""], ids=range(6))
def test_a_key_has_one_spelling(text: str):
    assert key_id_of(text) is None


def test_the_digest_says_nothing_about_the_key():
    assert digest_of(TEXT) != digest_of(new_key_text())
    assert TEXT.split("_")[2] not in repr(KEY)


def test_a_key_is_valid_until_it_expires():
    assert is_valid(KEY, TEXT, NOW)
    assert not is_valid(KEY, TEXT, KEY.expires_at)


@pytest.mark.parametrize(
    ("key", "text"),
    [(None, TEXT), (KEY, new_key_text()), (replace(KEY, revoked_at=NOW), TEXT), (replace(KEY, digest=""), TEXT)],
    ids=["unknown", "another's", "revoked", "without a digest"],
)
def test_a_key_that_is_not_in_force_is_not_valid(key: ApiKey | None, text: str):
    assert not is_valid(key, text, NOW)
