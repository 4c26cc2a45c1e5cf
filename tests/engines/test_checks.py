"""Each check by a table: what passes, what fails, and that a denial is never a pass."""

import json
import re
from datetime import date
from importlib.resources import files
from itertools import product
from typing import Any

import pytest

from domain.scans.scan import CheckStatus
from engines.aws.baseline import CHECKS
from engines.aws.calls import CALLS
from engines.aws.checks.functions import UPDATED_UNTIL
from engines.checks import Check
from tests.engines.canned import ACCESS_DENIED, NO_ANSWER, Answers, CannedClients, Run
from tests.engines.check_cases import (
    ADMINISTRATOR,
    BUCKET,
    CASES,
    OURS,
    allowing,
    function,
    group,
    instance,
    ipv4,
    kms_key,
    principal,
    principals,
    report,
)
from tests.pages import reference, rows

BY_ID = {check.check_id: check for check in CHECKS}

FAILURES = (ACCESS_DENIED, NO_ANSWER, "ThrottlingException", "SomethingNew")

PASSING = [(name, answers) for name, case in CASES.items() for answers in case.passing]
FAILING = [(name, answers) for name, case in CASES.items() for answers in case.failing]


def numbered(cases: list[tuple[str, Answers]]) -> list[str]:
    return [f"{name} #{number}" for number, (name, _) in enumerate(cases)]


def test_every_check_has_its_cases():
    assert set(CASES) == set(BY_ID)
    assert len(BY_ID) == len(CHECKS)


@pytest.mark.parametrize(("name", "answers"), PASSING, ids=numbered(PASSING))
def test_a_check_passes(canned: CannedClients, name: str, answers: Answers):
    (finding,) = Run(canned, answers, BY_ID[name]).findings
    assert (finding.check_id, finding.status, finding.remedy) == (name, CheckStatus.PASS, "")
    assert finding.resource.startswith("arn:aws:")


@pytest.mark.parametrize(("name", "answers"), FAILING, ids=numbered(FAILING))
def test_a_check_fails_and_says_what_to_do(canned: CannedClients, name: str, answers: Answers):
    (finding,) = Run(canned, answers, BY_ID[name]).findings
    assert (finding.check_id, finding.status) == (name, CheckStatus.FAIL)
    assert finding.remedy


@pytest.mark.parametrize(("name", "answers"), PASSING + FAILING, ids=numbered(PASSING + FAILING))
def test_a_call_that_fails_is_an_error_and_never_a_pass(canned: CannedClients, name: str, answers: Answers):
    for permission, failure in product(set(Run(canned, answers, BY_ID[name]).asked), FAILURES):
        run = Run(canned, {**answers, permission: failure}, BY_ID[name])
        assert CheckStatus.ERROR in run.statuses
        # Of two kinds of snapshot the other one is judged all the same.
        assert CheckStatus.PASS not in run.statuses or name in ("fsbp-rds.1", "fsbp-rds.4")
        assert permission in run.errors


def test_every_call_is_made_by_some_check(canned: CannedClients):
    made = {permission for name, answers in PASSING + FAILING for permission in Run(canned, answers, BY_ID[name]).asked}
    assert made | {"ec2:DescribeRegions"} == set(CALLS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.check_id)
def test_a_check_is_named_after_its_place_in_a_benchmark(check: Check):
    place, number = check.standards[0].split(" / ")
    prefix = {
        "CIS AWS Foundations 3.0.0": "cis-aws-3.0.0-",
        "AWS FSBP 1.0.0": "fsbp-",
        "NIST SP 800-53 Rev. 5": "nist-800-53-r5-",
    }[place]
    assert check.check_id == prefix + number.lower()
    assert re.fullmatch(r"[A-Z].*[^.]", check.title)
    assert re.fullmatch(r"[A-Z].*\.", check.remedy)


def test_what_cannot_be_rotated_is_not_judged(canned: CannedClients):
    check = BY_ID["cis-aws-3.0.0-3.6"]
    for metadata in (
        {"KeyManager": "AWS"},
        {"KeyState": "PendingDeletion"},
        {"KeySpec": "RSA_2048"},
        {"Origin": "EXTERNAL"},
        {"MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"}},
    ):
        assert Run(canned, kms_key(rotates=False, **metadata), check).findings == []


def test_a_function_in_a_container_has_no_runtime_of_awss(canned: CannedClients):
    answers = function("python2.7")
    answers["lambda:ListFunctions"]["Functions"][0] |= {"PackageType": "Image"}
    assert Run(canned, answers, BY_ID["fsbp-lambda.2"]).findings == []


def test_of_a_function_nothing_is_kept_but_its_name_and_its_runtime(canned: CannedClients):
    given = function("python2.7")["lambda:ListFunctions"]
    (kept,) = CALLS["lambda:ListFunctions"].items_in(given)
    assert set(kept) == {"FunctionArn", "Runtime"}
    (finding,) = Run(canned, function("python2.7"), BY_ID["fsbp-lambda.2"]).findings
    assert "kanarienvogel" not in repr(finding)


def test_the_dates_of_the_runtimes_are_those_that_others_know():
    others = json.loads(files("cfnlint").joinpath("data/AdditionalSpecs/LmbdRuntimeLifecycle.json").read_text())
    until = {name: date.fromisoformat(entry["deprecated"]) for name, entry in others.items()}
    assert {name: until[name] for name in UPDATED_UNTIL} == UPDATED_UNTIL
    assert {name for name in until if until[name] < date(2027, 10, 1)} <= set(UPDATED_UNTIL)


def test_a_service_linked_role_is_not_judged(canned: CannedClients):
    linked = principal("AWSServiceRoleForX", kind="Role", inline=allowing(), path="/aws-service-role/x.amazonaws.com/")
    assert Run(canned, principals(linked, kind="Role"), BY_ID["cis-aws-3.0.0-1.16"]).findings == []


def test_a_policy_that_aws_does_not_show_is_no_ground_to_pass(canned: CannedClients):
    run = Run(canned, principals(principal(attached=OURS), principal("bob")), BY_ID["cis-aws-3.0.0-1.16"])
    assert run.statuses == [CheckStatus.ERROR, CheckStatus.PASS]


def test_an_open_port_and_an_administrator_are_named(canned: CannedClients):
    (ports,) = Run(canned, group(ipv4("tcp", 5432, 6379)), BY_ID["fsbp-ec2.19"]).findings
    assert ports.message == "Open to the world: 5432, 6379."
    (admin,) = Run(canned, principals(principal(attached=ADMINISTRATOR)), BY_ID["cis-aws-3.0.0-1.16"]).findings
    assert admin.message == "Allowed to do everything by: AdministratorAccess."


def test_a_terminated_instance_is_not_judged(canned: CannedClients):
    answers = instance(HttpTokens="optional")
    answers["ec2:DescribeInstances"]["Reservations"][0]["Instances"][0]["State"]["Name"] = "terminated"
    assert Run(canned, answers, BY_ID["cis-aws-3.0.0-5.6"]).findings == []


def test_only_the_default_group_has_to_be_closed(canned: CannedClients):
    assert Run(canned, group(ipv4("-1"), name="web"), BY_ID["cis-aws-3.0.0-5.4"]).findings == []


def test_a_user_without_password_or_key_is_judged_for_use_only(canned: CannedClients):
    checks = [BY_ID[f"cis-aws-3.0.0-{number}"] for number in ("1.10", "1.12", "1.13", "1.14")]
    assert [finding.check_id for finding in Run(canned, report(), *checks).findings] == ["cis-aws-3.0.0-1.12"]


def test_buckets_are_asked_for_where_they_are(canned: CannedClients):
    def own(**arguments: str) -> Any:
        return {"Buckets": []} if arguments != {"BucketRegion": "eu-west-1"} else BUCKET["s3:ListAllMyBuckets"]

    answers = {"s3:ListAllMyBuckets": own, "s3:GetBucketPolicy": "NoSuchBucketPolicy"}
    assert Run(canned, answers, BY_ID["cis-aws-3.0.0-2.1.1"]).statuses == [CheckStatus.FAIL]


def test_the_credential_report_is_waited_for(canned: CannedClients):
    states = iter(["STARTED", "INPROGRESS", "COMPLETE"])
    answers = {**report(), "iam:GenerateCredentialReport": lambda: {"State": next(states)}}
    run = Run(canned, answers, BY_ID["cis-aws-3.0.0-1.12"])
    assert (run.statuses, len(run.pauses)) == ([CheckStatus.PASS], 2)


def test_a_credential_report_that_is_never_finished_is_an_error(canned: CannedClients):
    answers = {**report(), "iam:GenerateCredentialReport": {"State": "INPROGRESS"}}
    run = Run(canned, answers, BY_ID["cis-aws-3.0.0-1.12"])
    assert run.statuses == [CheckStatus.ERROR]
    assert sum(run.pauses) == 60


def test_the_credential_report_is_read_once_for_all_its_checks(canned: CannedClients):
    checks = [BY_ID[f"cis-aws-3.0.0-{number}"] for number in ("1.10", "1.12", "1.13", "1.14")]
    assert sorted(Run(canned, report(), *checks).asked) == ["iam:GenerateCredentialReport", "iam:GetCredentialReport"]


def test_each_check_is_documented_and_no_other():
    documented = {tuple(cell.strip("`") for cell in row) for row in rows(reference("engine-protocol")) if len(row) == 5}
    where = {True: "each region", False: "once"}
    assert documented == {(c.check_id, c.title, c.service, c.severity.value, where[c.regional]) for c in CHECKS}
