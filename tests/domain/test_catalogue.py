"""The check of a submission's shape: all problems at once, and no value in any of them."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import ProviderType
from domain.errors import InvalidInput, Problem
from domain.onboarding.catalogue import (
    AuthMethod,
    CredentialField,
    Permission,
    ProviderDescription,
    members_of,
    parse_credential,
)
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
    assert problem.message.startswith(f"{len(names)} unknown field")


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


# A field that is a JSON object

FILE = AuthMethod(
    method="key_file",
    credential_type="gcp_service_account",
    name="Key file",
    description="A key file.",
    fields=(
        CredentialField(
            "file",
            r"\{[\s\S]*\}",
            "A key file.",
            secret=True,
            max_characters=400,
            members=(
                CredentialField("type", r"key", "The kind."),
                CredentialField("key", r"[!-~]{4,}\n?", "4 characters.", secret=True),
                CredentialField("note", r"[a-z]+", "A word.", required=False),
            ),
        ),
        CredentialField("number", r"[0-9]+", "Digits.", required=False),
    ),
)
CONTENT = {"type": "key", "key": "s3cr3t\n", "token_uri": "https://attacker.example", "nested": {"a": [CANARY]}}


@pytest.mark.parametrize("submitted", [CONTENT, json.dumps(CONTENT), f"\n {json.dumps(CONTENT, indent=2)}\n"])
def test_of_an_object_or_its_text_the_declared_members_are_kept_and_nothing_else(submitted: object):
    credential = parse_credential(FILE, {"file": submitted})
    assert credential.reveal_all() == {"file": '{"key":"s3cr3t","type":"key"}'}
    assert members_of(credential, "file") == {"key": "s3cr3t", "type": "key"}


def test_what_was_kept_reads_the_same_again():
    once = parse_credential(FILE, {"file": CONTENT | {"note": "word"}, "number": "1"})
    assert parse_credential(FILE, once.reveal_all()) == once


def test_everything_that_is_wrong_inside_an_object_is_said_with_what_is_wrong_outside():
    with pytest.raises(InvalidInput) as caught:
        parse_credential(FILE, {"file": {"type": CANARY, "note": [CANARY]}, "number": "x"})
    assert [(problem.code, problem.pointer) for problem in caught.value.problems] == [
        ("bad_format", "/credentials/file/type"),
        ("missing", "/credentials/file/key"),
        ("not_text", "/credentials/file/note"),
        ("bad_format", "/credentials/number"),
    ]
    assert CANARY not in repr(caught.value.problems)


@pytest.mark.parametrize(
    ("submitted", "code"),
    [
        (None, "missing"),
        (7, "not_an_object"),
        ([CONTENT], "not_an_object"),
        ("", "bad_format"),
        ("/etc/passwd", "bad_format"),
        ("{not json}", "not_an_object"),
        ('{"a":' * 60 + "1" + "}" * 60, "missing"),
        ("{" + " " * 400 + "}", "too_long"),
        (CONTENT | {"key": "k" * 400}, "too_long"),
    ],
    ids=["missing", "number", "list", "empty", "path", "not json", "deep", "long text", "long member"],
)
def test_what_is_no_such_object_is_refused(submitted: object, code: str):
    with pytest.raises(InvalidInput) as caught:
        parse_credential(FILE, {"file": submitted})
    assert {problem.code for problem in caught.value.problems} == {code}


def test_text_that_nests_without_end_is_refused():
    (field,) = FILE.fields[:1]
    wide = replace(FILE, fields=(replace(field, max_characters=100_000),))
    with pytest.raises(InvalidInput) as caught:
        parse_credential(wide, {"file": '{"a":' * 9_000 + "1" + "}" * 9_000})
    assert [problem.code for problem in caught.value.problems] == ["not_an_object"]


@given(value=json_values)
def test_whatever_is_sent_as_an_object_is_kept_in_part_or_refused(value: object):
    problems: Sequence[Problem] = ()
    kept: set[str] = set()
    try:
        kept = set(members_of(parse_credential(FILE, {"file": value}), "file"))
    except InvalidInput as error:
        problems = error.problems
    assert bool(problems) != bool(kept)
    assert kept <= {"type", "key", "note"}
