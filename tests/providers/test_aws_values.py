"""Whatever is submitted: no parser breaks, and nothing submitted comes back."""

import re
import traceback
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput, Problem, Trouble
from domain.onboarding.catalogue import MAX_FIELD_CHARACTERS, AuthMethod, parse_credential
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from providers.aws.arns import ROLE_ARN_PATTERN, Arn, parse_arn
from providers.aws.description import ACCESS_KEY, DESCRIPTION, IAM_ROLE
from providers.aws.provider import AwsProvider
from tests.providers.aws_accounts import EXTERNAL_ID
from tests.providers.canned_aws import CannedAws, error

ANSWERS = [
    None,
    ("AccessDenied", 403),
    ("ValidationError", 400),
    ("SignatureDoesNotMatch", 403),
    ("SomethingNew", 400),
    ("InternalFailure", 500),
]

printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=60)


def shaped(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(f"(?a:{pattern})", fullmatch=True)


@st.composite
def credentials(draw: st.DrawFn) -> Credential:
    """Of either method, in good shape or not. A value is long enough not to turn up in a sentence by chance."""
    method = draw(st.sampled_from(DESCRIPTION.methods))
    if draw(st.booleans()):
        fields = {f.name: draw(shaped(f.pattern)) for f in method.fields if f.required}
    else:
        fields = {f.name: draw(printable) for f in method.fields}
    return Credential(method.credential_type, fields)


def said(verdict: Verdict) -> str:
    """All that we say ourselves; identity and account number are the cloud's own words."""
    return repr(verdict.steps)


def attempt(provider: AwsProvider, credential: Credential) -> str:
    try:
        return said(provider.validate(credential, Expectation(EXTERNAL_ID)))
    except Trouble as trouble:
        return "".join(traceback.format_exception(trouble)) + repr(trouble)


@settings(max_examples=60, deadline=None)
@given(credential=credentials(), answer=st.sampled_from(ANSWERS))
def test_no_submitted_value_is_in_what_we_say(
    canned_server: CannedAws, canned_aws: AwsProvider, credential: Credential, answer: tuple[str, int] | None
):
    canned_server.forget()
    values = credential.reveal_all().values()
    if answer:
        code, status = answer
        for action in ("AssumeRole", "GetCallerIdentity"):
            canned_server.will_answer(action, error(code, status, message=escape(" ".join(values))))
    words = attempt(canned_aws, credential)
    assert [value for value in values if value in words] == []


@given(st.text())
def test_a_text_that_is_no_arn_has_no_parts(text: str):
    assert parse_arn(text) == Arn() or text.startswith("arn:")


@given(shaped(ROLE_ARN_PATTERN))
def test_a_role_arn_is_taken_apart_and_put_together_again(text: str):
    arn = parse_arn(text)
    assert f"arn:{arn.partition}:iam::{arn.account_number}:{arn.resource}" == text


@given(st.dictionaries(st.sampled_from([f.name for m in DESCRIPTION.methods for f in m.fields]), st.text()))
def test_any_fields_are_parsed_or_refused_in_our_words(fields: dict[str, str]):
    for method in DESCRIPTION.methods:
        allowed = {"/credentials", *(f"/credentials/{field.name}" for field in method.fields)}
        assert {problem.pointer for problem in problems_of(method, fields)} <= allowed


def problems_of(method: AuthMethod, fields: dict[str, str]) -> tuple[Problem, ...]:
    try:
        parse_credential(method, fields)
    except InvalidInput as refusal:
        return refusal.problems
    return ()


def test_the_longest_path_of_a_role_is_matched_at_once():
    assert not re.fullmatch(
        ROLE_ARN_PATTERN, "arn:aws:iam::222222222222:role/" + "/a" * (MAX_FIELD_CHARACTERS // 2) + "!"
    )


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::222222222222:role/ThreatEngineReadOnly",
        "arn:aws:iam::222222222222:role/team/security/ThreatEngine+Role=1,2.3@4-5_6",
        "arn:aws-cn:iam::222222222222:role/ThreatEngine",
        "arn:aws-us-gov:iam::222222222222:role/ThreatEngineScan",
    ],
)
def test_every_form_of_a_role_arn_is_accepted(arn: str):
    assert parse_credential(IAM_ROLE, {"role_arn": f" {arn}\n"}).reveal("role_arn") == arn


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::222222222222:role/",
        "arn:aws:iam::222222222222:role/a b",
        "arn:aws:iam::222222222222:role/" + "r" * 65,
        "arn:aws:iam:us-east-1:222222222222:role/Scan",
        "arn:aws:iam::٢٢٢٢٢٢٢٢٢٢٢٢:role/Scan",
        "arn:aws:sts::222222222222:assumed-role/Scan/s",
        "arn:aws-evil:iam::222222222222:role/Scan",
        "arn:aws:iam::222222222222:role/Scan\nx",
    ],
)
def test_what_is_no_role_arn_is_refused(arn: str):
    with pytest.raises(InvalidInput):
        parse_credential(IAM_ROLE, {"role_arn": arn})


def test_the_default_method_needs_no_secret_and_has_a_template():
    assert DESCRIPTION.method(None) is IAM_ROLE
    assert (IAM_ROLE.requires, IAM_ROLE.cloudformation_supported) == (("role_arn",), True)
    assert (ACCESS_KEY.requires, ACCESS_KEY.cloudformation_supported) == (("access_key_id", "secret_access_key"), False)


def test_each_permission_says_what_it_is_for_once():
    names = [permission.name for permission in DESCRIPTION.permissions]
    assert len(names) == len(set(names))
    assert all(permission.purpose.endswith(".") for permission in DESCRIPTION.permissions)
