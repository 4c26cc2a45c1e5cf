"""Steps that touch a credential. They alone see one opened, between the seal and the vault or the vault and the cloud;
what they return is a reference or a verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity

from activities.heartbeats import heartbeating
from domain.accounts import OnboardingStatus, ProviderType
from domain.errors import Conflict, OnboardingClosed
from domain.onboarding.credentials import Credential, CredentialRef, SealContext, SealPurpose, VaultEntry
from domain.onboarding.dry_run import ProbeRequest
from domain.onboarding.validation import Expectation, Verdict
from domain.ports import AccountStore, Catalogue, CredentialOpener, CredentialVault
from domain.timestamps import parse

VERDICT_SECONDS = 10
"""What a dry run, which somebody waits for, keeps of its time for the verdict itself."""


PROBED_WITHIN = timedelta(hours=1)
"""A dry run is answered within minutes, so one that is older is somebody's repetition."""


@dataclass(frozen=True)
class StoreCredential:
    tenant_id: str
    account_id: str
    submission_id: str
    provider_type: ProviderType
    sealed: str
    at: str


@dataclass(frozen=True)
class ValidateCredential:
    tenant_id: str
    account_id: str
    provider_type: ProviderType
    credential: CredentialRef
    external_id: str
    just_created: bool = False
    account_number: str | None = None


@dataclass(frozen=True)
class PromoteCredential:
    tenant_id: str
    account_id: str
    credential: CredentialRef


@dataclass(frozen=True)
class DeleteCredential:
    tenant_id: str
    account_id: str


class CredentialActivities:
    """The steps, over the ports that the worker was given."""

    def __init__(
        self, vault: CredentialVault, opener: CredentialOpener, catalogue: Catalogue, accounts: AccountStore
    ) -> None:
        self._vault = vault
        self._opener = opener
        self._catalogue = catalogue
        self._accounts = accounts

    def all(self) -> Sequence[Callable[..., Any]]:
        return [
            self.store_credential,
            self.validate_credential,
            self.probe_credential,
            self.promote_credential,
            self.delete_credential,
        ]

    @activity.defn(name="store_credential")
    def store_credential(self, step: StoreCredential) -> CredentialRef:
        self._is_under_way(step.tenant_id, step.account_id)
        context = SealContext(step.tenant_id, step.account_id, step.submission_id)
        credential = self._opener.open(step.sealed, context)
        entry = VaultEntry(
            tenant_id=step.tenant_id,
            account_id=step.account_id,
            submission_id=step.submission_id,
            provider_type=step.provider_type.value,
            credential=credential,
            created_at=step.at,
        )
        return self._vault.store(entry)

    @activity.defn(name="validate_credential")
    def validate_credential(self, step: ValidateCredential) -> Verdict:
        """A verdict is returned; trouble on the way is raised, and retried by Temporal."""
        credential = self._vault.read(step.tenant_id, step.account_id, step.credential)
        return self._prove(step, credential)

    @activity.defn(name="probe_credential")
    def probe_credential(self, request: ProbeRequest) -> Verdict:
        """The same proof, of a credential that goes from its seal to the cloud and nowhere else."""
        if request.at and datetime.now(UTC) - parse(request.at) > PROBED_WITHIN:
            raise Conflict("This dry run was asked for long ago; ask for another one.")
        context = SealContext(request.tenant_id, request.account_id, request.probe_id, SealPurpose.PROBE)
        credential = self._opener.open(request.sealed, context)
        return self._prove(request, credential)

    @activity.defn(name="promote_credential")
    def promote_credential(self, step: PromoteCredential) -> CredentialRef:
        self._is_under_way(step.tenant_id, step.account_id)
        return self._vault.promote(step.tenant_id, step.account_id, step.credential)

    @activity.defn(name="delete_credential")
    def delete_credential(self, step: DeleteCredential) -> None:
        """For good, without a recovery window: a credential that never became active is nobody's to restore."""
        self._vault.delete(step.tenant_id, step.account_id, recovery_days=None)

    def _is_under_way(self, tenant_id: str, account_id: str) -> None:
        """Raises OnboardingClosed, and NotFound. Whoever repeats the step later brings no credential back, and puts no
        old one in the place of the present one."""
        if self._accounts.get(tenant_id, account_id).onboarding_status is not OnboardingStatus.IN_PROGRESS:
            raise OnboardingClosed

    def _prove(self, step: ValidateCredential | ProbeRequest, credential: Credential) -> Verdict:
        provider = self._catalogue.provider(step.provider_type)
        waits: float = provider.description.propagation_seconds
        if isinstance(step, ProbeRequest):
            waits = min(waits, max(step.patience_seconds - VERDICT_SECONDS, step.patience_seconds / 2))
        expectation = Expectation(
            external_id=step.external_id,
            account_number=step.account_number,
            may_propagate=step.just_created and _age_seconds() < waits,
        )
        with heartbeating():
            return provider.validate(credential, expectation)


def _age_seconds() -> float:
    """Seconds since the first attempt of the running activity was scheduled."""
    return (datetime.now(UTC) - activity.info().scheduled_time).total_seconds()
