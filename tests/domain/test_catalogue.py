"""The check of a submission's shape: all problems at once, and no value in any of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import ProviderType
from domain.catalogue import AuthMethod, CredentialField, Permission, ProviderDescription, parse_credential
from domain.errors import InvalidInput
from tests.strategies import json_values, texts

CANARY = "canary-77aa"
METHOD = AuthMethod(
    method="access_key",
    credential_type="aws_access_key",
    name="Access key",
    description="A key pair.",
    fields=(
        CredentialField("access_key_id", r"AKIA[A-Z0-9]{16}", "20 characters that begin with AKIA."),
        CredentialField("secret_access_key", r"[!-~]{8,}", "At least 8 characters.", secret=True, max_characters=100),
        CredentialField("account_number", r"[0-9]{12}", "12 digits.", required=False),
    ),
)
AWS = ProviderDescription(
    provider_type=ProviderType.AWS,
    name="AWS",
    methods=(METHOD, AuthMethod("iam_role", "aws_iam_role", "Role", "A role.", ())),
    permissions=(Permission("s3:ListAllMyBuckets", required=True, purpose="Finds buckets."),),
    account_number_pattern=r"[0-9]{12}",
)
GOOD = {"access_key_id": "AKIAABCDEFGHIJKLMNOP", "secret_access_key": "s3cr3t-s3cr3t"}


def problems(given: dict[str, object]) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidInput) as caught:
        parse_credential(METHOD, given)
    assert CANARY not in repr(caught.value.problems)
    return [(problem.code, problem.pointer) for problem in caught.value.problems]


def test_a_good_submission_becomes_a_credential():
    credential = parse_credential(METHOD, GOOD)
    assert credential.credential_type == "aws_access_key"
    assert credential.reveal_all() == GOOD


def test_white_space_around_a_value_is_dropped():
    padded = {name: f"\n {value}\t" for name, value in GOOD.items()}
    assert parse_credential(METHOD, padded).reveal_all() == GOOD


def test_an_optional_field_may_be_null():
    assert parse_credential(METHOD, {**GOOD, "account_number": None}).reveal_all() == GOOD


def test_every_problem_is_found_at_once():
    found = problems({"secret_access_key": 7, "account_number": CANARY, CANARY: CANARY})
    assert found == [
        ("missing", "/credentials/access_key_id"),
        ("not_text", "/credentials/secret_access_key"),
        ("bad_format", "/credentials/account_number"),
        ("unknown_field", "/credentials"),
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "missing"),
        ("", "bad_format"),
        ("   ", "bad_format"),
        (CANARY + " " + CANARY, "bad_format"),
        (CANARY * 10, "too_long"),
        ([CANARY], "not_text"),
        ({CANARY: CANARY}, "not_text"),
        (True, "not_text"),
    ],
)
def test_a_bad_value_is_named_by_its_field(value: object, code: str):
    assert problems({**GOOD, "secret_access_key": value}) == [(code, "/credentials/secret_access_key")]


@given(value=json_values)
def test_whatever_json_is_sent_the_answer_is_a_credential_or_a_problem(value: object):
    given = {**GOOD, "account_number": value}
    if value is None or (isinstance(value, str) and re.fullmatch(r"\s*[0-9]{12}\s*", value)):
        assert parse_credential(METHOD, given)
    else:
        ((_, pointer),) = problems(given)
        assert pointer == "/credentials/account_number"


@given(names=st.sets(texts.filter(lambda name: name not in {f.name for f in METHOD.fields}), min_size=1))
def test_unknown_fields_are_counted_and_not_named(names: set[str]):
    with pytest.raises(InvalidInput) as caught:
        parse_credential(METHOD, {**GOOD, **dict.fromkeys(names, CANARY)})
    (problem,) = caught.value.problems
    assert problem.message.startswith(f"{len(names)} unknown field(s)")


def test_the_first_method_is_the_default():
    assert AWS.method(None) is METHOD
    assert AWS.method("iam_role").credential_type == "aws_iam_role"


def test_an_unknown_method_is_answered_with_the_known_ones():
    with pytest.raises(InvalidInput) as caught:
        AWS.method(CANARY)
    (problem,) = caught.value.problems
    assert (problem.pointer, problem.message) == ("/auth_method", "Use one of: access_key, iam_role.")


def test_a_method_lists_what_it_requires():
    assert METHOD.requires == ("access_key_id", "secret_access_key")
