"""Findings in the Open Cybersecurity Schema Framework: class Compliance Finding (2003) of schema 1.8.0, with the
profile cloud. https://schema.ocsf.io/1.8.0/classes/compliance_finding
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from domain.scans.scan import CheckStatus, Finding, ScanOrder, Severity
from domain.timestamps import parse

SCHEMA_VERSION = "1.8.0"
PRODUCT = {"name": "Threat Engine", "vendor_name": "Threat Engine", "uid": "threat-engine"}

FINDINGS_CATEGORY, COMPLIANCE_FINDING = 2, 2003
CREATE, UPDATE, CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
NEW, RESOLVED = (1, "New"), (4, "Resolved")
GONE = "The scan looked where this was found before, and it is not there any more."

UIDS = UUID("5d5d7a7c-3a0e-5a52-9d0c-2f5a0b0c7d11")
"""Namespace of the findings' ids. It never changes: the id says that two scans found the same thing."""

STATUSES = {CheckStatus.PASS: (1, "Pass"), CheckStatus.ERROR: (2, "Warning"), CheckStatus.FAIL: (3, "Fail")}
"""A warning is, in the schema's words, a check that gave no result because information is missing."""

UNKNOWN = (0, "Unknown")
"""Of what was not judged again, because it is gone."""

INFORMATIONAL = (1, "Informational")
SEVERITIES = {
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
"""What passes or is gone is informational, however severe its failure was."""


@dataclass(frozen=True)
class Life:
    """Where a finding stands in its life. The times are stamps."""

    activity: tuple[int, str]
    status: tuple[int, str]
    first_seen: str
    last_seen: str

    @classmethod
    def opened(cls, at: str) -> "Life":
        return cls(CREATE, NEW, at, at)

    @classmethod
    def seen_again(cls, first_seen: str, at: str) -> "Life":
        return cls(UPDATE, NEW, first_seen, at)

    @classmethod
    def closed(cls, first_seen: str, last_seen: str) -> "Life":
        return cls(CLOSE, RESOLVED, first_seen, last_seen)

    @classmethod
    def passing(cls, first_seen: str, at: str) -> "Life":
        """What passes and was no problem before. It is never created, so that who counts what was finds problems."""
        return cls(UPDATE, RESOLVED, first_seen, at)


def compliance_finding(
    finding: Finding, order: ScanOrder, *, at: str, life: Life, message: str | None = None
) -> dict[str, Any]:
    """`at` is the stamp of the scan's end. A message in place of the finding's own says why it is closed without having
    been judged again."""
    resolved = life.status is RESOLVED
    severity_id, severity = INFORMATIONAL if resolved else SEVERITIES[finding.severity]
    activity_id, activity = life.activity
    event: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": FINDINGS_CATEGORY,
        "category_name": "Findings",
        "class_uid": COMPLIANCE_FINDING,
        "class_name": "Compliance Finding",
        "type_uid": COMPLIANCE_FINDING * 100 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "time": _milliseconds(at),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": life.status[0],
        "status": life.status[1],
        "status_code": UNKNOWN[1].lower() if message else finding.status.value,
        "message": message or finding.message,
        "metadata": _metadata(order),
        "cloud": _cloud(finding, order),
        "finding_info": _finding_info(finding, order, at, life, message or finding.message),
        "compliance": _compliance(finding, message),
        "resources": [_resource(finding)],
    }
    return event | ({"remediation": {"desc": finding.remedy}} if finding.remedy and not resolved else {})


def finding_uid(finding: Finding, order: ScanOrder) -> str:
    """The same for the same check of the same resource in every scan of an account."""
    return str(uuid5(UIDS, "\n".join((order.account_id, finding.check_id, finding.region, finding.resource))))


def _metadata(order: ScanOrder) -> dict[str, Any]:
    return {
        "version": SCHEMA_VERSION,
        "product": PRODUCT,
        "profiles": ["cloud"],
        "tenant_uid": order.tenant_id,
        "correlation_uid": order.execution_id,
    }


def _cloud(finding: Finding, order: ScanOrder) -> dict[str, Any]:
    return {
        "provider": order.provider_type.value,
        "account": {"uid": order.account_number},
        "region": finding.region,
    }


def _finding_info(finding: Finding, order: ScanOrder, at: str, life: Life, message: str) -> dict[str, Any]:
    return {
        "uid": finding_uid(finding, order),
        "title": finding.title,
        "desc": message,
        "created_time": _milliseconds(life.first_seen),
        "first_seen_time": _milliseconds(life.first_seen),
        "last_seen_time": _milliseconds(life.last_seen),
        "modified_time": _milliseconds(at),
        "types": [finding.check_id],
    }


def _compliance(finding: Finding, message: str | None) -> dict[str, Any]:
    status_id, status = UNKNOWN if message else STATUSES[finding.status]
    names = (standard.partition(" / ")[0] for standard in finding.standards)
    return {
        "control": finding.check_id,
        "standards": list(dict.fromkeys(names)),
        "requirements": list(dict.fromkeys(finding.standards)),
        "status_id": status_id,
        "status": status,
        "status_details": [message or finding.message],
    }


def _milliseconds(at: str) -> int:
    return int(parse(at).timestamp() * 1000)


def _resource(finding: Finding) -> dict[str, Any]:
    return {"uid": finding.resource, "type": finding.service, "region": finding.region}
