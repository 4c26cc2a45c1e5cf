"""Findings as OCSF, against the schema itself."""

from functools import cache
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]

from domain.accounts import ProviderType
from domain.scans.ocsf import SCHEMA_VERSION, Life, compliance_finding, finding_uid
from domain.scans.scan import CheckStatus, Finding, ScanOrder, Severity
from domain.schedules.schedule import ScanScope

ORDER = ScanOrder("e1", "t1", "a1", ProviderType.AWS, "222222222222", ScanScope())
AT = "2026-11-25T13:00:00.250Z"


def finding(**other: Any) -> Finding:
    usual: dict[str, Any] = {
        "check_id": "cis-aws-3.0.0-1.4",
        "title": "The root user has no access key",
        "status": CheckStatus.FAIL,
        "severity": Severity.CRITICAL,
        "resource": "arn:aws:iam::222222222222:root",
        "region": "global",
        "service": "iam",
        "message": "The root user has an access key.",
        "remedy": "Delete it.",
        "standards": ("CIS AWS Foundations 3.0.0 / 1.4", "AWS FSBP 1.0.0 / IAM.4"),
    }
    return Finding(**usual | other)


def event(life: Life | None = None, message: str | None = None, **other: Any) -> dict[str, Any]:
    return compliance_finding(finding(**other), ORDER, at=AT, life=life or Life.opened(AT), message=message)


@cache
def validator(version: str) -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    return Draft202012Validator(schema.get_class_schema(class_name="compliance_finding", profiles=["cloud"]))


@pytest.mark.parametrize("version", [SCHEMA_VERSION, "1.5.0"])
@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("status", CheckStatus)
def test_every_event_is_valid(version: str, severity: Severity, status: CheckStatus):
    for other in cast("tuple[dict[str, Any], ...]", ({}, {"remedy": "", "standards": ()})):
        for life in (Life.opened(AT), Life.seen_again(AT, AT), Life.closed(AT, AT), Life.passing(AT, AT)):
            found = event(life, severity=severity, status=status, **other)
            gone = event(life, "Gone.", severity=severity, status=status, **other)
            assert [error.message for each in (found, gone) for error in validator(version).iter_errors(each)] == []


@pytest.mark.parametrize("name", ["compliance", "finding_info", "metadata", "cloud", "time", "severity_id", "type_uid"])
def test_the_schema_misses_what_it_requires(name: str):
    assert list(validator(SCHEMA_VERSION).iter_errors({key: event()[key] for key in event() if key != name}))


def test_the_event_is_a_compliance_finding():
    assert [event()[name] for name in ("category_uid", "class_uid", "type_uid")] == [2, 2003, 200301]
    assert event()["metadata"]["version"] == SCHEMA_VERSION
    assert event()["time"] == 1_795_611_600_250


def test_the_event_names_tenant_scan_account_and_resource():
    assert (event()["metadata"]["tenant_uid"], event()["metadata"]["correlation_uid"]) == ("t1", "e1")
    assert event()["cloud"] == {"provider": "aws", "account": {"uid": "222222222222"}, "region": "global"}
    assert event()["resources"][0]["uid"] == "arn:aws:iam::222222222222:root"


@pytest.mark.parametrize(
    ("status", "compliance", "severity"),
    [
        (CheckStatus.PASS, (1, "Pass"), (1, "Informational")),
        (CheckStatus.FAIL, (3, "Fail"), (5, "Critical")),
        (CheckStatus.ERROR, (2, "Warning"), (5, "Critical")),
    ],
)
def test_what_could_not_be_decided_is_a_warning_and_never_a_pass(
    status: CheckStatus, compliance: tuple[int, str], severity: tuple[int, str]
):
    found = event(Life.passing(AT, AT) if status is CheckStatus.PASS else Life.opened(AT), status=status)
    assert (found["compliance"]["status_id"], found["compliance"]["status"]) == compliance
    assert (found["severity_id"], found["severity"]) == severity


def test_standards_and_requirements_are_told_apart():
    assert event()["compliance"]["standards"] == ["CIS AWS Foundations 3.0.0", "AWS FSBP 1.0.0"]
    assert event()["compliance"]["requirements"][0] == "CIS AWS Foundations 3.0.0 / 1.4"


def test_a_standard_is_named_once():
    twice = event(standards=("AWS FSBP 1.0.0 / S3.2", "AWS FSBP 1.0.0 / S3.3", "AWS FSBP 1.0.0 / S3.2"))["compliance"]
    assert twice["standards"] == ["AWS FSBP 1.0.0"]
    assert twice["requirements"] == ["AWS FSBP 1.0.0 / S3.2", "AWS FSBP 1.0.0 / S3.3"]


def uid(order: ScanOrder = ORDER, **other: Any) -> str:
    return finding_uid(finding(**other), order)


def test_the_same_finding_has_the_same_id_in_every_scan_and_no_other_has_it():
    later = ScanOrder("e2", "t1", "a1", ProviderType.AWS, "222222222222", ScanScope())
    assert uid(later, status=CheckStatus.PASS, message="Fixed.") == uid()
    other_account = ScanOrder("e1", "t1", "a2", ProviderType.AWS, "222222222222", ScanScope())
    others = [uid(other_account), uid(check_id="c"), uid(region="eu-west-1"), uid(resource="r")]
    assert len({uid(), *others}) == 5


def test_the_event_has_the_id_of_its_finding():
    assert event()["finding_info"]["uid"] == uid()


def test_what_passes_needs_no_remedy():
    assert "remediation" not in event(remedy="")
    assert event()["remediation"] == {"desc": "Delete it."}
