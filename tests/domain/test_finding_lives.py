"""Findings from scan to scan: created once, updated while they last, closed when they are gone."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.accounts import ProviderType
from domain.scans.finding_lives import Knowledge, tell
from domain.scans.scan import CheckStatus, Finding, ScanOrder, Severity
from domain.schedules.schedule import ScanScope

PASS, FAIL, ERROR = CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.ERROR
DAYS = [f"2026-11-{day}T00:00:00.000Z" for day in range(20, 30)]
MILLISECONDS = {at: 1_795_132_800_000 + 86_400_000 * number for number, at in enumerate(DAYS)}


def finding(status: CheckStatus, resource: str = "a", **other: Any) -> Finding:
    usual: dict[str, Any] = {
        "check_id": "c1",
        "title": "Title",
        "severity": Severity.HIGH,
        "region": "eu-west-1",
        "service": "s3",
        "message": "Message.",
        "remedy": "Remedy.",
    }
    return Finding(status=status, resource=resource, **usual | other)


def scans(*found: Sequence[Finding], scopes: Sequence[ScanScope] = ()) -> list[list[dict[str, Any]]]:
    """The events of one scan after the other, a day apart."""
    known: Knowledge = {}
    told = []
    for number, findings in enumerate(found):
        scope = scopes[number] if scopes else ScanScope()
        order = ScanOrder(f"e{number}", "t1", "a1", ProviderType.AWS, "222222222222", scope)
        events, known = tell(findings, order, known, at=DAYS[number])
        told.append(events)
    return told


def lives(*found: Sequence[Finding], scopes: Sequence[ScanScope] = ()) -> list[list[tuple[str, str]]]:
    told = scans(*found, scopes=scopes)
    return [[(event["activity_name"], event["status"]) for event in events] for events in told]


CREATED, AGAIN, CLOSED, PASSING = ("Create", "New"), ("Update", "New"), ("Close", "Resolved"), ("Update", "Resolved")


@pytest.mark.parametrize("said", [[FAIL, PASS], [PASS, FAIL], [PASS, FAIL, PASS]], ids=str)
def test_a_problem_is_not_closed_by_what_passes_of_the_same_resource(said: list[CheckStatus]):
    found = [finding(status, message=f"{number}") for number, status in enumerate(said)]
    told = lives(found, found, [finding(PASS), finding(PASS)])
    assert told == [[CREATED], [AGAIN], [CLOSED]]


def test_of_several_problems_with_one_resource_one_is_created():
    found = [finding(FAIL, message="Port 22."), finding(FAIL, message="Port 3389.")]
    assert lives(found, found) == [[CREATED, AGAIN], [AGAIN, AGAIN]]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([FAIL, FAIL, FAIL], [CREATED, AGAIN, AGAIN]),
        ([PASS, PASS], [PASSING, PASSING]),
        ([FAIL, PASS, PASS, FAIL], [CREATED, CLOSED, PASSING, CREATED]),
        ([FAIL, ERROR, PASS], [CREATED, AGAIN, CLOSED]),
        ([ERROR, FAIL], [CREATED, AGAIN]),
    ],
    ids=["lasts", "passes", "comes back", "unclear in between", "unclear first"],
)
def test_a_problem_is_created_once_updated_while_it_lasts_and_closed_once(
    statuses: list[CheckStatus], expected: list[tuple[str, str]]
):
    assert lives(*([finding(status)] for status in statuses)) == [[each] for each in expected]


def test_the_times_say_since_when_and_until_when():
    first, second, closed, again = (
        events[0] for events in scans(*([finding(each)] for each in (FAIL, FAIL, PASS, FAIL)))
    )
    times = [
        [event["finding_info"][name] for name in ("first_seen_time", "last_seen_time", "modified_time")]
        for event in (first, second, closed, again)
    ]
    a, b, c, d = (MILLISECONDS[at] for at in DAYS[:4])
    assert times == [[a, a, a], [a, b, b], [a, b, c], [d, d, d]]
    assert all(
        event["finding_info"]["created_time"] == time[0] for event, time in zip((first, second), times, strict=False)
    )


def test_what_is_gone_from_where_the_scan_looked_is_closed_without_a_verdict():
    _, (other, gone), (_,) = scans([finding(FAIL), finding(FAIL, "b")], [finding(PASS, "b")], [finding(PASS, "b")])
    assert (other["activity_name"], gone["activity_name"]) == ("Close", "Close")
    assert gone["resources"][0]["uid"] == "a"
    assert (gone["compliance"]["status"], gone["severity"], "remediation" in gone) == (
        "Unknown",
        "Informational",
        False,
    )


NOT_LOOKED_AT: dict[str, tuple[list[Finding], ScanScope]] = {
    "another region": ([finding(PASS, "b", region="us-east-1")], ScanScope(regions=("us-east-1",))),
    "another service": ([finding(PASS, "b", service="ec2", check_id="c2")], ScanScope(services=("ec2",))),
    "a service left out": ([finding(PASS, "b", service="ec2", check_id="c2")], ScanScope(exclude_services=("s3",))),
    "a check that could not go on": ([finding(PASS, "b"), finding(ERROR, "root")], ScanScope()),
    "a region of which nothing came": ([finding(PASS, "b", region="us-east-1")], ScanScope()),
    "a scan that was cut off": (
        [finding(PASS, "b"), finding(ERROR, "root", check_id="not-scanned", region="global")],
        ScanScope(),
    ),
    "a finding that could not be read": (
        [finding(PASS, "b"), finding(ERROR, "root", check_id="unusable-finding", region="global")],
        ScanScope(),
    ),
}


@pytest.mark.parametrize("case", NOT_LOOKED_AT)
def test_what_the_scan_did_not_look_at_stays_open_and_is_known_when_it_is_seen_again(case: str):
    found, scope = NOT_LOOKED_AT[case]
    told = scans([finding(FAIL)], found, [finding(FAIL)], scopes=(ScanScope(), scope, ScanScope()))
    assert [event["resources"][0]["uid"] for event in told[1] if event["activity_name"] == "Close"] == []
    (seen,) = [event for event in told[2] if event["resources"][0]["uid"] == "a"]
    assert (seen["activity_name"], seen["finding_info"]["first_seen_time"]) == ("Update", MILLISECONDS[DAYS[0]])


def test_two_findings_of_one_check_and_resource_are_a_problem_when_one_of_them_is():
    told = lives([finding(FAIL), finding(PASS)], [finding(PASS)])
    assert told[1] == [CLOSED]
