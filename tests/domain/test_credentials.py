"""A credential shows itself to nobody, and lets nobody carry it away."""

import copy
import json
import pickle
import traceback
from collections.abc import Callable
from dataclasses import asdict

import pytest
from hypothesis import given

from domain.onboarding.credentials import Credential, SealContext, Secret, VaultEntry
from tests.strategies import credentials, seal_contexts, texts

CANARY = "canary-8d21"
SECRET = Secret(CANARY)
CREDENTIAL = Credential("aws_access_key", {"secret_access_key": CANARY})
ENTRY = VaultEntry("t", "a", "s", "aws", CREDENTIAL, "2026-11-24T10:00:00.000Z")
HOLDERS = [SECRET, CREDENTIAL, ENTRY]

SHOW: dict[str, Callable[[object], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value}",
    "format with a width": lambda value: f"{[value]!s:>40}",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031
    "inside another": lambda value: repr({"value": [value]}),
    "traceback": lambda value: "".join(traceback.format_exception(ValueError(value))),
}
CARRY: dict[str, Callable[[object], object]] = {
    "pickle": pickle.dumps,
    "old pickle": lambda value: pickle.dumps(value, protocol=0),
    "json": json.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
@pytest.mark.parametrize("show", SHOW.values(), ids=SHOW)
def test_a_secret_is_masked_however_it_is_shown(holder: object, show: Callable[[object], str]):
    assert CANARY not in show(holder)


@pytest.mark.parametrize("holder", [SECRET, CREDENTIAL], ids=["Secret", "Credential"])
@pytest.mark.parametrize("carry", CARRY.values(), ids=CARRY)
def test_a_secret_refuses_to_be_serialised(holder: object, carry: Callable[[object], object]):
    with pytest.raises(TypeError) as caught:
        carry(holder)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_an_entry_cannot_become_a_dictionary():
    with pytest.raises(TypeError):
        asdict(ENTRY)


@pytest.mark.parametrize("holder", [SECRET, CREDENTIAL], ids=["Secret", "Credential"])
def test_a_secret_is_no_key_and_has_no_attributes_to_look_into(holder: object):
    with pytest.raises(TypeError):
        hash(holder)
    assert not hasattr(holder, "__dict__")


@given(credential=credentials)
def test_what_was_put_in_comes_out_of_reveal_only(credential: Credential):
    values = credential.reveal_all()
    assert list(credential) == list(values)
    assert all(credential.reveal(name) == value for name, value in values.items())
    assert credential.reveal("no_such_field") == ""


@given(first=credentials, second=credentials)
def test_credentials_are_equal_when_type_and_values_are(first: Credential, second: Credential):
    same = (first.credential_type, first.reveal_all()) == (second.credential_type, second.reveal_all())
    assert (first == second) == same
    assert first != first.reveal_all()


@given(text=texts)
def test_a_secret_equals_secrets_only(text: str):
    assert Secret(text) == Secret(text)
    assert Secret(text) != text


@given(first=seal_contexts, second=seal_contexts)
def test_the_seal_names_every_part_of_its_context(first: SealContext, second: SealContext):
    assert (first.as_mapping() == second.as_mapping()) == (first == second)
    assert set(first.as_mapping()) == {"tenant", "account", "submission", "purpose"}
