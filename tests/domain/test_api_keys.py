"""API keys: what a key looks like, and which text is one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.callers.access import Role
from domain.callers.api_keys import (
    ApiKey,
    digest_of,
    is_key_id,
    is_valid,
    key_id_of,
    new_key_text,
    remaining_administrator,
)

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


def test_only_sixteen_small_letters_and_digits_can_be_the_id_of_a_key():
    assert is_key_id(KEY.key_id)
    assert not any(
        is_key_id(text) for text in ("", KEY.key_id[1:], f"{KEY.key_id}0", KEY.key_id.upper() + "A", "-" * 16)
    )


def test_the_keys_that_were_given_out_keep_their_checksum():
    assert key_id_of("tek_0123456789abcdef_0123456789abcdefghijklmnopqrstuv3lxyab") == "0123456789abcdef"


def test_another_key_administers_the_platform_only_while_it_is_in_force():
    other = replace(KEY, key_id="0" * 16)
    assert remaining_administrator(KEY, [KEY, other], at=NOW) == other
    assert remaining_administrator(KEY, [KEY], at=NOW) is None
    assert remaining_administrator(KEY, [KEY, replace(other, revoked_at=NOW)], at=NOW) is None
    assert remaining_administrator(KEY, [KEY, replace(other, expires_at=NOW)], at=NOW) is None
