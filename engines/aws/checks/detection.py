"""Checks of the services that watch an account, region by region."""

from collections.abc import Iterator
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader
from engines.checks import Check, Judgement, cis_check, fsbp, holds_for_one, judgement


def access_analyzer(aws: AwsReader, region: str) -> Iterator[Judgement]:
    """An analyzer of unused access does not count: it finds nothing that is open to others."""

    def is_active(analyzer: dict[str, Any]) -> bool:
        return analyzer["status"] == "ACTIVE" and analyzer["type"] in ("ACCOUNT", "ORGANIZATION")

    active = holds_for_one(aws.items("access-analyzer:ListAnalyzers", region), is_active)
    good, bad = "An analyzer watches what is open to others.", "No analyzer watches what is open to others."
    yield judgement(aws.account.arn("access-analyzer", region, "analyzer"), active, good=good, bad=bad)


def config_recorder(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def is_running(status: dict[str, Any]) -> bool:
        return bool(status.get("recording") and status.get("lastStatus") != "Failure" and status["name"] in complete)

    complete = {
        recorder.get("name")
        for recorder in aws.items("config:DescribeConfigurationRecorders", region)
        if recorder.get("recordingGroup", {}).get("allSupported")
    }
    recording = holds_for_one(aws.items("config:DescribeConfigurationRecorderStatus", region), is_running)
    good, bad = "AWS Config records all resources.", "AWS Config does not record all resources."
    resource = aws.account.arn("config", region, "configuration-recorder")
    yield judgement(resource, recording, good=good, bad=bad)


def security_hub(aws: AwsReader, region: str) -> Iterator[Judgement]:
    hub = aws.read("securityhub:DescribeHub", region)
    good, bad = "Security Hub is on.", "Security Hub is off."
    yield judgement(aws.account.arn("securityhub", region, "hub/default"), hub is not None, good=good, bad=bad)


def guard_duty(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def is_on(detector: str) -> bool:
        return bool(aws.setting("guardduty:GetDetector", region, DetectorId=detector)["Status"] == "ENABLED")

    on = holds_for_one(aws.items("guardduty:ListDetectors", region), is_on)
    good, bad = "GuardDuty is on.", "GuardDuty is off."
    yield judgement(aws.account.arn("guardduty", region, "detector"), on, good=good, bad=bad)


CHECKS = (
    cis_check(
        "1.20",
        "IAM Access Analyzer is on in each region",
        service="access-analyzer",
        severity=Severity.MEDIUM,
        remedy="Make an analyzer of external access in the region, or one for the whole organisation.",
        judge=access_analyzer,
    ),
    cis_check(
        "3.3",
        "AWS Config is on in each region",
        service="config",
        severity=Severity.MEDIUM,
        remedy="Make a configuration recorder in the region that records all resource types, and start it.",
        judge=config_recorder,
        also=(fsbp("Config.1"),),
    ),
    cis_check(
        "4.16",
        "Security Hub is on in each region",
        service="securityhub",
        severity=Severity.MEDIUM,
        remedy="Enable Security Hub in the region.",
        judge=security_hub,
    ),
    Check(
        "fsbp-guardduty.1",
        "GuardDuty is on in each region",
        "guardduty",
        Severity.HIGH,
        (fsbp("GuardDuty.1"),),
        "Enable GuardDuty in the region.",
        guard_duty,
    ),
)
