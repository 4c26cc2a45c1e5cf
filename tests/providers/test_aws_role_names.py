"""The rule for the names of customers' roles: what we accept is what our own policy lets us assume."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.policies.place import Place
from commands.policies.roles import role_policy
from config import Settings, SettingsError
from domain.errors import InvalidInput, Problem
from domain.onboarding.catalogue import parse_credential
from providers.aws.description import iam_role
from providers.aws.role_names import ROLE_NAMES_PATTERN, RoleNames
from tests.deploy.policies import ACCOUNT, Request, allows

ROLE = "arn:aws:iam::222222222222:role"


def refusal(arn: str, pattern: str = "ThreatEngine*") -> Problem | None:
    try:
        parse_credential(iam_role(RoleNames(pattern)), {"role_arn": arn})
    except InvalidInput as error:
        [problem] = error.problems
        return problem
    return None


def assumed(arn: str, pattern: str) -> bool:
    """Whether the worker's policy lets it assume the role."""
    settings = Settings.model_validate({"platform_aws_account_id": ACCOUNT, "customer_role_names": pattern})
    return allows(role_policy("worker", Place(settings))["Statement"], Request("sts:AssumeRole", arn))


REFUSED = {
    "another name": ("ThreatEngine*", "SecurityAuditor"),
    "the prefix within the name": ("ThreatEngine*", "MyThreatEngine"),
    "another case": ("ThreatEngine*", "threatengine"),
    "the prefix in the path": ("ThreatEngine*", "ThreatEngine/Auditor"),
    "another path": ("/security/ThreatEngine*", "ThreatEngineReadOnly"),
    "a longer path": ("/security/ThreatEngine*", "security/team/ThreatEngineReadOnly"),
    "a name that is a pattern to others": ("Scan.er*", "ScanXer"),
}


@pytest.mark.parametrize(("pattern", "name"), REFUSED.values(), ids=REFUSED.keys())
def test_a_role_that_we_may_not_assume_is_refused_with_the_rule_and_what_to_do(pattern: str, name: str):
    problem = refusal(f"{ROLE}/{name}", pattern)
    assert problem
    assert (problem.code, problem.pointer) == ("role_name_not_allowed", "/credentials/role_arn")
    assert problem.message == RoleNames(pattern).rule
    assert RoleNames(pattern).prefix in problem.message
    assert problem.remedy
    assert name not in f"{problem.message}{problem.remedy}" or name in pattern


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        *(("ThreatEngine*", name) for name in ("ThreatEngine", "ThreatEngineReadOnly", "a/b/ThreatEngine-1")),
        *(("/security/Scan*", name) for name in ("security/Scan", "security/Scanner")),
    ],
)
def test_a_role_of_an_allowed_name_is_accepted_and_may_be_assumed(pattern: str, name: str):
    assert refusal(f"{ROLE}/{name}", pattern) is None
    assert assumed(f"{ROLE}/{name}", pattern)


paths = st.sampled_from(["", "a/", "ThreatEngine/", "a/ThreatEngineX/", "security/"])
names = st.from_regex(r"(ThreatEngine|Scan|threat)?[A-Za-z0-9+=,.@_-]{1,20}", fullmatch=True)


@given(path=paths, name=names, pattern=st.sampled_from(["ThreatEngine*", "/security/Scan*", "Scan*"]))
def test_whatever_is_accepted_may_be_assumed(path: str, name: str, pattern: str):
    arn = f"{ROLE}/{path}{name}"
    assert refusal(arn, pattern) is not None or assumed(arn, pattern)


@pytest.mark.parametrize(
    "pattern", ["*", "Thr*", "Threat", "Th*at*", "/*", "security/Threat*", "//Threat*", "/a b/Threat*", "T" * 41 + "*"]
)
def test_a_setting_that_would_allow_too_much_or_nothing_is_refused(pattern: str):
    assert not re.fullmatch(ROLE_NAMES_PATTERN, pattern)


def test_the_setting_never_covers_the_platforms_own_role(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLATFORM_AWS_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setenv("CUSTOMER_ROLE_NAMES", "threat-engine*")
    with pytest.raises(SettingsError, match="PLATFORM_ROLE_NAME must not begin like that"):
        Settings.from_environment()
