"""A customer's cloud account, and the words for the states it can be in."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from domain.onboarding.credentials import CredentialRef
from domain.onboarding.validation import Verdict


class ProviderType(StrEnum):
    """The clouds of the mission; which of them can be onboarded is the provider catalogue's to say."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"
    ALICLOUD = "alicloud"
    OCI = "oci"
    IBM = "ibm"


class AccountStatus(StrEnum):
    """What the account is to the scan engine."""

    PENDING = "pending"
    ACTIVE = "active"
    ACTIVE_LIMITED = "active_limited"
    DEGRADED = "degraded"
    ERROR = "error"
    DISABLED = "disabled"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    """What a newer version wrote. Nothing scans such an account."""


class OnboardingStatus(StrEnum):
    """How far the onboarding is, or how it ended."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """What a newer version wrote. Nothing goes on with it."""


@dataclass(frozen=True)
class Account:
    """One row of the accounts table. `version` counts its writes, from 1."""

    account_id: str
    tenant_id: str
    provider_type: ProviderType
    account_name: str
    auth_method: str
    external_id: str
    created_at: str
    updated_at: str
    expires_at: str
    """When the onboarding ends by itself if no credential is accepted."""
    status: AccountStatus = AccountStatus.PENDING
    onboarding_status: OnboardingStatus = OnboardingStatus.IN_PROGRESS
    version: int = 1
    account_number: str | None = None
    """The number that the cloud itself gave for the credential; None until one was accepted."""
    credential: CredentialRef | None = None
    attempts: int = 0
    last_validated_at: str | None = None
    last_verdict: Verdict | None = None
    reason: str | None = None
    """Code of the reason why the onboarding ended without becoming active."""

    @property
    def provider_id(self) -> str:
        return provider_id(self.tenant_id, self.provider_type)


def provider_id(tenant_id: str, provider_type: ProviderType) -> str:
    """One provider row per tenant and cloud: its id follows from both, so that no two can be made."""
    return str(uuid5(UUID(tenant_id), provider_type.value))


@dataclass(frozen=True)
class Activation:
    """What makes an account active: an accepted verdict and where its credential is. `provider_type` is the account's,
    and a part of the name under which its cloud account is claimed."""

    verdict: Verdict
    credential: CredentialRef
    attempts: int
    provider_type: ProviderType

    @property
    def account_status(self) -> AccountStatus:
        return AccountStatus(self.verdict.outcome.value)

    @property
    def account_number(self) -> str:
        """The number that the cloud itself gave; ValueError when the verdict proves none."""
        if not self.verdict.accepted or not self.verdict.account_number:
            raise ValueError("Only an accepted verdict that names the cloud account can activate an account.")
        return self.verdict.account_number


@dataclass(frozen=True)
class Closure:
    """How an onboarding ended without an active account."""

    onboarding_status: OnboardingStatus
    reason: str
    attempts: int

    @property
    def account_status(self) -> AccountStatus:
        """Only a failure is an error: one that expired or was cancelled leaves nothing to repair."""
        failed = self.onboarding_status is OnboardingStatus.FAILED
        return AccountStatus.ERROR if failed else AccountStatus.DISABLED
