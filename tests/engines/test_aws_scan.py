"""A run of checks: what is scanned, how far it goes, and what becomes of a failure."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import pytest

from domain.errors import Throttled, Trouble, Unavailable
from domain.scans.scan import CheckStatus
from domain.schedules.schedule import ScanScope
from engines.aws.baseline import CHECKS
from engines.aws.calls import CALLS
from engines.aws.reader import Limits
from engines.checks import Check
from tests.engines.canned import ACCESS_DENIED, HOME, NO_ANSWER, Answers, CannedClients, Run
from tests.engines.check_cases import (
    BLOCKED,
    BUCKET,
    CASES,
    account_block,
    bucket_access,
    bucket_block,
    database,
    database_snapshot,
    detector,
    group,
    key,
    password,
    password_policy,
    report,
    snapshot,
    summary,
    trail,
    virtual_mfa,
)

BY_ID = {check.check_id: check for check in CHECKS}
ROOT_KEYS, UNUSED = BY_ID["cis-aws-3.0.0-1.4"], BY_ID["cis-aws-3.0.0-1.12"]
ENCRYPTION, OPEN_PORTS, PLAIN_HTTP = (BY_ID[f"cis-aws-3.0.0-{number}"] for number in ("2.3.1", "5.2", "2.1.1"))
GUARD_DUTY = BY_ID["fsbp-guardduty.1"]
ORDERED = sorted(CHECKS, key=lambda check: check.regional)
ALL_GOOD: Answers = {
    **{permission: answer for case in CASES.values() for permission, answer in case.passing[-1].items()},
    **summary(AccountAccessKeysPresent=0, AccountMFAEnabled=1),
    **password_policy(MinimumPasswordLength=14, PasswordReusePrevention=24),
    **report(**password(used=1, changed=1), **key(1, age=1, used=1)),
    **trail(LogFileValidationEnabled=True, KmsKeyId="k1"),
    **bucket_block(**BLOCKED),
    **account_block(**BLOCKED),
    **group(),
    **bucket_access(),
    **virtual_mfa(),
    **snapshot(),
    **database_snapshot(encrypted=True),
}


def regions_of(run: Run) -> set[str]:
    return {finding.region for finding in run.findings}


# The scope


def test_an_empty_scope_is_every_region_that_is_switched_on(canned: CannedClients):
    run = Run(canned, database(), ENCRYPTION, scope=ScanScope())
    assert regions_of(run) == {HOME, "us-east-1"}


def test_what_is_global_is_judged_once(canned: CannedClients):
    run = Run(canned, summary(AccountAccessKeysPresent=0), ROOT_KEYS, scope=ScanScope())
    assert [finding.region for finding in run.findings] == ["global"]


def test_a_region_that_is_not_switched_on_is_said(canned: CannedClients):
    run = Run(canned, database(), ENCRYPTION, scope=ScanScope(regions=("us-east-1", "ap-east-1")))
    found = {(finding.check_id, finding.region): finding.status for finding in run.findings}
    assert found == {
        ("not-scanned", "ap-east-1"): CheckStatus.ERROR,
        ("cis-aws-3.0.0-2.3.1", "us-east-1"): CheckStatus.PASS,
    }


def test_without_the_list_of_regions_those_named_are_scanned(canned: CannedClients):
    answers = {**database(), "ec2:DescribeRegions": ACCESS_DENIED}
    run = Run(canned, answers, ENCRYPTION, scope=ScanScope(regions=("us-east-1",)))
    assert "ec2:DescribeRegions" in run.errors
    assert regions_of(run) == {"global", "us-east-1"}
    assert regions_of(Run(canned, answers, ENCRYPTION, scope=ScanScope())) == {"global", HOME}


def test_regions_are_listed_elsewhere_when_the_home_region_is_closed(canned: CannedClients):
    opened = {"Regions": [{"RegionName": "us-east-1"}]}
    asked: list[int] = []

    def first_no(**_: object) -> object:
        asked.append(1)
        return ACCESS_DENIED if len(asked) == 1 else opened

    run = Run(canned, {**database(), "ec2:DescribeRegions": first_no}, ENCRYPTION, scope=ScanScope())
    assert regions_of(run) == {"us-east-1"}


def test_a_region_that_aws_does_not_have_is_not_asked(canned: CannedClients):
    answers = {**database(), "ec2:DescribeRegions": ACCESS_DENIED}
    run = Run(canned, answers, ENCRYPTION, scope=ScanScope(regions=("moon-1", "us-east-1")))
    assert regions_of(run) == {"global", "us-east-1"}


def test_services_are_chosen_and_left_out(canned: CannedClients):
    def services(**scope: tuple[str, ...]) -> set[str]:
        run = Run(canned, ALL_GOOD, *CHECKS, scope=ScanScope(regions=(HOME,), **scope))
        return {finding.service for finding in run.findings}

    everything = services()
    assert len(everything) == 12
    assert services(services=("rds", "iam")) == {"rds", "iam"}
    assert services(services=("rds", "iam"), exclude_services=("iam",)) == {"rds"}
    assert services(exclude_services=("iam",)) == everything - {"iam"}


def test_a_service_without_a_check_is_said(canned: CannedClients):
    run = Run(canned, {}, ENCRYPTION, scope=ScanScope(regions=(HOME,), services=("route53",)))
    assert [(f.check_id, f.status, f.service) for f in run.findings] == [("not-scanned", CheckStatus.ERROR, "route53")]


# Limits


def databases(number: int) -> Answers:
    one = database()["rds:DescribeDBInstances"]["DBInstances"][0]
    return {"rds:DescribeDBInstances": {"DBInstances": [one] * number}}


def test_more_resources_than_the_limit_are_said(canned: CannedClients):
    run = Run(canned, databases(6), ENCRYPTION, limits=Limits(max_resources=5))
    assert run.statuses == [CheckStatus.PASS] * 5 + [CheckStatus.ERROR]
    assert "more than 5 resources" in run.errors
    assert CheckStatus.ERROR not in Run(canned, databases(5), ENCRYPTION, limits=Limits(max_resources=5)).statuses


def test_more_users_than_the_limit_are_said(canned: CannedClients):
    content = report()["iam:GetCredentialReport"]["Content"]
    many = {**report(), "iam:GetCredentialReport": {"Content": content + 2 * (b"\n" + content.splitlines()[-1])}}
    run = Run(canned, many, UNUSED, limits=Limits(max_resources=2))
    assert run.statuses == [CheckStatus.PASS] * 2 + [CheckStatus.ERROR]


def test_more_findings_than_the_limit_are_said_for_each_check(canned: CannedClients):
    checks = (ENCRYPTION, BY_ID["cis-aws-3.0.0-2.3.3"])
    run = Run(canned, databases(6), *checks, limits=Limits(max_findings=4))
    assert run.statuses == [CheckStatus.PASS] * 4 + [CheckStatus.ERROR] * 2


def test_what_was_not_reached_in_time_is_said(canned: CannedClients):
    ticks = count()
    run = Run(canned, ALL_GOOD, *CHECKS, limits=Limits(max_seconds=20), clock=lambda: float(next(ticks)))
    assert run.statuses[0] is CheckStatus.PASS
    assert run.statuses[-1] is CheckStatus.ERROR
    assert {finding.check_id for finding in run.findings} == set(BY_ID)
    assert len(run.asked) <= 20


# Progress and the end


def test_a_spotless_account_passes_every_check(canned: CannedClients):
    run = Run(canned, ALL_GOOD, *CHECKS)
    assert [(f.check_id, f.status) for f in run.findings] == [(check.check_id, CheckStatus.PASS) for check in ORDERED]


def test_it_tells_how_far_it_is(canned: CannedClients):
    told: list[int] = []
    Run(canned, ALL_GOOD, *CHECKS, scope=ScanScope(), alive=told.append)
    assert told == sorted(told)
    assert told[0] == 0
    assert 90 <= told[-1] < 100


class Stop(Exception):
    pass


def test_it_stops_before_the_next_call(canned: CannedClients):
    beats = iter(range(5))

    def alive(percent: int) -> None:
        if next(beats, None) is None:
            raise Stop

    with pytest.raises(Stop):
        Run(canned, ALL_GOOD, *CHECKS, alive=alive)
    assert len(canned.asked) <= 5


def test_trouble_that_alive_raises_ends_the_scan_too(canned: CannedClients):
    def alive(percent: int) -> None:
        if percent:
            raise Unavailable

    with pytest.raises(Unavailable):
        Run(canned, ALL_GOOD, *CHECKS, alive=alive)


@pytest.mark.parametrize(("failure", "trouble"), [(NO_ANSWER, Unavailable), ("Throttling", Throttled)])
def test_a_cloud_that_answers_nothing_is_trouble_and_no_result(
    canned: CannedClients, failure: str, trouble: type[Trouble]
):
    with pytest.raises(trouble):
        Run(canned, dict.fromkeys([*ALL_GOOD, "ec2:DescribeRegions"], failure), *CHECKS)


def test_a_denied_account_is_a_result(canned: CannedClients):
    run = Run(canned, dict.fromkeys(ALL_GOOD, ACCESS_DENIED), *CHECKS)
    assert set(run.statuses) == {CheckStatus.ERROR}
    assert {finding.check_id for finding in run.findings} == set(BY_ID)
    assert all("Grant" in finding.remedy for finding in run.findings)


# Failures on the way


def test_a_page_that_fails_leaves_what_came_before(canned: CannedClients):
    found = group(name="web")["ec2:DescribeSecurityGroups"]
    answers = {"ec2:DescribeSecurityGroups": pages({**found, "NextToken": "2"}, {**found, "NextToken": "2"})}
    run = Run(canned, answers, OPEN_PORTS)
    assert run.statuses == [CheckStatus.PASS, CheckStatus.PASS, CheckStatus.ERROR]


def test_all_pages_are_read(canned: CannedClients):
    found = group(name="web")["ec2:DescribeSecurityGroups"]
    answers = {"ec2:DescribeSecurityGroups": pages({**found, "NextToken": "2"}, {**found, "NextToken": "3"}, found)}
    assert Run(canned, answers, OPEN_PORTS).statuses == [CheckStatus.PASS] * 3


def pages(*answers: dict[str, Any]) -> Any:
    rest: Iterator[dict[str, Any]] = iter(answers)
    return lambda **arguments: next(rest)


def test_a_bucket_that_denies_us_hides_no_other(canned: CannedClients):
    def policy(**arguments: str) -> Any:
        return ACCESS_DENIED if arguments["Bucket"] == "a" else {"Policy": "{}"}

    buckets = {"Buckets": [{"Name": name} for name in "abc"]}
    run = Run(canned, {"s3:ListAllMyBuckets": buckets, "s3:GetBucketPolicy": policy}, PLAIN_HTTP)
    assert run.statuses == [CheckStatus.ERROR, CheckStatus.FAIL, CheckStatus.FAIL]
    assert [finding.resource for finding in run.findings] == [f"arn:aws:s3:::{name}" for name in "abc"]


@pytest.mark.parametrize("failure", [NO_ANSWER, "SlowDown"])
def test_one_resource_that_aws_does_not_answer_about_ends_its_own_verdict_only(canned: CannedClients, failure: str):
    def policy(**arguments: str) -> Any:
        return failure if arguments["Bucket"] in "bd" else {"Policy": "{}"}

    buckets = {"Buckets": [{"Name": name} for name in "abcde"]}
    run = Run(canned, {"s3:ListAllMyBuckets": buckets, "s3:GetBucketPolicy": policy}, PLAIN_HTTP)
    assert [finding.status.value for finding in run.findings] == ["fail", "error", "fail", "error", "fail"]


def test_a_cloud_that_does_not_answer_three_times_in_a_row_is_not_asked_on(canned: CannedClients):
    buckets = {"Buckets": [{"Name": name} for name in "abcde"]}
    run = Run(canned, {"s3:ListAllMyBuckets": buckets, "s3:GetBucketPolicy": NO_ANSWER}, PLAIN_HTTP)
    assert run.asked == ["s3:ListAllMyBuckets", *["s3:GetBucketPolicy"] * 3]
    assert [finding.resource.rpartition(":")[2] for finding in run.findings] == ["a", "b", "root"]
    assert set(run.statuses) == {CheckStatus.ERROR}


GONE = {
    "cis-aws-3.0.0-2.1.1": ("s3:GetBucketPolicy", "NoSuchBucket"),
    "cis-aws-3.0.0-2.1.4": ("s3:GetBucketPublicAccessBlock", "NoSuchBucket"),
    "fsbp-s3.2": ("s3:GetBucketAcl", "NoSuchBucket"),
    "cis-aws-3.0.0-3.6": ("kms:DescribeKey", "NotFoundException"),
    "fsbp-rds.1": ("rds:DescribeDBClusterSnapshotAttributes", "DBClusterSnapshotNotFoundFault"),
}


@pytest.mark.parametrize("check_id", GONE)
def test_of_what_was_deleted_while_the_scan_ran_nothing_is_said(canned: CannedClients, check_id: str):
    permission, code = GONE[check_id]
    (answers,) = [each for each in CASES[check_id].failing if permission in each][-1:]
    assert Run(canned, {**answers, permission: code}, BY_ID[check_id]).findings == []


def with_an_odd_one(permission: str, answers: Answers) -> Answers:
    """The same answers, with a resource before the others of which AWS tells nothing."""
    given, name = answers[permission], CALLS[permission].items
    if callable(given):
        return {**answers, permission: lambda **arguments: {"Snapshots": [{}, *given(**arguments)["Snapshots"]]}}
    return {**answers, permission: {**given, name: [{}, *given[name]]}}


NEVER_EMPTY = {
    *("access-analyzer:ListAnalyzers", "elasticfilesystem:DescribeFileSystems", "guardduty:ListDetectors"),
    *("iam:ListEntitiesForPolicy", "iam:ListServerCertificates", "iam:ListVirtualMFADevices"),
}
"""botocore lets nothing through as one of these, or a check only asks whether there is one."""
ODD_ONES = [
    (name, permission, case.passing[0])
    for name, case in CASES.items()
    for permission in case.passing[0]
    if CALLS[permission].items and permission not in NEVER_EMPTY
]


@pytest.mark.parametrize(("name", "permission", "answers"), ODD_ONES, ids=[f"{each[0]} {each[1]}" for each in ODD_ONES])
def test_one_odd_resource_ends_its_own_verdict_and_no_other(
    canned: CannedClients, name: str, permission: str, answers: Answers
):
    expected = Run(canned, answers, BY_ID[name]).findings
    found = Run(canned, with_an_odd_one(permission, answers), BY_ID[name]).findings
    assert [finding for finding in found if finding.status is not CheckStatus.ERROR] == expected
    assert len(found) <= len(expected) + 1


NO_DATE = {"password_last_used": "no_information", "password_last_changed": "N/A"}


@pytest.mark.parametrize(
    ("check_id", "odd"),
    [
        ("cis-aws-3.0.0-1.12", {"password_enabled": "true", **NO_DATE}),
        ("cis-aws-3.0.0-1.12", {"access_key_1_active": "true", "access_key_1_last_rotated": "N/A"}),
        ("cis-aws-3.0.0-1.14", {"access_key_2_active": "true", "access_key_2_last_rotated": "not a date"}),
    ],
)
def test_a_user_without_a_date_is_an_error_and_the_others_are_judged(
    canned: CannedClients, check_id: str, odd: dict[str, str]
):
    good = report(**password(used=1, changed=1), **key(1, age=1, used=1))
    lines = good["iam:GetCredentialReport"]["Content"].splitlines()
    odd_line = report(**odd)["iam:GetCredentialReport"]["Content"].splitlines()[-1].replace(b"ann", b"bob")
    content = b"\n".join([*lines[:-1], odd_line, lines[-1]])
    run = Run(canned, {**good, "iam:GetCredentialReport": {"Content": content}}, BY_ID[check_id])
    assert {finding.resource.rpartition("/")[2]: finding.status.value for finding in run.findings} == {
        "bob": "error",
        "ann": "pass",
    }


def test_a_trail_that_cannot_be_read_matters_only_when_no_other_one_records_everything(canned: CannedClients):
    check, answers = BY_ID["cis-aws-3.0.0-3.1"], trail()
    (good,) = answers["cloudtrail:DescribeTrails"]["trailList"]
    both = {"cloudtrail:DescribeTrails": {"trailList": [{**good, "TrailARN": "odd"}, good]}}

    def status(is_logging: bool, **arguments: str) -> Any:
        return ACCESS_DENIED if arguments["Name"] == "odd" else {"IsLogging": is_logging}

    for is_logging, expected in ((True, CheckStatus.PASS), (False, CheckStatus.ERROR)):
        run = Run(canned, answers | both | {"cloudtrail:GetTrailStatus": partial(status, is_logging)}, check)
        assert run.statuses == [expected]


def test_a_listing_that_is_cut_off_is_no_ground_to_pass_or_fail(canned: CannedClients):
    answers = {**detector("ENABLED"), "guardduty:GetDetector": ACCESS_DENIED}
    assert Run(canned, answers, GUARD_DUTY).statuses == [CheckStatus.ERROR]


ODD: dict[str, tuple[Check, Answers]] = {
    "a database without fields": (ENCRYPTION, {"rds:DescribeDBInstances": {"DBInstances": [{}]}}),
    "a rule without a protocol": (OPEN_PORTS, group({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})),
    "a policy that is no JSON": (PLAIN_HTTP, {**BUCKET, "s3:GetBucketPolicy": {"Policy": "{"}}),
    "a policy that is no object": (PLAIN_HTTP, {**BUCKET, "s3:GetBucketPolicy": {"Policy": "[]"}}),
    "a report that is no text": (UNUSED, {**report(), "iam:GetCredentialReport": {"Content": b"\xff"}}),
    "a report with other columns": (UNUSED, {**report(), "iam:GetCredentialReport": {"Content": b"a,b\n1,2"}}),
}


@pytest.mark.parametrize("case", ODD)
def test_an_answer_of_another_form_is_an_error(canned: CannedClients, case: str):
    check, answers = ODD[case]
    run = Run(canned, answers, check)
    assert run.statuses == [CheckStatus.ERROR]
    assert "another form" in run.errors


def test_what_was_read_is_kept_for_the_other_checks_of_the_region_and_no_longer(canned: CannedClients):
    checks = [check for check in CHECKS if check.check_id.startswith("cis-aws-3.0.0-2.3")]
    Run(canned, database(), *checks, scope=ScanScope())
    assert [asked for asked in canned.asked if asked[0].startswith("rds")] == [
        ("rds:DescribeDBInstances", HOME),
        ("rds:DescribeDBInstances", "us-east-1"),
    ]
    assert canned.closed == [HOME, HOME, "us-east-1"]
