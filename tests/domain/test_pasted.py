"""Values as they come out of terminals, documents, chats, environment files and CI variables."""

import json
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pasted import damage_in, mended, mended_object, mended_pem

PEM = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nnrnrnnnr/+abc==\n-----END PRIVATE KEY-----\n"
    "-----BEGIN CERTIFICATE-----\nMIIDazCC\n-----END CERTIFICATE-----"
)
FILE = {"type": "service_account", "private_key": PEM, "client_email": "scan@project.iam.gserviceaccount.com"}
TEXT = json.dumps(FILE)
KEY_ID = "AKIA1234567890ABCDEF"

AROUND = {
    "blanks": "  {}\t\n",
    "a byte order mark": "\ufeff{}",
    "zero width": "\u200b{}\u200d",
    "no-break spaces": "\u00a0{}\u202f",
    "windows": "{}\r\n",
    "quoted": '"{}"',
    "typographic": "\u201c{}\u201d",
    "german": "\u201e{}\u201c",
    "single": "'{}'",
    "code": "`{}`",
    "from a list": '"{}",',
    "quoted twice": "\"'{}'\"",
}


def is_key_id(text: str) -> bool:
    return text.startswith("AKIA") and text.isalnum() and len(text) == len(KEY_ID)


@pytest.mark.parametrize("name", AROUND)
def test_what_stands_around_a_value_is_taken_off(name: str):
    assert mended(AROUND[name].format(KEY_ID), is_key_id) == KEY_ID
    assert mended_pem(AROUND[name].format(PEM)) == PEM
    assert mended_object(AROUND[name].format(TEXT)) == FILE


@given(st.integers(0, len(KEY_ID)), st.sampled_from("\ufeff\u200b\u00ad\u2060"))
def test_what_nobody_sees_is_taken_out(place: int, sign: str):
    assert mended(KEY_ID[:place] + sign + KEY_ID[place:], is_key_id) == KEY_ID


@given(st.text(max_size=60))
def test_a_value_that_may_be_meant_as_it_is_stays_as_it_is(text: str):
    assert mended(f"'{text}'", lambda form: True) == f"'{text}'"


PEMS: dict[str, Callable[[str], str]] = {
    "line breaks written out": lambda pem: pem.replace("\n", "\\n"),
    "written out twice": lambda pem: pem.replace("\n", "\\\\n"),
    "written out for windows": lambda pem: pem.replace("\n", "\\r\\n"),
    "windows": lambda pem: pem.replace("\n", "\r\n"),
    "an old mac": lambda pem: pem.replace("\n", "\r"),
    "a byte order mark in the middle": lambda pem: pem.replace("-----BEGIN", "\ufeff-----BEGIN"),
    "dashes of a word processor": lambda pem: pem.replace("-----", "\u2014\u2014-"),
    "base64 once more": lambda pem: b64encode(pem.encode()).decode(),
    "base64 once more, in lines": lambda pem: "\n".join(b64encode(pem.encode()).decode().partition("W")),
    "a heading and a label": lambda pem: f"Bag Attributes\n    localKeyID: 01\n{pem}\nOCI_API_KEY\n",
}


@pytest.mark.parametrize("name", PEMS)
def test_pem_is_as_it_was(name: str):
    assert mended_pem(PEMS[name](PEM)) == PEM


OBJECTS: dict[str, Callable[[str], str]] = {
    "base64": lambda text: b64encode(text.encode()).decode(),
    "a text of json": json.dumps,
    "real line breaks inside": lambda text: text.replace("\\n", "\n"),
    "typographic quotation marks": lambda text: text.replace('"', "\u201d"),
    "single quotation marks": lambda text: text.replace('"', "'"),
    "no-break spaces": lambda text: text.replace(": ", ":\u00a0"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_key_file_is_as_it_was(name: str):
    assert mended_object(OBJECTS[name](TEXT)) == FILE


@given(st.text(max_size=200) | st.text(alphabet='-BEGINDKY \\nr\n"{}[]:,', max_size=200))
def test_mending_once_is_enough_and_never_fails(text: str):
    once = mended_pem(text)
    assert mended_pem(once) == once
    mended_object(text)
    damage_in(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("AKIA\u200b12", "invisible"),
        ('"AKIA"', "quotation marks"),
        ("AKIA\u2013", "not ASCII"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "cut off"),
        ("AKIA 12", "blank"),
        ("AKIA", ""),
    ],
)
def test_what_is_not_undone_is_named_without_the_value(text: str, named: str):
    assert named in damage_in(text)
    assert "AKIA" not in damage_in(text)
