"""Checks of CloudTrail: everything is recorded, nobody can alter the record."""

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader
from engines.checks import Judgement, Verdict, by_resource, cis_check, fsbp, holds_for_one, judgement


def recorded_everywhere(aws: AwsReader, region: str) -> Iterator[Judgement]:
    """A trail of all regions, or of the whole organisation, is seen from each of them."""
    found = holds_for_one(aws.items("cloudtrail:DescribeTrails", region), partial(_records_everything, aws))
    good = "A trail records all management events of all regions."
    yield judgement(aws.account.root, found, good=good, bad="No trail records all management events of all regions.")


def validated(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def is_validated(trail: dict[str, Any]) -> Verdict:
        return trail.get("LogFileValidationEnabled", False) if trail["HomeRegion"] == region else None

    good, bad = "The trail's files are signed.", "The trail's files can be altered without a trace."
    yield from _by_trail(aws, region, is_validated, good=good, bad=bad)


def encrypted(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def is_encrypted(trail: dict[str, Any]) -> Verdict:
        return bool(trail.get("KmsKeyId")) if trail["HomeRegion"] == region else None

    good, bad = "The trail is encrypted with a KMS key.", "The trail is not encrypted with a KMS key."
    yield from _by_trail(aws, region, is_encrypted, good=good, bad=bad)


def _by_trail(
    aws: AwsReader, region: str, verdict: Callable[[dict[str, Any]], Verdict], *, good: str, bad: str
) -> Iterator[Judgement]:
    """A trail of all regions is judged once, in its home region."""
    trails = aws.items("cloudtrail:DescribeTrails", region)
    yield from by_resource(aws, trails, itemgetter("TrailARN"), verdict, good=good, bad=bad)


def _records_everything(aws: AwsReader, trail: dict[str, Any]) -> bool:
    home, arn = trail["HomeRegion"], trail["TrailARN"]
    if not trail.get("IsMultiRegionTrail") or not aws.setting("cloudtrail:GetTrailStatus", home, Name=arn)["IsLogging"]:
        return False
    selectors = aws.setting("cloudtrail:GetEventSelectors", home, TrailName=arn)
    basic, advanced = selectors.get("EventSelectors") or [], selectors.get("AdvancedEventSelectors") or []
    return any(map(_selects_management, basic)) or any(map(_selects_management_by_fields, advanced))


def _selects_management(selector: dict[str, Any]) -> bool:
    return selector.get("IncludeManagementEvents") is True and selector.get("ReadWriteType") == "All"


def _selects_management_by_fields(selector: dict[str, Any]) -> bool:
    """Any further field would leave events out."""
    return bool(selector["FieldSelectors"] == [{"Field": "eventCategory", "Equals": ["Management"]}])


CHECKS = (
    cis_check(
        "3.1",
        "CloudTrail records all regions",
        service="cloudtrail",
        severity=Severity.HIGH,
        remedy="Make a trail for all regions that records all management events, and start it.",
        judge=recorded_everywhere,
        regional=False,
        also=(fsbp("CloudTrail.1"),),
    ),
    cis_check(
        "3.2",
        "CloudTrail signs its files",
        service="cloudtrail",
        severity=Severity.LOW,
        remedy="Switch on log file validation of the trail.",
        judge=validated,
        also=(fsbp("CloudTrail.4"),),
    ),
    cis_check(
        "3.5",
        "CloudTrail encrypts its files with a KMS key",
        service="cloudtrail",
        severity=Severity.MEDIUM,
        remedy="Choose a customer managed KMS key for the trail.",
        judge=encrypted,
        also=(fsbp("CloudTrail.2"),),
    ),
)
