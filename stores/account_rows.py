"""An account and its row, in both directions."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from domain.accounts import Account, AccountStatus, OnboardingStatus, ProviderType
from domain.credentials import CredentialRef
from domain.validation import Outcome, Step, StepStatus, Verdict
from stores.items import Row


def to_row(account: Account) -> Row:
    return {**asdict(account), "provider_id": account.provider_id}


def from_row(row: Row) -> Account:
    """Attributes that came later than the first rows have a default."""
    return Account(
        account_id=row["account_id"],
        tenant_id=row["tenant_id"],
        provider_type=ProviderType(row["provider_type"]),
        account_name=row["account_name"],
        auth_method=row["auth_method"],
        external_id=row["external_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        expires_at=row["expires_at"],
        status=AccountStatus(row["status"]),
        onboarding_status=OnboardingStatus(row["onboarding_status"]),
        version=int(row["version"]),
        account_number=row.get("account_number"),
        credential=_credential(row["credential"]) if "credential" in row else None,
        attempts=int(row["attempts"]),
        last_validated_at=row.get("last_validated_at"),
        last_verdict=_verdict(row["last_verdict"]) if "last_verdict" in row else None,
        reason=row.get("reason"),
    )


def _credential(found: Mapping[str, Any]) -> CredentialRef:
    return CredentialRef(found["arn"], found["version"], pending=found["pending"])


def _verdict(found: Mapping[str, Any]) -> Verdict:
    return Verdict(
        outcome=Outcome(found["outcome"]),
        steps=tuple(_step(step) for step in found["steps"]),
        account_number=found["account_number"],
        identity=found["identity"],
    )


def _step(found: Mapping[str, Any]) -> Step:
    return Step(
        name=found["name"],
        status=StepStatus(found["status"]),
        code=found["code"],
        message=found["message"],
        remedy=found["remedy"],
        missing_permissions=tuple(found["missing_permissions"]),
    )
