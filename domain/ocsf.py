"""Findings in the Open Cybersecurity Schema Framework: class Compliance Finding (2003) of schema 1.8.0, with the
profile cloud. https://schema.ocsf.io/1.8.0/classes/compliance_finding
"""

from typing import Any
from uuid import UUID, uuid5

from domain.scans import CheckStatus, Finding, ScanOrder, Severity
from domain.timestamps import parse

SCHEMA_VERSION = "1.8.0"
PRODUCT = {"name": "Threat Engine", "vendor_name": "Threat Engine", "uid": "threat-engine"}

FINDINGS_CATEGORY, COMPLIANCE_FINDING = 2, 2003
CREATE, NEW = 1, 1

UIDS = UUID("5d5d7a7c-3a0e-5a52-9d0c-2f5a0b0c7d11")
"""Namespace of the findings' ids. It never changes: the id says that two scans found the same thing."""

STATUSES = {CheckStatus.PASS: (1, "Pass"), CheckStatus.ERROR: (2, "Warning"), CheckStatus.FAIL: (3, "Fail")}
"""A warning is, in the schema's words, a check that gave no result because information is missing."""

INFORMATIONAL = (1, "Informational")
SEVERITIES = {
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
"""What passed is informational, however severe its failure would be."""


def compliance_finding(finding: Finding, order: ScanOrder, *, at: str) -> dict[str, Any]:
    """`at` is the stamp of the scan's end."""
    milliseconds = int(parse(at).timestamp() * 1000)
    severity_id, severity = INFORMATIONAL if finding.status is CheckStatus.PASS else SEVERITIES[finding.severity]
    event: dict[str, Any] = {
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": FINDINGS_CATEGORY,
        "category_name": "Findings",
        "class_uid": COMPLIANCE_FINDING,
        "class_name": "Compliance Finding",
        "type_uid": COMPLIANCE_FINDING * 100 + CREATE,
        "type_name": "Compliance Finding: Create",
        "time": milliseconds,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": NEW,
        "status": "New",
        "status_code": finding.status.value,
        "message": finding.message,
        "metadata": _metadata(order),
        "cloud": _cloud(finding, order),
        "finding_info": _finding_info(finding, order, milliseconds),
        "compliance": _compliance(finding),
        "resources": [_resource(finding)],
    }
    return event | ({"remediation": {"desc": finding.remedy}} if finding.remedy else {})


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


def _finding_info(finding: Finding, order: ScanOrder, milliseconds: int) -> dict[str, Any]:
    return {
        "uid": finding_uid(finding, order),
        "title": finding.title,
        "desc": finding.message,
        "created_time": milliseconds,
        "types": [finding.check_id],
    }


def _compliance(finding: Finding) -> dict[str, Any]:
    status_id, status = STATUSES[finding.status]
    return {
        "control": finding.check_id,
        "standards": [standard.partition(" / ")[0] for standard in finding.standards],
        "requirements": list(finding.standards),
        "status_id": status_id,
        "status": status,
        "status_details": [finding.message],
    }


def _resource(finding: Finding) -> dict[str, Any]:
    return {"uid": finding.resource, "type": finding.service, "region": finding.region}
