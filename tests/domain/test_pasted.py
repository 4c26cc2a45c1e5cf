"""Values as they come out of terminals, documents, chats, environment files and CI variables."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.onboarding.pasted import damage_in, mended, mended_object, mended_pem

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


@pytest.mark.parametrize(
    "text",
    [
        "aws_access_key_id = {}",
        "export AWS_ACCESS_KEY_ID='{}'",
        'AccessKeyId: "{}",',
        '"AccessKeyId": "{}"',
        "<{}>",
        "{{{}}}",
    ],
)
def test_the_name_of_a_value_and_brackets_around_it_are_taken_off(text: str):
    assert mended(text.format(KEY_ID), is_key_id) == KEY_ID


def test_an_accounts_number_is_taken_as_consoles_show_it_and_a_colon_alone_is_no_name():
    assert mended("1234-5678-9012", lambda form: form.isdecimal() and len(form) == 12) == "123456789012"
    assert mended("example:my-project", lambda form: form == "my-project") == "example:my-project"


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
    "base64 for addresses, without padding": lambda pem: urlsafe_b64encode(pem.encode()).decode().rstrip("="),
    "base64 of PowerShell, quoted": lambda pem: f'"{b64encode(pem.encode("utf-16-le")).decode()}"',
    "slashes and line breaks as JSON may write them": lambda pem: pem.replace("/", "\\/").replace("\n", "\\u000a"),
    "a line of a settings file": lambda pem: 'PRIVATE_KEY="' + pem.replace("\n", "\\n") + '"',
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
    "a text of json in a text of json": lambda text: json.dumps(json.dumps(text)),
    "quotation marks with backslashes": lambda text: json.dumps(text)[1:-1],
    "after a command": lambda text: f"$ cat key.json\n{text}\n$",
    "in a fence": lambda text: f"```json\n{text}\n```",
    "base64 of PowerShell": lambda text: b64encode(text.encode("utf-16-le")).decode(),
    "base64 with a name": lambda text: f"GOOGLE_CREDENTIALS={b64encode(text.encode()).decode()}",
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
        ("-----BEGIN PUBLIC KEY-----\nAKIA\n-----END PUBLIC KEY-----", "no private key"),
        ("AKIA 12", "blank"),
        ("AKIA", ""),
    ],
)
def test_what_is_not_undone_is_named_without_the_value(text: str, named: str):
    assert named in damage_in(text)
    assert "AKIA" not in damage_in(text)
